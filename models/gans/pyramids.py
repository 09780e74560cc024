"""Laplacian pyramids of images: a coarsest image, and what each finer size adds to the coarser one, enlarged.

`down` halves, `up` doubles; the residual of a size is h = I - up(down(I)), so that the image is h + up(down(I)) again,
whatever `up` leaves out.

Reference: Burt & Adelson 1983; Denton et al. 2015, section 2.2.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf


def down(x: tf.Tensor) -> tf.Tensor:
    """Means of 2x2 pixels: [batch, h, w, c] -> [batch, h / 2, w / 2, c]; both sides are even."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def up(x: tf.Tensor) -> tf.Tensor:
    """Bilinear enlargement: [batch, h, w, c] -> [batch, 2 h, 2 w, c]; of a tensor, or of a layer's output."""
    return keras.ops.image.resize(x, [2 * x.shape[1], 2 * x.shape[2]], interpolation="bilinear")


def images(x: tf.Tensor, levels: int) -> list[tf.Tensor]:
    """The image at each size, the coarsest first, itself last: of [batch, h, w, c], sides multiples of 2^(levels-1)."""
    found = [x]
    for _ in range(levels - 1):
        found.append(down(found[-1]))
    return found[::-1]


def split(x: tf.Tensor, levels: int) -> list[tf.Tensor]:
    """The pyramid of an image: the coarsest image, then the residual of each finer size; see `images`."""
    coarsest, *finer = sizes = images(x, levels)
    return [coarsest, *(image - up(coarser) for coarser, image in zip(sizes, finer, strict=False))]


def join(pyramid: Sequence[tf.Tensor]) -> tf.Tensor:
    """The image of a pyramid, as `split` gives it."""
    whole, *residuals = pyramid
    for residual in residuals:
        whole = up(whole) + residual
    return whole
