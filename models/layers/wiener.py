"""The layer that undoes a known blur as well as a linear filter can."""

from typing import Any

import keras
import tensorflow as tf

from models import kernels
from models.degradations import known_kernel


@keras.saving.register_keras_serializable("ganworks")
class WienerFilter(keras.layers.Layer):
    """Applies a finite Wiener filter to each channel of images of any size, whose edges are repeated beyond them.

    [batch, height, width, channels] to the same shape. Nothing of it is learned.

    Args:
        kernel: the degradation whose kernel it undoes, one of `models.catalog.KNOWN_KERNELS`.
        side: of that kernel, odd.
        noise: its standard deviation, in the unit of the images, > 0.
        support: side of the filter, odd.

    Raises:
        ValueError: as `models.kernels.wiener`, or the kernel is not in the catalog.
    """

    def __init__(self, kernel: str, side: int, noise: float, support: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.kernel, self.side, self.noise, self.support = kernel, side, noise, support
        with tf.init_scope():  # a number, whatever graph the layer is called in
            self.filters = kernels.wiener(known_kernel(kernel, side), noise, support).numpy()

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        return kernels.blurred(repeated_edges(x, self.support // 2), tf.constant(self.filters))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """See the class."""
        return tuple(input_shape)

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
