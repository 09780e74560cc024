"""The arithmetic of a batch that several replicas share: each has its rows, and gradients are summed over all.

Outside of a strategy there is one replica, and every function is what it is on one.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def shared(value: Any) -> tf.Variable:
    """A variable, float32 for a Python float, that every replica assigns the same value to."""
    return tf.Variable(value, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)


def count() -> int:
    """Replicas that share a batch."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def share_of_mean(per_example: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean over the global batch, a float32 scalar: shares add up to the mean."""
    # Keras sums gradients over replicas in `apply`; the mean needs the share of this one.
    return tf.reduce_mean(tf.cast(per_example, tf.float32)) / count()


def global_mean(x: tf.Tensor) -> tf.Tensor:
    """The mean of all elements over all replicas, a scalar of `x`'s dtype; differentiable.

    Replicas hold shares of one size.
    """
    wide = tf.cast(x, tf.float32) if x.dtype.size < 4 else x  # bfloat16 has 8 bits, too few for a sum
    mean = tf.reduce_mean(wide)
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, mean)
    return tf.cast(mean, x.dtype)


def summed(shares: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """The sums over replicas of what each has a share of; differentiable."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return shares
    return context.all_reduce(tf.distribute.ReduceOp.SUM, list(shares))


def clipped(shares: Sequence[tf.Tensor], whole: Sequence[tf.Tensor], bound: float) -> list[tf.Tensor]:
    """Shares of gradients that together have at most this norm: Keras would clip each replica's share by itself.

    Args:
        shares: to scale.
        whole: their sum over replicas.
        bound: of its norm, > 0.
    """
    # below the root, so that it can be differentiated where all gradients are 0
    squares = tf.add_n([tf.reduce_sum(gradient**2) for gradient in whole])
    scale = bound * tf.math.rsqrt(tf.maximum(squares, bound**2))
    return [share * scale for share in shares]


def gathered(rows: tf.Tensor) -> tuple[tf.Tensor, int | tf.Tensor]:
    """The rows of all replicas, [replicas * batch, ...], and where this replica's begin."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return rows, 0
    replicas, replica = context.num_replicas_in_sync, context.replica_id_in_sync_group
    # a sum, as gradients are: after all_gather, the next training in the same process mixes its messages up
    place = tf.reshape(tf.one_hot(replica, replicas, dtype=rows.dtype), [replicas] + [1] * len(rows.shape))
    everyone = context.all_reduce(tf.distribute.ReduceOp.SUM, place * rows[tf.newaxis])
    return tf.reshape(everyone, [-1, *rows.shape[1:]]), replica * rows.shape[0]
