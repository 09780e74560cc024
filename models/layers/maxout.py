"""Maxout units."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganworks")
class Maxout(keras.layers.Layer):
    """The largest of every `pieces` neighbours along the last axis: [..., units * pieces] -> [..., units].

    Behind a dense layer it makes the maxout unit h_i = max_j (x^T W_ij + b_ij).

    Args:
        pieces: how many linear pieces a unit has, at least 2.

    Raises:
        ValueError: `pieces` is below 2, or does not divide the last axis.

    Reference: Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013, section 2.
    """

    def __init__(self, pieces: int, **kwargs: Any):
        super().__init__(**kwargs)
        if pieces < 2:
            raise ValueError(f"pieces is at least 2; received {pieces}")
        self.pieces = pieces

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Checks the last axis."""
        if input_shape[-1] % self.pieces:
            raise ValueError(f"pieces divides the last axis; received {self.pieces} for shape {list(input_shape)}")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        return tf.reduce_max(tf.reshape(x, [-1, *x.shape[1:-1], x.shape[-1] // self.pieces, self.pieces]), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"pieces": self.pieces}
