"""Random numbers by name: each draw has a key of its own, the same however many replicas share a batch.

A key says what is drawn: `key(seed, step, "discriminator", 0, "augment")`. Two draws share their numbers only where
they have the same seed, step and names, so that a new draw takes no number and changes no other.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import tensorflow as tf

Key: TypeAlias = tf.Tensor | tuple[int, int]
"""int64 [2]."""

Name: TypeAlias = str | int
"""Part of what names a draw; known when a step is traced."""


def key(seed: int | tf.Tensor, step: int | tf.Tensor, *names: Name) -> tf.Tensor:
    """The key of a draw.

    Args:
        seed: of the training or the sample, a Python int or an int64 scalar.
        step: of the training, likewise; 0 for what is drawn once.
        names: what is drawn, at least one.

    Returns:
        int64 [2].

    Raises:
        ValueError: there is no name.
    """
    return fold(tf.stack([tf.cast(seed, tf.int64), tf.cast(step, tf.int64)]), *names)


def fold(within: Key, *names: Name) -> tf.Tensor:
    """The key of a part of what another key names.

    Args:
        within: int64 [2].
        names: which part, at least one.

    Returns:
        int64 [2].

    Raises:
        ValueError: there is no name.
    """
    return tf.random.fold_in(within, tf.constant(_number(names), tf.int64), alg="philox")


def draw(within: Key, name: Name, shape: Sequence[int], sample: Any = tf.random.stateless_uniform) -> tf.Tensor:
    """This replica's rows of a random tensor for the global batch.

    Args:
        within: int64 [2], the same in all replicas.
        name: which of the draws below this key.
        shape: of this replica's rows, [batch, ...], fully known.
        sample: the stateless distribution; uniform in [0, 1) by default.

    Returns:
        float32 of this shape.
    """
    context = tf.distribute.get_replica_context()
    replicas, replica = (context.num_replicas_in_sync, context.replica_id_in_sync_group) if context else (1, 0)
    rows, *rest = shape
    everyone = sample([rows * replicas, *rest], fold(within, name), alg="philox")
    return everyone[replica * rows : (replica + 1) * rows]


def _number(names: Sequence[Name]) -> int:
    """The names as an int64: BLAKE2b, which is the same in every process and version. 1 and "1" are different names."""
    if not names:
        raise ValueError("a key has at least one name; received none")
    digest = hashlib.blake2b(repr(tuple(names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
