"""Images in ZIP and TAR files, read in place: nothing is unpacked.

An archive comes from anyone. Paths that climb out of it, links, passwords and bombs end in one line before an image is
read.
"""

import bz2
import functools
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

import tensorflow as tf

from components.example_gen.notes import note
from components.example_gen.sources import kinds
from components.example_gen.sources.source import Fault, file_lines
from components.example_gen.sources.trees import RECORD_BYTES, Listing, Tree, is_text, shown

FILE_BYTES = 2**29
"""The most that one file in an archive may hold: an image within the default pixel limit has less."""
FREE_BYTES = 2**30
"""What an archive may hold, however small it is."""
RATIO = 200
"""How many times its own size an archive may hold beyond FREE_BYTES; images hardly shrink, bombs a thousandfold."""
COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
"""First two bytes -> what opens a compressed TAR."""


def _file(place: str) -> Any:
    """An opened file; TensorFlow's are slower on this machine's own disks."""
    return tf.io.gfile.GFile(place, "rb") if "://" in place else open(place, "rb")  # noqa: PTH123


class Archive(Tree):
    """What ZIP and TAR files share."""

    kind: str

    def check(self) -> None:
        """Raises ValueError where there is no file."""
        if not tf.io.gfile.exists(self.place) or tf.io.gfile.isdir(self.place):
            what = "a folder" if tf.io.gfile.isdir(self.place) else "no file"
            raise ValueError(f"source {self.source} needs a {self.kind} file of images; {self.place} is {what}")

    def fingerprint(self, listing: Listing) -> str:
        """Name, size and time of the archive."""
        return file_lines("", [self.place])

    def path(self, name: str) -> str:
        """The archive, then the name in it."""
        return f"{self.place}/{name}"

    def listing(self) -> Listing:
        """Sorts what it holds, and refuses what is no archive of images."""
        found = Listing([], [], [], {})
        names: set[str] = set()
        total = 0
        for raw, size, head in self._entries():
            name = raw.removeprefix("./")
            if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":":
                raise self._refused(f"paths below it; it has {name!r}, which leads out of it")
            if name in names:
                raise self._refused(f"each name once; it has {name!r} twice")
            names.add(name)
            total += size
            self._bound(name, size, total)
            if junk := kinds.hidden_part(name):
                if junk not in names:
                    names.add(junk)
                    note(found.notes, "passed_over", junk)
                continue
            claim = kinds.claims_by_name(name)
            if not is_text(name):
                found.faults.append(Fault(shown(self.path(name)), "has a name that is not UTF-8: rename it"))
            elif claim if claim is not None else kinds.looks_like_image(head()):
                found.images.append(name)
            else:
                found.others.append(name)
        return found._replace(images=sorted(found.images), others=sorted(found.others))

    def _entries(self) -> Iterator[tuple[str, int, Any]]:
        """Name, size, and what reads the head, of each file. Raises ValueError for links, passwords, damage."""
        raise NotImplementedError

    def _bound(self, name: str, size: int, total: int) -> None:
        """Raises ValueError for a bomb."""
        if size > FILE_BYTES:
            raise self._refused(f"files of at most {FILE_BYTES:,} bytes; {name} has {size:,}")
        if total > self._limit():
            raise self._refused(
                f"at most {RATIO} times its own size beyond {FREE_BYTES:,} bytes; it unpacks to {total:,} or more, as "
                "a decompression bomb does"
            )

    def _limit(self) -> int:
        return FREE_BYTES + RATIO * int(tf.io.gfile.stat(self.place).length)

    def _refused(self, rule: str) -> ValueError:
        return ValueError(f"source {self.source} is an archive that holds {rule}: pack it anew from the images alone")


class Zip(Archive):
    """A ZIP file; each file in it is found by the directory at its end."""

    scheme, kind = "zip", "ZIP"

    def check(self) -> None:
        """Raises ValueError where it is missing or no ZIP file."""
        super().check()
        _opened_zip(self.place, self.fingerprint(Listing([], [], [], {})))

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | Fault]]:
        """Each file is checked against its sum."""
        archive = self._open()
        for name in names:
            try:
                yield name, archive.read(self._name(name))
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
                yield name, Fault(self.path(name), f"cannot be read: {error}")
            except Exception as error:  # noqa: BLE001 - zlib, lzma and bz2 have errors of their own
                yield name, Fault(self.path(name), f"does not unpack: {error}")

    def read_record(self, name: str) -> bytes:
        """Reads a record of labels; see `Tree`."""
        with self._open().open(self._name(name)) as stream:
            content = stream.read(RECORD_BYTES + 1)
        if len(content) > RECORD_BYTES:
            raise self.too_long(name)
        return content

    def _open(self) -> zipfile.ZipFile:
        return _opened_zip(self.place, self.fingerprint(Listing([], [], [], {})))

    def _name(self, name: str) -> str:
        return name if name in self._open().NameToInfo else f"./{name}"

    def _entries(self) -> Iterator[tuple[str, int, Any]]:
        archive = self._open()
        for info in archive.infolist():
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise self._refused(f"no passwords; {info.filename} needs one")
            if stat.S_ISLNK(info.external_attr >> 16):
                raise self._refused(f"files; {info.filename} is a link")
            yield info.filename, info.file_size, functools.partial(_zip_head, archive, info)


