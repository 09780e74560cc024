"""Sources of examples: what one is, and which there are. To add one, write its class and add its line to SOURCES."""

import abc
import hashlib
import importlib
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import tensorflow as tf

from components.example_gen.aligned import Aligned, Row, read_row, read_row_head
from components.example_gen.images import BadImage, Picture, read_head, read_picture
from components.example_gen.notes import Notes
from models.catalog import READERS, SOURCES
from models.config import Data, OfPairs, OneSource
from models.config.variants import made_by

TRAIN, CHOOSE, EVAL = "train", "choose", "eval"
SPLITS = (TRAIN, CHOOSE, EVAL)
TRAINED = (TRAIN, CHOOSE)
"""What a source that holds some examples out itself is split into, of the others."""
TRANSFER = "transfer"
"""The split of what `data.transfer` finds, which no hash divides."""
NAME = "name"
"""How `data.split_by` begins where a part of the path is named."""


class Raw(NamedTuple):
    """An image file, not looked at yet."""

    name: str
    content: bytes
    label: int | None
    folder: str = ""
    """Where the file lies below the source, by which data.split_by=folder splits."""

    @property
    def place(self) -> str:
        """Its path below the source, by a part of which data.split_by=name:REGEX splits."""
        return posixpath.join(self.folder, posixpath.basename(self.name))


class Point(NamedTuple):
    """A point of the plane, as it goes into an example."""

    coordinates: tuple[float, float]
    key: bytes
    """Digest of the content, by which an example gets its split; see `Picture.key`."""
    label: int | None = None


class Example(NamedTuple):
    """An example of a user's own kind of column, which takes its value; see `models.columns.Kind.features`."""

    value: Any
    key: bytes
    """Digest of the content, by which an example gets its split; see `Picture.key`."""
    label: int | None = None


class Fault(NamedTuple):
    """What is bad: so many images of a place that the user can find."""

    name: str
    reason: str
    images: int = 1

    def __str__(self) -> str:
        return f"{self.name} {self.reason}"


class Shard(NamedTuple):
    """A part of a source that one worker reads; small, as it travels through the pipeline."""

    sides: tuple[str, ...]
    """The splits among which hashes divide it: SPLITS, or TRAINED, or one where the source says itself which it is."""
    part: Any


class Head(NamedTuple):
    """What is known of an example before it is decoded."""

    channels: int
    key: bytes
    """Digest by which an example gets its split; see `split_key`."""
    label: int | None
    thumbnail: bytes = b""
    """See `Picture.thumbnail`; empty where nothing is split by it."""


class Source(abc.ABC):
    """Where examples come from. Instances travel to workers: they hold names, never images."""

    channels: int | None = None
    """1 or 3 where the source can have no other, 0 where it has points; None where each image must be asked."""
    numbered = False
    """True where classes have no names but numbers: a model has nothing to tell of them."""
    files = False
    """True where examples are files of a user's, which may be of all kinds, near duplicates, and in folders."""

    @abc.abstractmethod
    def __init__(self, argument: str) -> None:
        """Takes what follows the colon; reads nothing yet."""

    @abc.abstractmethod
    def check(self) -> None:
        """Raises ValueError, one line, for what is wrong with the source as a whole. Reads headers at most."""

    @abc.abstractmethod
    def shards(self) -> Iterator[Shard]:
        """The parts of the source, in an order that does not depend on the machine."""

    @abc.abstractmethod
    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Raw | Aligned | Picture | Point | Example | Fault]:
        """The examples of a shard, a few in memory at a time.

        Args:
            shard: one of `shards`.
            data: its limits; no image that the source itself decodes exceeds `data.pixel_limit`.
        """

    def heads(self, shard: Shard, *, data: OneSource) -> Iterator[Head]:
        """What `read` would give, as cheaply as it can be had; bad ones are left out where that is seen at once."""
        for item in self.read(shard, data=data):
            if isinstance(item, Raw | Aligned):
                if head := _head(item, data):
                    yield head
            elif not isinstance(item, Fault):
                yield Head(item.channels if isinstance(item, Picture) else 0, item.key, item.label)

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """A text that changes when the source's content does, without reading the content."""

    def classes(self) -> list[str]:
        """The classes' names in the order of their labels; empty where they have none."""
        return []

    def notes(self) -> Notes:
        """What is known of what was passed over before any example is read."""
        return {}

    def check_labels(self) -> None:
        """Raises ValueError where some examples have labels and others have none. One line."""
        return


def open_source(source: str | OneSource) -> Source:
    """Makes a source, and checks it.

    Args:
        source: a text such as `idx:data/mnist`, or a domain whose `source` is such a text; what reads a domain of the
            user's own is named by its `implementation`, and takes any text.

    Raises:
        ValueError: there is no such kind, or the source is missing or unusable; one line.
    """
    opened = _made(source)
    opened.check()
    return opened


def _made(source: str | OneSource) -> Source:
    """Makes the source of a text or of a domain without a look at what is there."""
    if isinstance(source, str):
        return make_source(source)
    made: Source
    if source.implementation:
        made = made_by("source", source)(source.source)
    elif source.name in READERS:
        made = _imported(READERS[source.name])(source)
    else:
        made = make_source(source.source)
    return made


