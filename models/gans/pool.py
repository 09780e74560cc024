"""A pool of generated examples, so that a discriminator does not forget what the generator drew some steps ago."""

import tensorflow as tf

from models.randomness import Key, fold
from models.replicas import gathered, shared


class ImagePool:
    """Keeps `size` generated examples; half of the time a discriminator is shown one of these instead of a fresh one.

    The pool is one for all replicas: each sees the fresh examples of all, and takes its rows of what is shown.

    Args:
        size: how many are kept, >= 0; a pool of none shows the fresh ones.
        shape: of an example.

    Attributes:
        kept: [size, ...] float32.
        count: how many of these are examples yet, int64 scalar.

    Reference: Shrivastava et al. 2017, section 2.3; the rule is that of Zhu et al. 2017, section 4.
    """

    def __init__(self, size: int, shape: tuple[int, ...]):
        self.kept = shared(tf.zeros([size, *shape]))
        self.count = shared(tf.constant(0, tf.int64))

    def exchange(self, fresh: tf.Tensor, key: Key) -> tf.Tensor:
        """Takes fresh examples in and gives as many to show, [batch, ...] both; equal keys decide equally."""
        size, rows = self.kept.shape[0], fresh.shape[0]
        if not size:
            return fresh
        everyone, first = gathered(fresh)
        swaps, slots = (
            tf.random.stateless_uniform(everyone.shape[:1], fold(key, name), alg="philox") for name in ("swap", "place")
        )
        shown, kept, count = exchanged(
            self.kept.read_value(),
            self.count.read_value(),
            everyone,
            swaps < 0.5,
            tf.cast(slots * size, tf.int64),
        )
        self.kept.assign(kept)
        self.count.assign(count)
        return shown[first : first + rows]


def exchanged(
    kept: tf.Tensor, count: tf.Tensor, fresh: tf.Tensor, swap: tf.Tensor, slot: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """One exchange: fresh examples enter one after the other, while a discriminator is shown one for each.

    As long as the pool has room, an example is kept and shown. Then it is shown, or, where it swaps, takes the place
    of a kept one, which is shown instead: that may have entered in this very exchange.

    Args:
        kept: the pool, [size, ...].
        count: how many it holds, int64 scalar in [0, size].
        fresh: [batch, ...].
        swap: whether a row swaps once the pool is full, [batch] bool.
        slot: with which place, [batch] int64 in [0, size).

    Returns:
        What is shown, [batch, ...]; the pool and its count after it.
    """
    size, rows = kept.shape[0], fresh.shape[0]
    place = count + tf.range(rows, dtype=tf.int64)
    fills = place < size
    slot = tf.where(fills, place, slot)
    enters = fills | swap
    # the last row before each, or of all, that entered at the same place; -1 where the pool is as it was
    order = tf.range(rows)
    same = enters[tf.newaxis, :] & (slot[tf.newaxis, :] == slot[:, tf.newaxis])
    before = same & (order[tf.newaxis, :] < order[:, tf.newaxis])
    shown = _last(before, fresh, tf.gather(kept, slot))
    shown = tf.where(_wide(~fills & swap, fresh), shown, fresh)
    entered = enters[tf.newaxis, :] & (slot[tf.newaxis, :] == tf.range(size, dtype=tf.int64)[:, tf.newaxis])
    return shown, _last(entered, fresh, kept), tf.minimum(count + rows, size)


def _last(chosen: tf.Tensor, rows: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
    """For each line of `chosen` [n, batch], the last row that it names; where it names none, that of `otherwise`."""
    last = tf.reduce_max(tf.where(chosen, tf.range(chosen.shape[1]), -1), axis=1)
    return tf.where(_wide(last >= 0, rows), tf.gather(rows, tf.maximum(last, 0)), otherwise)


def _wide(mask: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    return tf.reshape(mask, [-1] + [1] * (len(like.shape) - 1))
