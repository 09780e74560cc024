"""A folder of image files, one subfolder a class."""

import hashlib
import posixpath
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf
from absl import logging

from components.example_gen.sources import CHOOSE, EVAL, SPLITS, TRAIN, TRAINED, Fault, Raw, Shard, Source, file_lines
from models.config import OneSource

EVAL_NAMES, CHOOSE_NAMES = ("eval", "test"), ("val", "validation")
SHARD_FILES = 256


class Part(NamedTuple):
    """Files below a root, with their labels."""

    root: str
    files: tuple[str, ...]
    labels: tuple[int | None, ...]


class Folder(Source):
    """`folder:DIR`: DIR/CLASS/.../FILE, or DIR/FILE for images without labels.

    With DIR/train and one of DIR/eval, test, val or validation, these are train and eval, each laid out so, and choose
    is a share of train. With both a DIR/eval or test and a DIR/val or validation, the latter is choose. Labels number
    the classes in the order of their names. What begins with a dot is passed over.
    """

    def __init__(self, argument: str) -> None:
        self.directory = argument

    def check(self) -> None:
        """Lists the folder. Raises ValueError where it is missing, has no file, or eval has classes of its own."""
        if not tf.io.gfile.isdir(self.directory):
            raise ValueError(f"source folder:{self.directory} needs a folder of images; there is none of this name")
        known = self.classes()
        for root in self._roots().values():
            if next(self._images(root), None) is None:
                raise ValueError(f"source folder:{self.directory} needs at least one image; {root} has no file")
            strange = [name for name in _subfolders(root) if name not in known]
            if strange:
                raise ValueError(
                    f"source folder:{self.directory} needs the classes of {root} to be among those of {TRAIN}, "
                    f"{', '.join(known[:20]) or 'which has none'}; received {', '.join(strange[:20])}"
                )
            loose = [name for name in _entries(root) if known and not tf.io.gfile.isdir(posixpath.join(root, name))]
            if loose:
                logging.warning("%s: passed over %d files beside the class folders: %s", root, len(loose), loose[:5])

    def shards(self) -> Iterator[Shard]:
        """Groups of files, in an order by the hash of their names, so that classes are mixed."""
        numbers: dict[str, int] = {name: label for label, name in enumerate(self.classes())}
        for sides, root in self._roots().items():
            files = sorted(self._images(root), key=lambda file: hashlib.sha256(file.encode()).digest())
            for start in range(0, len(files), SHARD_FILES):
                group = tuple(files[start : start + SHARD_FILES])
                labels = tuple(numbers.get(file.split("/")[0]) for file in group)
                yield Shard(sides=sides, part=Part(root, group, labels))

    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Raw | Fault]:
        """The bytes of each file; the limits wait for whoever decodes them."""
        part: Part = shard.part
        for file, label in zip(part.files, part.labels, strict=True):
            path = posixpath.join(part.root, file)
            try:
                with tf.io.gfile.GFile(path, "rb") as stream:
                    yield Raw(path, stream.read(), label)
            except tf.errors.OpError as error:
                yield Fault(path, f"cannot be read: {error.message}")

    def fingerprint(self) -> str:
        """Names, sizes and times of all files."""
        return file_lines(self.directory, _walk(self.directory))

    def classes(self) -> list[str]:
        """The names of the subfolders; those of train where the folder is split."""
        return _subfolders(next(iter(self._roots().values())))

    def _roots(self) -> dict[tuple[str, ...], str]:
        """Where the classes are, by the sides of the shards; train comes first."""
        folders = _subfolders(self.directory)
        held_out = next((name for name in EVAL_NAMES + CHOOSE_NAMES if name in folders), None)
        if TRAIN not in folders or held_out is None:
            return {SPLITS: self.directory}
        choosing = next((name for name in CHOOSE_NAMES if name in folders and name != held_out), None)
        if held_out in CHOOSE_NAMES or choosing is None:
            names: dict[tuple[str, ...], str] = {TRAINED: TRAIN, (EVAL,): held_out}
        else:
            names = {(TRAIN,): TRAIN, (CHOOSE,): choosing, (EVAL,): held_out}
        return {sides: posixpath.join(self.directory, name) for sides, name in names.items()}

    def _images(self, root: str) -> Iterator[str]:
        """Files that count: those below class folders, or all where there are none."""
        classes = _subfolders(root)
        if not classes:
            yield from _walk(root)
        for name in classes:
            yield from (f"{name}/{file}" for file in _walk(posixpath.join(root, name)))


def _entries(root: str) -> list[str]:
    """Names in a folder, sorted, without those that begin with a dot."""
    names = (name.rstrip("/") for name in tf.io.gfile.listdir(root))
    return sorted(name for name in names if not name.startswith("."))


def _subfolders(root: str) -> list[str]:
    return [name for name in _entries(root) if tf.io.gfile.isdir(posixpath.join(root, name))]


def _walk(root: str) -> Iterator[str]:
    """All files below a folder, relative to it, in the order of their names."""
    for name in _entries(root):
        path = posixpath.join(root, name)
        if tf.io.gfile.isdir(path):
            yield from (f"{name}/{file}" for file in _walk(path))
        else:
            yield name
