"""What spoils an example, for a generator to restore.

A degradation is a function `(x, strength, seed)` of examples in the networks' range, images [batch, height, width,
channels] or points [batch, 2], float32; it returns them spoilt, of the same shape, and leaves them alone at strength 0.
Its randomness is a function of the seed; it is drawn for the global batch (see `models.draws`).
"""

from collections.abc import Mapping

import tensorflow as tf

from models.catalog import lookup
from models.draws import Seed, draw


def noise(x: tf.Tensor, strength: float, seed: Seed) -> tf.Tensor:
    """Adds independent Gaussian noise of this standard deviation, at least 0, in the unit of `x`."""
    return x + strength * draw(seed, 0, x.shape, tf.random.stateless_normal)


def shrink(x: tf.Tensor, strength: float, seed: Seed) -> tf.Tensor:
    """Takes this share, in [0, 1], of every value's distance to 0: of an image's contrast, of a point's radius.

    `seed` is not read.
    """
    del seed
    return (1 - strength) * x


@tf.autograph.experimental.do_not_convert  # it has no control flow of tensors, and looks parts up
def degrade(x: tf.Tensor, degradations: Mapping[str, float], seed: Seed) -> tf.Tensor:
    """Degrades examples in several ways, one after the other as given.

    Args:
        x: examples, [batch, ...] float32.
        degradations: name in the catalog -> strength.
        seed: int64 [2].

    Returns:
        Like `x`.
    """
    for i, (name, strength) in enumerate(degradations.items()):
        x = lookup("degradation", name)(x, strength, tf.random.fold_in(seed, i, alg="philox"))
    return x
