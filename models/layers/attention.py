"""Self-attention over a map."""

import math
from typing import Any

import keras
import tensorflow as tf

from models.layers.normalization import SpectralNormalization


@keras.saving.register_keras_serializable("ganworks")
class SelfAttention(keras.layers.Layer):
    """Each place of a map looks at all others: x + gamma * attended, where gamma begins at 0.

    [batch, height, width, channels] to the same. Keys, queries and values have an eighth of the channels; memory grows
    with the square of height * width.

    Args:
        spectral: whether the four linear maps are spectrally normalised.

    Reference: Zhang, Goodfellow, Metaxas & Odena 2019, equations 1 to 3. The map is not pooled, as in the paper; the
    authors' code pools keys and values to half the size.
    """

    def __init__(self, spectral: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.spectral = spectral

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Makes the linear maps and gamma."""
        *lead, channels = input_shape
        inner = max(channels // 8, 1)

        def linear(size: int, units: int) -> keras.layers.Layer:
            dense = keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy)
            layer = SpectralNormalization(dense) if self.spectral else dense
            layer.build((lead[0], math.prod(lead[1:]), size))
            return layer

        self.query, self.key, self.value = (linear(channels, inner) for _ in range(3))
        self.attended = linear(inner, channels)
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """See the class."""
        _, height, width, channels = x.shape
        more = {"training": training} if self.spectral else {}
        places = tf.reshape(x, [-1, height * width, channels])
        scores = tf.matmul(self.query(places, **more), self.key(places, **more), transpose_b=True)
        shares = tf.cast(tf.nn.softmax(tf.cast(scores, tf.float32)), x.dtype)
        attended = self.attended(tf.matmul(shares, self.value(places, **more)), **more)
        return x + self.gamma.value * tf.reshape(attended, tf.shape(x))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"spectral": self.spectral}
