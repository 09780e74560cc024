"""Where files of images lie: a folder, and what a folder and an archive have in common."""

import abc
import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import tensorflow as tf

from components.example_gen.notes import Notes, note
from components.example_gen.sources import kinds
from components.example_gen.sources.source import Fault, file_lines

RECORD_BYTES = 2**28
"""The most that a file of labels may have."""


class Listing(NamedTuple):
    """The files of a tree, by their paths below it, in the order of their names.

    Attributes:
        images: what claims to be an image, by its name or its first bytes.
        others: what does not.
        faults: what claims to be an image and cannot be opened at all.
        notes: what was passed over with no look at it.
    """

    images: list[str]
    others: list[str]
    faults: list[Fault]
    notes: Notes


class Tree(abc.ABC):
    """Files below one place. Instances travel to workers."""

    scheme: str
    """The name of the source's kind: `folder`, `zip` or `tar`."""
    whole = False
    """True where the files can be read in their own order alone, from the first to the last."""

    def __init__(self, place: str) -> None:
        self.place = place

    @property
    def source(self) -> str:
        """The source, as the user named it."""
        return f"{self.scheme}:{self.place}"

    @abc.abstractmethod
    def check(self) -> None:
        """Raises ValueError, one line, where the place is missing or is something else."""

    @abc.abstractmethod
    def listing(self) -> Listing:
        """Looks at all names, and at the first bytes of files whose names do not tell. Raises ValueError as `check`."""

    @abc.abstractmethod
    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | Fault]]:
        """The content of each file, in this order, or in the tree's own where it is `whole`."""

    @abc.abstractmethod
    def read_record(self, name: str) -> bytes:
        """The content of a file of labels. Raises ValueError where it exceeds RECORD_BYTES."""

    @abc.abstractmethod
    def fingerprint(self, listing: Listing) -> str:
        """A text that changes when the files do."""

    def path(self, name: str) -> str:
        """A file's name for people."""
        return posixpath.join(self.place, name)

    def too_long(self, name: str) -> ValueError:
        """What is raised for a file of labels that is none."""
        return ValueError(f"a file of labels has at most {RECORD_BYTES:,} bytes; {self.path(name)} has more")


class Directory(Tree):
    """A folder, on any file system that TensorFlow knows; links are followed."""

    scheme = "folder"

    def check(self) -> None:
        """Says which source an archive needs."""
        if tf.io.gfile.isdir(shown(self.place)):
            return
        if tf.io.gfile.exists(shown(self.place)):
            ending = self.place.lower()
            kind = "zip" if ending.endswith(".zip") else "tar" if ".tar" in ending or ending.endswith(".tgz") else None
            what = f"is an archive: use {kind}:{self.place}" if kind else "is a file"
            raise ValueError(f"source folder:{self.place} needs a folder of images; {self.place} {what}")
        raise ValueError(f"source folder:{self.place} needs a folder of images; there is none of this name")

    def listing(self) -> Listing:
        """Sorts what it finds."""
        found = Listing([], [], [], {})
        for name, problem in _walk_remote(self.place) if "://" in self.place else _walk(self.place, found.notes):
            claim = kinds.claims_by_name(name)
            if not is_text(name):
                if claim is not False:
                    found.faults.append(Fault(self.path(shown(name)), "has a name that is not UTF-8: rename it"))
            elif problem:
                if claim:
                    found.faults.append(Fault(self.path(name), problem))
                else:
                    note(found.notes, "passed_over", name)
            else:
                image = self._sniffed(name) if claim is None else claim
                (found.images if image else found.others).append(name)
        return found

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | Fault]]:
        """The bytes of each file; the limits wait for whoever decodes them."""
        for name in names:
            try:
                with tf.io.gfile.GFile(self.path(name), "rb") as stream:
                    yield name, stream.read()
            except tf.errors.OpError as error:
                yield name, Fault(self.path(name), f"cannot be read: {error.message}")

    def read_record(self, name: str) -> bytes:
        """Reads a record of labels; see `Tree`."""
        with tf.io.gfile.GFile(self.path(name), "rb") as stream:
            content: bytes = stream.read(RECORD_BYTES + 1)
        if len(content) > RECORD_BYTES:
            raise self.too_long(name)
        return content

    def fingerprint(self, listing: Listing) -> str:
        """Names, sizes and times of all files."""
        faults = "\n".join(map(str, listing.faults))
        return f"{file_lines(self.place, sorted(listing.images + listing.others))}\n{faults}"

    def _sniffed(self, name: str) -> bool:
        try:
            with tf.io.gfile.GFile(self.path(name), "rb") as stream:
                return kinds.looks_like_image(stream.read(kinds.HEAD_BYTES))
        except tf.errors.OpError:
            return False


def _walk(root: str, notes: Notes) -> Iterator[tuple[str, str | None]]:
    """Files below a local folder, with what is wrong with each; hidden ones are noted.

    Raises:
        ValueError: a folder cannot be read, or a link leads back to a folder above it.
    """

    def below(prefix: str, above: frozenset[tuple[int, int]]) -> Iterator[tuple[str, str | None]]:
        folder = posixpath.join(root, prefix)
        try:
            here = os.stat(folder)  # noqa: PTH116 - names that are no UTF-8 stay as they are
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise ValueError(f"every folder of images can be read; {shown(folder)} cannot: {error.strerror}") from None
        seen = (here.st_dev, here.st_ino)
        if seen in above:
            raise ValueError(
                f"a folder of images does not hold itself; {shown(folder).rstrip('/')} is a link to a folder above it: "
                "remove the link"
            )
        for entry in entries:
            name = prefix + entry.name
            if kinds.hidden(entry.name):
                note(notes, "passed_over", shown(name))
                continue
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                target = shown(os.readlink(entry.path)) if entry.is_symlink() else ""  # noqa: PTH115 - as above
                why = f"is a link to {target}, which is not there" if target else f"cannot be read: {error.strerror}"
                yield name, f"{why}: restore what it points to or remove it" if target else why
                continue
            if stat.S_ISDIR(mode):
                yield from below(f"{name}/", above | {seen})
            elif stat.S_ISREG(mode):
                yield name, None
            else:
                # a pipe would wait for its writer for ever
                note(notes, "passed_over", shown(name))

    return below("", frozenset())


def _walk_remote(root: str) -> Iterator[tuple[str, None]]:
    """Files below a folder of a bucket, which has no links."""
    for folder, _, files in tf.io.gfile.walk(root):
        prefix = folder[len(root) :].strip("/")
        for file in sorted(files):
            name = f"{prefix}/{file}" if prefix else file
            if not kinds.hidden_part(name):
                yield name, None


def is_text(name: str) -> bool:
    """False for a name with bytes that are no UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def shown(name: str) -> str:
    """A name that can be printed: bytes that are no UTF-8 as they are written in Python."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
