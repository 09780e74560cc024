"""A first pass over a source, before any example is written: how deep the images are, and what has to change sides.

A hash divides the examples, so a class of a few may have none on a side. The pass keeps the smallest keys of each class
a side, from which such a side is given one.
"""

import collections
import heapq
from collections.abc import Iterable
from typing import NamedTuple

from components.example_gen.near import MOST, together
from components.example_gen.sources.source import CHOOSE, EVAL, TRAIN, Head, Shard, Source, split_of
from models.config import OneSource

KEPT = 3
"""Keys that are kept of a class and a side: one stays, and two sides may lack one."""

Group = tuple[int, tuple[str, ...]]
"""A class, or -1 without, and the sides among which its examples are divided."""


class Census(NamedTuple):
    """What the first pass found.

    Attributes:
        depths: images by their number of channels.
        smallest: of each group, by side, the smallest keys that differ, at most KEPT.
        heads: of all images with their sides, where near duplicates are kept together; else none.
    """

    depths: dict[int, int]
    smallest: dict[Group, dict[str, list[bytes]]]
    heads: list[tuple[Head, tuple[str, ...]]] = []  # noqa: RUF012 - a tuple's default, never changed

    @classmethod
    def merged(cls, parts: Iterable["Census"]) -> "Census":
        """Joins the censuses of several parts."""
        depths: collections.Counter[int] = collections.Counter()
        smallest: dict[Group, dict[str, list[bytes]]] = {}
        heads: list[tuple[Head, tuple[str, ...]]] = []
        for part in parts:
            depths.update(part.depths)
            heads += part.heads
            for group, sides in part.smallest.items():
                mine = smallest.setdefault(group, {})
                for side, keys in sides.items():
                    mine[side] = heapq.nsmallest(KEPT, {*mine.get(side, ()), *keys})
        return cls(dict(depths), smallest, heads)


class Plan(NamedTuple):
    """What the second pass is told.

    Attributes:
        channels: that every image has.
        moved: the side of each key that its hash would put elsewhere.
        together: of images that have near duplicates, the key by which they all get their side.
        compared: whether near duplicates are looked for: of too many images, memory would grow with their number.
    """

    channels: int
    moved: dict[bytes, str]
    together: dict[bytes, bytes] = {}  # noqa: RUF012 - a tuple's default, never changed
    compared: bool = True

    def key(self, key: bytes) -> bytes:
        """The key that an example shares with its near duplicates."""
        return self.together.get(key, key)

    def side(self, key: bytes, sides: tuple[str, ...], data: OneSource) -> str:
        """The split of an example, by its key."""
        key = self.key(key)
        split = split_of(key, sides, data)
        return self.moved.get(key, split) if len(sides) > 1 else split


def take(shard: Shard, source: Source, data: OneSource, *, labelled: bool) -> Census:
    """The census of a shard.

    Args:
        shard: of the source.
        source: what is read.
        data: its shares decide the sides.
        labelled: whether the source's labels are read.
    """
    if len(shard.sides) == 1 and source.channels is not None:
        return Census({}, {})
    return of_heads(source.heads(shard, data=data), shard.sides, data, labelled=labelled)


def of_heads(heads: Iterable[Head], sides: tuple[str, ...], data: OneSource, *, labelled: bool) -> Census:
    """The census of examples that lie among the same sides.

    Args:
        heads: what is known of each.
        sides: see `Shard`.
        data: its shares decide the sides.
        labelled: whether labels count.
    """
    depths: collections.Counter[int] = collections.Counter()
    smallest: dict[Group, dict[str, list[bytes]]] = {}
    compared: list[tuple[Head, tuple[str, ...]]] = []
    divided = len(sides) > 1
    for head in heads:
        depths[head.channels] += 1
        if not labelled:
            head = head._replace(label=None)
        if divided and head.thumbnail:
            compared.append((head, sides))
        elif divided:
            _keep(smallest, head, head.key, sides, data)
    return Census(dict(depths), smallest, compared)


def _keep(
    smallest: dict[Group, dict[str, list[bytes]]], head: Head, key: bytes, sides: tuple[str, ...], data: OneSource
) -> None:
    """Keeps a key if it is one of the smallest of its class and side."""
    group = (-1 if head.label is None else head.label, sides)
    keys = smallest.setdefault(group, {}).setdefault(split_of(key, sides, data), [])
    if key not in keys and (len(keys) < KEPT or key < keys[-1]):
        keys[:] = sorted([*keys, key])[:KEPT]


def plan(census: Census, channels: int | None, data: OneSource) -> Plan:
    """What follows from a census.

    Of each class of two different examples or more, at least one is in train and one in eval; of one with more in train
    than one, one is in choose, if there is such a split. The side that lacks one gets that of the smallest key.

    Args:
        census: of the whole source.
        channels: of the source, where it can have no other; else most images decide.
        data: its shares.

    Raises:
        ValueError: near duplicates are to be kept together, of more images than can be compared. One line.
    """
    if channels is None:
        channels = 1 if census.depths.get(1, 0) >= census.depths.get(3, 0) else 3
    moved: dict[bytes, str] = {}
    images = sum(census.depths.values())
    if images > MOST and data.split_by == "near_duplicates":
        raise ValueError(
            f"data.split_by=near_duplicates compares at most {MOST:,} images; {data.source} has {images:,}: set "
            "data.split_by=content or folder"
        )
    shared = together((head.key, head.thumbnail) for head, _ in census.heads)
    census = Census.merged([census])
    for head, sides in census.heads:
        _keep(census.smallest, head, shared.get(head.key, head.key), sides, data)
    for (_, sides), found in sorted(census.smallest.items()):
        placed: dict[str, set[bytes]] = {side: set() for side in sides}
        for side, keys in found.items():
            for key in keys:
                # another class may have had this example moved
                placed[moved.get(key, side)].add(key)
        for side in (EVAL, TRAIN, CHOOSE) if data.choose_share else (EVAL, TRAIN):
            if side not in sides or placed[side]:
                continue
            givers = [TRAIN] if side == CHOOSE else [other for other in sides if other != side]
            spare = [
                (key, giver) for giver in givers if len(placed[giver]) > (giver != CHOOSE) for key in placed[giver]
            ]
            if spare:
                key, giver = min(spare)
                placed[giver].remove(key)
                placed[side].add(key)
                moved[key] = side
    return Plan(channels, moved, shared, images <= MOST)
