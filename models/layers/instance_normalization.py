"""Instance normalisation, which looks at one example alone."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganworks")
class InstanceNormalization(keras.layers.Layer):
    """Subtracts the mean over all places of an image and channel, divides by the deviation, then scales and shifts.

    [batch, height, width, channels] to the same shape, of any height and width. Scale and shift are learned, one a
    channel, and begin at 1 and 0. It is the same in training and at test time, and in any batch. Statistics are those
    of float32. Since they are of the whole image, each place of the result depends on all places.

    Args:
        epsilon: added to the variance.

    Reference: Ulyanov, Vedaldi & Lempitsky 2016, equation 2.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Makes scale and shift."""
        self.scale = self.add_weight(shape=[input_shape[-1]], initializer="ones", name="scale")
        self.shift = self.add_weight(shape=[input_shape[-1]], initializer="zeros", name="shift")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        wide = tf.cast(x, tf.float32)
        mean = tf.reduce_mean(wide, axis=[1, 2], keepdims=True)
        centred = wide - mean
        variance = tf.reduce_mean(centred**2, axis=[1, 2], keepdims=True)
        scale, shift = (tf.cast(each.value, tf.float32) for each in (self.scale, self.shift))
        return tf.cast(centred * (tf.math.rsqrt(variance + self.epsilon) * scale) + shift, x.dtype)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"epsilon": self.epsilon}
