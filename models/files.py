"""Writing where a disk may be full or read-only."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

CHUNK_BYTES = 2**22
"""Read of a file at a time."""


class CannotWrite(ValueError):
    """A file system refused a write; the message names the place and the reason."""


@contextlib.contextmanager
def writing(place: str | Path) -> Iterator[None]:
    """Turns what Python and TensorFlow raise when a write is refused into one clear line.

    Args:
        place: what is written, for the message.

    Raises:
        CannotWrite: the file system refused.
    """
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"{place} cannot be written: {error.strerror or error}") from error
    except tf.errors.OpError as error:
        # without the names of the nodes and the operation that wrote
        reason = re.sub(r"\{\{.*?\}\} | \[Op:.*", "", error.message.partition("\n")[0])
        raise CannotWrite(f"{place} cannot be written: {reason}") from error


def copy_tree(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Copies what is in a folder into another, over what is there, on any file system that TensorFlow knows."""
    for folder, _, names in tf.io.gfile.walk(os.fspath(source).rstrip("/")):
        folder = folder.rstrip("/")  # a bucket's folders are listed with a slash
        place = os.fspath(target) + folder[len(os.fspath(source).rstrip("/")) :]
        tf.io.gfile.makedirs(place)
        for name in names:
            tf.io.gfile.copy(f"{folder}/{name}", f"{place}/{name}", overwrite=True)


def tree_digest(folder: str) -> str:
    """Digests what is in a folder: names below it and contents, on any file system that TensorFlow knows.

    Returns:
        32 hexadecimal digits; of a folder that is not there, those of an empty one.
    """
    digest, start = hashlib.blake2b(digest_size=16), folder.rstrip("/")
    files = sorted(tf.io.gfile.join(place, name) for place, _, names in tf.io.gfile.walk(start) for name in names)
    for path in files:
        content = hashlib.blake2b(digest_size=16)
        with tf.io.gfile.GFile(path, "rb") as file:
            while part := file.read(CHUNK_BYTES):
                content.update(part)
        digest.update(f"{path.removeprefix(start).strip('/')}\0{content.hexdigest()}\0".encode())
    return digest.hexdigest()