def make_source(source: str) -> Source:
    """Makes the source without a look at what is there. Raises ValueError for an unknown kind."""
    kind, colon, argument = source.partition(":")
    if kind not in SOURCES or bool(argument) == (kind == "digits") or (colon and not argument):
        raise ValueError(
            "data.source is digits, idx:DIR, folder:DIR, zip:FILE, tar:FILE, tfds:NAME[/CONFIG], mixture:ring, "
            f"mixture:square, mixture:grid or stacked:SOURCE; received {source!r}"
        )
    if argument.startswith("~"):
        # a shell leaves it as it is behind a colon
        argument = os.path.expanduser(argument)  # noqa: PTH111 - a path, or a bucket's URL
    made: Source = _imported(SOURCES[kind])(argument)
    return made


def has_names(data: Data) -> bool:
    """True where the classes of data may have names, which ingestion then writes into its report. Reads nothing."""
    return bool(data.classes) and not _made(data.domains[0]).numbered


def _imported(line: str) -> Any:
    module, _, name = line.partition(":")
    return getattr(importlib.import_module(module), name)


def fingerprint(*sources: str | OneSource) -> str:
    """A digest that changes when the sources' content does: names, sizes and times of files, never their bytes.

    Args:
        sources: each as `open_source` takes it.

    Returns:
        16 hexadecimal digits.

    Raises:
        ValueError: as `open_source`.
    """

    def line(source: str | OneSource) -> str:
        text = source if isinstance(source, str) else source.source
        return f"{text}\n{open_source(source).fingerprint()}"

    lines = "\n".join(map(line, sources))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def split_key(item: Any, key: bytes, data: OneSource) -> bytes:
    """The digest by which an example gets its split: of its content, or of what `data.split_by` names.

    Args:
        item: as the source gave it.
        key: digest of the content.
        data: says what is kept together.
    """
    part = part_of(item, data) if isinstance(item, Raw | Aligned) else None
    return key if part is None else hashlib.sha256(part.encode()).digest()


def part_of(item: Raw | Aligned, data: OneSource) -> str | None:
    """The part of a file's path that `data.split_by` names: its folder, or what a pattern finds; None without any."""
    if data.split_by == "folder":
        return item.folder
    kind, _, pattern = data.split_by.partition(":")
    found = re.search(pattern, item.place) if kind == NAME else None
    return "\0".join(each or "" for each in found.groups() or (found[0],)) if found else None


def _head(item: Raw | Aligned, data: OneSource) -> Head | None:
    """What the first pass needs of a file or a pair; None where it is seen to be bad."""
    if data.split_by != "near_duplicates":
        head = _channels_and_key(item, data)
        return head and Head(head[0], split_key(item, head[1], data), item.label)
    try:
        found = read_item(item, data, thumbnail=True)
    except BadImage:
        return None
    return Head(found.channels, found.key, item.label, found.thumbnail)


def _channels_and_key(item: Raw | Aligned, data: OneSource) -> tuple[int, bytes] | None:
    if isinstance(item, Aligned):
        return read_row_head(item, cast(OfPairs, data))
    return read_head(item.content, pixel_limit=data.pixel_limit)


def read_item(item: Raw | Aligned, data: OneSource, *, thumbnail: bool) -> Picture | Row:
    """Decodes a file, or the files of a pair. Raises BadImage as `read_picture` and `read_row`."""
    if isinstance(item, Aligned):
        return read_row(item, cast(OfPairs, data), thumbnail=thumbnail)
    return read_picture(item.content, item.label, pixel_limit=data.pixel_limit, thumbnail=thumbnail)


def split_of(key: bytes, sides: tuple[str, ...], data: OneSource) -> str:
    """The split of an example by its key: equal examples fall on the same side.

    Args:
        key: of the example; its first 8 bytes are a place between 0 and 1.
        sides: of its shard. Of several, eval has the places below `data.eval_share`, choose those of the next
            `data.choose_share`, and train the others.
        data: has the shares.
    """
    if len(sides) == 1:
        return sides[0]
    place = int.from_bytes(key[:8], "big")
    held_out = int(data.eval_share * 2**64) if EVAL in sides else 0
    if place < held_out:
        return EVAL
    return CHOOSE if place < held_out + int(data.choose_share * 2**64) else TRAIN


def file_lines(root: str, files: Iterable[str]) -> str:
    """Name, size and time of each file, for a fingerprint."""
    return "\n".join(f"{file} {_size_and_time(tf.io.gfile.join(root, file))}" for file in files)


def _size_and_time(path: str) -> str:
    if "://" in path:
        stat = tf.io.gfile.stat(path)
        return f"{stat.length} {stat.mtime_nsec}"
    # gfile cuts the times of local files to seconds.
    try:
        local = Path(path).stat()
    except OSError as error:
        raise ValueError(f"a source stays as it is while it is read; {path} is gone: {error.strerror}") from None
    return f"{local.st_size} {local.st_mtime_ns}"
