"""What spoils an example, for a generator to restore.

A degradation is a function `(x, strength, key)` of examples in the networks' range, images [batch, height, width,
channels] or points [batch, 2], float32; it returns them spoilt. Most keep the shape and leave examples alone at
strength 0. Those that the catalog names in DIVIDING divide both sides by the strength, those in BLURRING take
`strength - 1` pixels of both; they leave images alone at 1. Randomness is a function of the key; it is drawn for the
global batch (see `models.randomness`).
"""

from collections.abc import Mapping

import tensorflow as tf

from models import kernels, pixels
from models.catalog import BLURRING, KNOWN_KERNELS, lookup
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


def gaussian_blur(x: tf.Tensor, strength: float, key: Key, *, judged: bool = False) -> tf.Tensor:
    """Blurs each image by a Gaussian of its own, of random widths and orientation.

    Args:
        x: [batch, h, w, c] float32, images with what lies around them.
        strength: side of the kernels, an odd number.
        key: int64 [2].
        judged: whether the kernels are those to judge with, which training never draws; see `models.kernels`.

    Returns:
        [batch, h - strength + 1, w - strength + 1, c] float32: no place is made of what was not seen.

    Raises:
        ValueError: as `models.kernels.blurred`.
    """
    return kernels.blurred(x, kernels.gaussian(key, x.shape[0], int(strength), judged=judged))


def motion_blur(x: tf.Tensor, strength: float, key: Key, *, judged: bool = False) -> tf.Tensor:
    """Blurs each image by a random trajectory of its own; see `gaussian_blur`."""
    return kernels.blurred(x, kernels.motion(key, x.shape[0], int(strength), judged=judged))


def known_gaussian_blur(x: tf.Tensor, strength: float, key: Key, *, judged: bool = False) -> tf.Tensor:
    """Blurs all images by one Gaussian, which a model may know; see `gaussian_blur`. Nothing is random."""
    del key, judged
    return kernels.blurred(x, known_kernel("known_gaussian_blur", int(strength)))


def known_motion_blur(x: tf.Tensor, strength: float, key: Key, *, judged: bool = False) -> tf.Tensor:
    """Blurs all images by one trajectory, which a model may know; see `gaussian_blur`. Nothing is random."""
    del key, judged
    return kernels.blurred(x, known_kernel("known_motion_blur", int(strength)))


def known_kernel(name: str, side: int) -> tf.Tensor:
    """The kernel of a degradation that has one for all images, [1, side, side]; see `models.kernels.known`."""
    return kernels.known(lookup("kernel", name), side)


@tf.autograph.experimental.do_not_convert  # it looks the kind up
def kernels_of(degradations: Mapping[str, float], key: Key, count: int, *, judged: bool = False) -> tf.Tensor:
    """The kernels that `degrade` blurs with: drawn once more, by the same key.

    Args:
        degradations: as `degrade` has them, of which one blurs.
        key: as that of `degrade`, int64 [2].
        count: examples.
        judged: as that of `degrade`.

    Returns:
        [count, side, side] float32.

    Raises:
        ValueError: none of them blurs, or several do.
    """
    blurs = [name for name in degradations if name in BLURRING]
    if len(blurs) != 1:
        raise ValueError(f"an image has a kernel where one of its degradations blurs; received {len(blurs)} that do")
    name, side = blurs[0], int(degradations[blurs[0]])
    if name in KNOWN_KERNELS:
        return tf.repeat(known_kernel(name, side), count, axis=0)
    drawn: tf.Tensor = lookup("kernel", name)(fold(key, name), count, side, judged=judged)
    return drawn


@tf.autograph.experimental.do_not_convert  # it has no control flow of tensors, and looks parts up
def degrade(x: tf.Tensor, degradations: Mapping[str, float], key: Key, *, judged: bool = False) -> tf.Tensor:
    """Degrades examples in several ways, one after the other as given.

    Args:
        x: examples, [batch, ...] float32.
        degradations: name in the catalog -> strength.
        key: int64 [2].
        judged: whether a model is judged on what is made: kernels are then others than in training.

    Returns:
        Like `x`, of smaller sides where a degradation divides them, or takes pixels beside edges.
    """
    for name, strength in degradations.items():
        how = {"judged": judged} if name in BLURRING else {}
        x = lookup("degradation", name)(x, strength, fold(key, name), **how)
    return x
