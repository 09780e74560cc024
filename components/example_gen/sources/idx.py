"""MNIST's file format: a header of big-endian integers, then unsigned bytes."""

import contextlib
import gzip
import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.example_gen.images import Picture, pictures, too_large
from components.example_gen.sources.source import EVAL, SPLITS, TRAIN, TRAINED, Fault, Head, Shard, Source, file_lines
from models.config import OneSource

PREFIXES = {TRAIN: "train", EVAL: "t10k"}
SIDES = {TRAIN: TRAINED, EVAL: (EVAL,)}
SHARD_IMAGES = 10_000
BATCH_PIXELS = 1 << 20
HEADER_BYTES = {1: 8, 3: 16}
DAMAGED_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


class Part(NamedTuple):
    """Which images of which files."""

    images: str
    labels: str | None
    start: int
    stop: int


class Idx(Source):
    """`idx:DIR`: train-images-idx3-ubyte, train-labels-idx1-ubyte and, where there are any, the same of t10k.

    Each may end in .gz. t10k is eval, and choose a share of train; without t10k all three are shares of train. Without
    labels the examples have none.
    """

    channels = 1
    numbered = True

    def __init__(self, argument: str) -> None:
        self.directory = argument

    def check(self) -> None:
        """Reads the headers. Raises ValueError for a missing or foreign file."""
        if self._file(PREFIXES[TRAIN], "images-idx3") is None:
            raise ValueError(
                f"source idx:{self.directory} needs train-images-idx3-ubyte or train-images-idx3-ubyte.gz; "
                f"found {', '.join(self._listing()[:10]) or 'nothing'}"
            )
        for images, labels in self._pairs().values():
            read_header(images, dimensions=3)
            if labels:
                read_header(labels, dimensions=1)

    def shards(self) -> Iterator[Shard]:
        """Ranges of images, as the headers count them."""
        pairs = self._pairs()
        for split, (images, labels) in pairs.items():
            count = max(read_header(file, dimensions=d)[0] for file, d in ((images, 3), (labels, 1)) if file)
            # What precedes a range must be unpacked too, so gzip has fewer and larger ones.
            step = max(SHARD_IMAGES, -(-count // 8)) if images.endswith(".gz") else SHARD_IMAGES
            for start in range(0, count, step):
                part = Part(images, labels, start, min(start + step, count))
                yield Shard(sides=SIDES[split] if len(pairs) > 1 else SPLITS, part=part)

    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Picture | Fault]:
        """Images with their labels; what the header promises and the file lacks is one fault."""
        part: Part = shard.part
        count, height, width = read_header(part.images, dimensions=3)
        if height * width > data.pixel_limit:
            yield Fault(part.images, too_large(height, width, data.pixel_limit), part.stop - part.start)
            return
        labels = read_header(part.labels, dimensions=1)[0] if part.labels else None
        done = part.start
        for pixels, classes in self._batches(part, height * width):
            yield from pictures(pixels.reshape(-1, height, width, 1), classes)
            done += len(pixels)
        if done < part.stop:
            yield Fault(part.images, self._shortage(part, count, labels), part.stop - done)

    def heads(self, shard: Shard, *, data: OneSource) -> Iterator[Head]:
        """Without encoding the images as PNG."""
        part: Part = shard.part
        _, height, width = read_header(part.images, dimensions=3)
        if height * width > data.pixel_limit:
            return
        for pixels, classes in self._batches(part, height * width):
            labels = [None] * len(pixels) if classes is None else classes.tolist()
            for image, label in zip(pixels, labels, strict=True):
                yield Head(1, hashlib.sha256(image.tobytes()).digest(), label)

    def fingerprint(self) -> str:
        """Names, sizes and times of the files."""
        files = [file for pair in self._pairs().values() for file in pair if file]
        return file_lines("", files)

    def _batches(self, part: Part, pixels: int) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64] | None]]:
        """Whole images with labels, up to the first that lacks either."""
        with contextlib.ExitStack() as stack:
            images = stack.enter_context(_positioned(part.images, HEADER_BYTES[3] + part.start * pixels))
            labels = part.labels and stack.enter_context(_positioned(part.labels, HEADER_BYTES[1] + part.start))
            step = max(1, BATCH_PIXELS // pixels)
            for start in range(part.start, part.stop, step):
                wanted = min(step, part.stop - start)
                content = _read(images, wanted * pixels)
                usable = len(content) // pixels
                classes = None
                if labels:
                    classes = np.frombuffer(_read(labels, wanted), np.uint8).astype(np.int64)
                    usable = min(usable, len(classes))
                    classes = classes[:usable]
                if usable:
                    yield np.frombuffer(content, np.uint8, usable * pixels).reshape(usable, pixels), classes
                if usable < wanted:
                    return

    def _shortage(self, part: Part, images: int, labels: int | None) -> str:
        if labels is not None and images != labels:
            return f"holds {images} images and {part.labels} {labels} labels; each image needs one label"
        return f"or its labels are truncated: the header says {images}, the files end before"

    def _pairs(self) -> dict[str, tuple[str, str | None]]:
        """Image and label file of each split that is there."""
        found = {}
        for split, prefix in PREFIXES.items():
            images = self._file(prefix, "images-idx3")
            if images:
                found[split] = images, self._file(prefix, "labels-idx1")
        return found

    def _file(self, prefix: str, kind: str) -> str | None:
        for ending in ("", ".gz"):
            path = tf.io.gfile.join(self.directory, f"{prefix}-{kind}-ubyte{ending}")
            if tf.io.gfile.exists(path):
                return path
        return None

    def _listing(self) -> list[str]:
        return sorted(tf.io.gfile.listdir(self.directory)) if tf.io.gfile.isdir(self.directory) else []


def read_header(path: str, *, dimensions: int) -> tuple[int, ...]:
    """The sizes that an IDX file declares.

    Args:
        path: the file, plain or .gz.
        dimensions: 3 for images, 1 for labels.

    Raises:
        ValueError: it is no IDX file of unsigned bytes with so many dimensions, or a size is 0.
    """
    with _positioned(path, 0) as file:
        header = _read(file, HEADER_BYTES[dimensions])
    magic = 0x0800 + dimensions
    if len(header) < HEADER_BYTES[dimensions] or struct.unpack(">I", header[:4])[0] != magic:
        raise ValueError(f"{path} is no IDX file: it must begin with 0x{magic:08x}; received 0x{header[:4].hex()}")
    sizes = struct.unpack(f">{dimensions}I", header[4:])
    if 0 in sizes:
        raise ValueError(f"{path} declares {' x '.join(map(str, sizes))}; each size must be at least 1")
    return sizes


@contextlib.contextmanager
def _positioned(path: str, offset: int) -> Iterator[io.BufferedIOBase]:
    with tf.io.gfile.GFile(path, "rb") as raw:
        if not path.endswith(".gz"):
            raw.seek(offset)
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as unpacked:
            try:
                unpacked.seek(offset)
            except DAMAGED_GZIP:
                yield io.BytesIO()
                return
            yield unpacked


def _read(file: io.BufferedIOBase, size: int) -> bytes:
    """Up to `size` bytes: fewer where the file, or what can be unpacked of it, ends."""
    content = bytearray()
    # A gzip stream's `read` drops what it has unpacked when it meets a damage; `read1` hands it out first.
    read = getattr(file, "read1", file.read)
    with contextlib.suppress(*DAMAGED_GZIP):
        while len(content) < size and (more := read(min(size - len(content), 1 << 16))):
            content += more
    return bytes(content)
