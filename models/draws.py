"""Random numbers that follow from a seed alone, the same however many replicas share a batch."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import tensorflow as tf

Seed: TypeAlias = tf.Tensor | tuple[int, int]
"""int64 [2]."""


def draw(seed: Seed, use: int, shape: Sequence[int], sample: Any = tf.random.stateless_uniform) -> tf.Tensor:
    """This replica's rows of a random tensor for the global batch.

    Args:
        seed: int64 [2], the same in all replicas.
        use: which of the draws under this seed.
        shape: of this replica's rows, [batch, ...], fully known.
        sample: the stateless distribution; uniform in [0, 1) by default.

    Returns:
        float32 of this shape.
    """
    context = tf.distribute.get_replica_context()
    replicas, replica = (context.num_replicas_in_sync, context.replica_id_in_sync_group) if context else (1, 0)
    rows, *rest = shape
    everyone = sample([rows * replicas, *rest], tf.random.fold_in(seed, use, alg="philox"), alg="philox")
    return everyone[replica * rows : (replica + 1) * rows]