def _zip_head(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as stream:
            return stream.read(kinds.HEAD_BYTES)
    except Exception:  # noqa: BLE001 - decoders raise what they like; what claims nothing is passed over
        return b""


@functools.lru_cache(maxsize=2)
def _opened_zip(place: str, fingerprint: str) -> zipfile.ZipFile:
    """A ZIP file whose directory was read once a process, as it is long for many files."""
    try:
        return zipfile.ZipFile(_file(place))
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, tf.errors.OpError, OSError) as error:
        hint = f": it is a TAR file, use tar:{place}" if _is_tar(place) else ""
        raise ValueError(
            f"source zip:{place} needs a ZIP file; {place} is none or is cut off{hint or f' ({error})'}"
        ) from None


def _is_tar(place: str) -> bool:
    try:
        return "://" not in place and tarfile.is_tarfile(place)
    except (OSError, EOFError, ValueError, lzma.LZMAError):
        return False


class Tar(Archive):
    """A TAR file, plain or compressed by gzip, bzip2 or xz; read from its first file to its last."""

    scheme, kind, whole = "tar", "TAR", True

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | Fault]]:
        """Gives the files of these names, in the archive's order; what a damaged archive has lost is a fault."""
        wanted = set(names)
        try:
            for info, archive in self._members():
                name = info.name.removeprefix("./")
                if name in wanted:
                    stream = archive.extractfile(info)
                    content = stream.read() if stream else b""
                    wanted.remove(name)
                    yield name, content
        except ValueError as error:
            for name in sorted(wanted):
                yield name, Fault(self.path(name), f"cannot be read: {error}")

    def read_record(self, name: str) -> bytes:
        """Reads a record of labels; see `Tree`."""
        for info, archive in self._members():
            if info.name.removeprefix("./") == name:
                if info.size > RECORD_BYTES:
                    raise self.too_long(name)
                stream = archive.extractfile(info)
                return stream.read() if stream else b""
        return b""

    def _entries(self) -> Iterator[tuple[str, int, Any]]:
        for info, archive in self._members():
            if info.isdir():
                continue
            if not info.isfile():
                what = "a link" if info.issym() or info.islnk() else "a device"
                raise self._refused(f"files; {info.name} is {what}")
            yield info.name, info.size, functools.partial(_tar_head, archive, info)

    def _members(self) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
        """Each member as the archive comes to it. Raises ValueError where it is damaged."""
        with _file(self.place) as file:
            opener: Any = COMPRESSED.get(file.read(2))
            file.seek(0)
            stream = opener(file) if opener else file
            try:
                with tarfile.open(fileobj=_Bounded(stream, self), mode="r|") as archive:  # type: ignore[call-overload]
                    for info in archive:
                        yield info, archive
                        # it keeps them all otherwise
                        archive.members = []
            except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, tf.errors.OpError) as error:
                hint = f": it is a ZIP file, use zip:{self.place}" if _is_zip(self.place) else ""
                raise ValueError(
                    f"source {self.source} needs a TAR file; {self.place} is none or is cut off{hint or f' ({error})'}"
                ) from None
            except Exception as error:
                if type(error).__module__ != "zlib":
                    raise
                raise ValueError(f"source {self.source} needs a TAR file; it does not unpack ({error})") from None


def _tar_head(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(info)
    return stream.read(kinds.HEAD_BYTES) if stream else b""


def _is_zip(place: str) -> bool:
    return "://" not in place and zipfile.is_zipfile(place)


class _Bounded:
    """What an archive unpacks to, up to a limit: headers count, which may be bombs themselves."""

    def __init__(self, stream: IO[bytes], archive: Archive) -> None:
        self._stream, self._archive = stream, archive
        self._read, self._limit = 0, archive._limit() + FILE_BYTES

    def read(self, size: int) -> bytes:
        """Reads at most so many bytes, and refuses to read past the bound."""
        content = self._stream.read(size)
        self._read += len(content)
        if self._read > self._limit or size > FILE_BYTES:
            self._archive._bound("a header", size, self._read)
        return content
