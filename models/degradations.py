"""What spoils an example, for a generator to restore.

A degradation is a function `(x, strength, key)` of examples in the networks' range, images [batch, height, width,
channels] or points [batch, 2], float32; it returns them spoilt. Most keep the shape and leave examples alone at
strength 0; those that the catalog names in DIVIDING divide both sides by the strength, and leave images alone at 1.
Randomness is a function of the key; it is drawn for the global batch (see `models.randomness`).
"""

from collections.abc import Mapping

import tensorflow as tf

from models import pixels
from models.catalog import lookup
from models.randomness import Key, draw, fold


def noise(x: tf.Tensor, strength: float, key: Key) -> tf.Tensor:
    """Adds independent Gaussian noise of this standard deviation, at least 0, in the unit of `x`."""
    return x + strength * draw(key, "noise", x.shape, tf.random.stateless_normal)


def shrink(x: tf.Tensor, strength: float, key: Key) -> tf.Tensor:
    """Takes this share, in [0, 1], of every value's distance to 0: of an image's contrast, of a point's radius.

    `key` is not read.
    """
    del key
    return (1 - strength) * x


def downscale(x: tf.Tensor, strength: float, key: Key) -> tf.Tensor:
    """Makes images so many times smaller, as papers on super-resolution do.

    Args:
        x: [batch, h, w, c] float32, of sides that are multiples of `strength`.
        strength: the factor, a whole number of at least 1.
        key: not read.

    Returns:
        [batch, h / strength, w / strength, c] float32; see `models.pixels.reduced`.

    Raises:
        ValueError: there are no such sides.
    """
    del key
    return pixels.reduced(x, int(strength))


@tf.autograph.experimental.do_not_convert  # it has no control flow of tensors, and looks parts up
def degrade(x: tf.Tensor, degradations: Mapping[str, float], key: Key) -> tf.Tensor:
    """Degrades examples in several ways, one after the other as given.

    Args:
        x: examples, [batch, ...] float32.
        degradations: name in the catalog -> strength.
        key: int64 [2].

    Returns:
        Like `x`, of smaller sides where a degradation divides them.
    """
    for name, strength in degradations.items():
        x = lookup("degradation", name)(x, strength, fold(key, name))
    return x
