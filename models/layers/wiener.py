"""The layer that undoes a known blur as well as a linear filter can."""

from typing import Any

import keras
import tensorflow as tf

from models import kernels
from models.degradations import known_kernel


@keras.saving.register_keras_serializable("ganworks")
class WienerFilter(keras.layers.Layer):
    """Applies a finite Wiener filter to each channel of images of any size, whose edges are repeated beyond them.

    [batch, height, width, channels], and where the kernels are given [batch, side, side] of sum 1, to the shape of the
    images. Nothing of it is learned.

    Args:
        kernel: the degradation whose kernel it undoes, one of `models.catalog.KNOWN_KERNELS`; or `given`: each image
            has a kernel beside it.
        side: of that kernel, odd.
        noise: its standard deviation, in the unit of the images, > 0.
        support: side of the filter, odd.

    Raises:
        ValueError: as `models.kernels.wiener`, or the kernel is not in the catalog.
    """

    def __init__(self, kernel: str, side: int, noise: float, support: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.kernel, self.side, self.noise, self.support = kernel, side, noise, support
        self.filters = None
        if kernel != "given":
            with tf.init_scope():  # a number, whatever graph the layer is called in
                self.filters = kernels.wiener(known_kernel(kernel, side), noise, support).numpy()

    def call(self, x: tf.Tensor, given: tf.Tensor | None = None) -> tf.Tensor:
        """See the class."""
        known = self.filters is not None
        filters = tf.constant(self.filters) if known else kernels.wiener(given, self.noise, self.support)
        return kernels.blurred(repeated_edges(x, self.support // 2), filters)

    def compute_output_shape(self, x_shape: tuple[Any, ...], given_shape: Any = None) -> tuple[Any, ...]:
        """See the class."""
        del given_shape
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"kernel": self.kernel, "side": self.side, "noise": self.noise, "support": self.support}
        return super().get_config() | own


def repeated_edges(x: tf.Tensor, size: int) -> tf.Tensor:
    """Images with so many pixels more beyond each edge, each like the nearest of the image: a a a | a b c | c c c."""
    for axis in (1, 2):
        places = tf.range(tf.shape(x)[axis] + 2 * size) - size
        x = tf.gather(x, tf.clip_by_value(places, 0, tf.shape(x)[axis] - 1), axis=axis)
    return x
