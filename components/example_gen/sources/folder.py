"""Folders and archives of image files, as users have them: a folder a class, or a file of labels."""

import hashlib
import posixpath
from collections.abc import Iterator
from typing import Any, NamedTuple

from components.example_gen.notes import Notes
from components.example_gen.sources.archives import Tar, Zip
from components.example_gen.sources.layout import Layout, lay_out
from components.example_gen.sources.source import Fault, Raw, Shard, Source
from components.example_gen.sources.trees import Directory, Listing, Tree
from models.config import OneSource

SHARD_FILES = 256


class Part(NamedTuple):
    """Files of a tree, with their labels; and what the tree has instead of files."""

    files: tuple[str, ...]
    labels: tuple[int | None, ...]
    faults: tuple[Fault, ...] = ()


class Files(Source):
    """Image files below one place: DIR/CLASS/.../FILE, or DIR/FILE for images without labels.

    With a folder train (or training) and one of eval, test, testing, val, valid or validation, in any case, these are
    train and eval, each laid out so, and choose is a share of train. With one of the first three and one of the last
    three, the latter is choose. Labels number the classes in the order of their names. A `dataset.json`,
    `metadata.jsonl` or `metadata.csv` gives labels in the place of folders. What is no image is passed over and
    counted.
    """

    tree: type[Tree]
    files = True

    def __init__(self, argument: str) -> None:
        self._tree = self.tree(argument)
        self._seen: tuple[Listing, Layout] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What travels to workers has no list of all files."""
        return self.__dict__ | {"_seen": None}

    def check(self) -> None:
        """Lists all files. Raises ValueError as `lay_out` and the tree do."""
        self._look()

    def shards(self) -> Iterator[Shard]:
        """Groups of files, in an order by the hash of their names, so that classes are mixed."""
        listing, layout = self._look()
        faults = tuple(listing.faults)
        for sides, names, labels in layout.groups:
            numbers = dict(zip(names, labels, strict=True))
            files = sorted(names, key=lambda file: hashlib.sha256(file.encode()).digest())
            size = max(1, len(files)) if self._tree.whole else SHARD_FILES
            for start in range(0, max(1, len(files)) if faults else len(files), size):
                group = tuple(files[start : start + size])
                yield Shard(sides, Part(group, tuple(numbers[file] for file in group), faults))
                faults = ()

    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Raw | Fault]:
        """The bytes of each file; the limits wait for whoever decodes them."""
        part: Part = shard.part
        yield from part.faults
        labels = dict(zip(part.files, part.labels, strict=True))
        for name, content in self._tree.read(part.files):
            if isinstance(content, Fault):
                yield content
            else:
                yield Raw(self._tree.path(name), content, labels[name], posixpath.dirname(name))

    def fingerprint(self) -> str:
        """Names, sizes and times of all files, or of the archive."""
        return self._tree.fingerprint(self._look()[0])

    def classes(self) -> list[str]:
        """The names of the folders, or of the labels in a file."""
        return self._look()[1].classes

    def notes(self) -> Notes:
        """What was passed over before any image was read."""
        return self._look()[1].notes

    def check_labels(self) -> None:
        """Raises ValueError for images that lie beside folders of classes, or that a file of labels leaves out."""
        unlabelled = self._look()[1].unlabelled
        if unlabelled:
            more = f" and {len(unlabelled) - 3:,} more" if len(unlabelled) > 3 else ""
            raise ValueError(
                f"each image of {self._tree.source} needs a label; {len(unlabelled):,} have none, as they lie in no "
                f"folder of a class and no file names their label: {', '.join(unlabelled[:3])}{more}: move them into "
                "folders of classes or take them out, or set data.classes=0 to do without classes"
            )

    def _look(self) -> tuple[Listing, Layout]:
        """The files and what they mean, found once in each process."""
        if self._seen is None:
            self._tree.check()
            listing = self._tree.listing()
            self._seen = listing, lay_out(self._tree, listing)
        return self._seen


class Folder(Files):
    """`folder:DIR`, on any file system that TensorFlow knows."""

    tree = Directory


class ZipFile(Files):
    """`zip:FILE`, read in place."""

    tree = Zip


class TarFile(Files):
    """`tar:FILE`, plain or compressed, read in place by one worker from its first file to its last."""

    tree = Tar
