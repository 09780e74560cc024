"""Writing where a disk may be full or read-only."""

import contextlib
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
