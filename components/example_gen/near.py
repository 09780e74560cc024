"""Near duplicates: images that are almost equal, found by a difference hash without comparing all pairs.

Equal images fall on the same side of a split by their content. Near duplicates, such as frames of a film or an image in
two qualities, do not, and what is held out is then no test of what was learnt.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.example_gen.images import THUMBNAIL
from components.example_gen.notes import COPIES, NAMED, NEAR, NEAR_HELD_OUT, Note, Notes
from components.example_gen.sources.source import EVAL, TRAIN

BITS = 3
"""How many of the 64 bits of two hashes may differ: with fewer than four, one of the four parts is equal."""
PARTS = 4
DIFFERENCE = 4.0
"""The mean difference of two thumbnails, in values of 0 to 255, that counts as almost equal: hashes know no colour."""
WINDOW = 256
"""How many that share a part of its hash an image is compared with; where there are more, some are missed."""
MOST = 200_000
"""Images that are compared at all, half a kilobyte each."""


class Print(NamedTuple):
    """What an image is recognised by."""

    key: bytes
    thumbnail: bytes
    """See `Picture.thumbnail`."""
    name: str = ""
    side: str = ""


def dhash(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The difference hash of each image: whether each of 9 grey values in 8 rows is darker than the next.

    Args:
        thumbnails: [n, 8, 9, 3] uint8.

    Returns:
        [n] uint64.

    Reference: Krawetz 2013, "Kind of Like That".
    """
    grey = thumbnails.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    bits = grey[:, :, 1:] > grey[:, :, :-1]
    return np.packbits(bits.reshape(len(bits), 64), axis=1).view(">u8")[:, 0].astype(np.uint64)


def groups(prints: Sequence[Print]) -> list[list[int]]:
    """Numbers of prints that are almost equal, directly or by way of others; those with the same key are one image.

    Args:
        prints: of the images, any number.

    Returns:
        Groups of two or more with at least two different keys, each in the order of the numbers.
    """
    first: dict[bytes, int] = {}
    for number, each in enumerate(prints):
        first.setdefault(each.key, number)
    chosen = np.array(list(first.values()))
    if len(chosen) < 2:
        return []
    width, height = THUMBNAIL
    blob = b"".join(prints[number].thumbnail for number in chosen)
    thumbnails = np.frombuffer(blob, np.uint8).reshape(-1, height, width, 3)
    parents = list(range(len(chosen)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for left, right in _pairs(thumbnails):
        one, other = root(left), root(right)
        parents[max(one, other)] = min(one, other)
    found: dict[int, list[int]] = {}
    for number in range(len(chosen)):
        found.setdefault(root(number), []).append(int(chosen[number]))
    return [sorted(each) for each in found.values() if len(each) > 1]


def _pairs(thumbnails: npt.NDArray[np.uint8]) -> Iterable[tuple[int, int]]:
    """Pairs that are almost equal: those that share a part of their hashes are neighbours when sorted by it."""
    hashes = dhash(thumbnails)
    flat = thumbnails.reshape(len(thumbnails), -1)
    light = flat.mean(axis=1)
    for part in range(PARTS):
        value = (hashes >> np.uint64(16 * part)) & np.uint64(0xFFFF)
        order = np.lexsort((light, hashes, value))
        for step in range(1, min(WINDOW, len(order) - 1) + 1):
            left, right = order[:-step], order[step:]
            same = value[left] == value[right]
            if not same.any():
                break
            left, right = left[same], right[same]
            near = _ones(hashes[left] ^ hashes[right]) <= BITS
            left, right = left[near], right[near]
            for start in range(0, len(left), 65_536):
                one, other = left[start : start + 65_536], right[start : start + 65_536]
                close = np.abs(flat[one].astype(np.int16) - flat[other]).mean(axis=1) <= DIFFERENCE
                yield from zip(one[close].tolist(), other[close].tolist(), strict=True)


def _ones(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return np.unpackbits(values.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=1)


def notes_of(prints: Iterable[Print]) -> Notes:
    """Copies and near duplicates, counted: of each set one is no duplicate; and those that are held out from training.

    Args:
        prints: of all images of a source, in any order.
    """
    ordered = sorted(prints, key=lambda each: each.name)
    notes: Notes = {}
    seen: set[bytes] = set()
    copies = [each.name for each in ordered if each.key in seen or seen.add(each.key)]  # type: ignore[func-returns-value]
    if copies:
        notes[COPIES] = Note(len(copies), tuple(copies[:NAMED]))
    found = groups(ordered)
    pairs = [f"{ordered[one].name} = {ordered[other].name}" for one, *others in found for other in others]
    if pairs:
        notes[NEAR] = Note(len(pairs), tuple(pairs[:NAMED]))
    held_out = []
    for group in found:
        sides = {ordered[number].side for number in group}
        if {TRAIN, EVAL} <= sides:
            held_out += [ordered[number].name for number in group if ordered[number].side == EVAL]
    if held_out:
        notes[NEAR_HELD_OUT] = Note(len(held_out), tuple(sorted(held_out)[:NAMED]))
    return notes


def together(keys_and_thumbnails: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The key by which each image of a group of near duplicates gets its split: a hash of the smallest in it.

    The smallest itself would be small, and all but the smallest groups would be held out.

    Args:
        keys_and_thumbnails: of all images.
    """
    prints = [Print(*each) for each in sorted(set(keys_and_thumbnails))]
    return {
        prints[number].key: hashlib.sha256(prints[group[0]].key).digest()
        for group in groups(prints)
        for number in group
    }
