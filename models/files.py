"""Writing where a disk may be full or read-only."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf


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
