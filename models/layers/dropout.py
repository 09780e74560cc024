"""Dropout that is the same on any number of replicas."""

import random
from typing import Any

import keras
import tensorflow as tf

from models.randomness import draw, key


@keras.saving.register_keras_serializable("ganworks")
class Dropout(keras.layers.Layer):
    """In training, sets a share of the values to 0 and scales the others so that the mean stays.

    The mask follows from a seed and a counter of the calls, and is drawn for the global batch of which a replica takes
    its rows. (Keras' own layer draws one mask and uses it in every replica.) The counter is a non-trainable variable:
    a resumed training goes on with the masks that it would have drawn.

    Args:
        rate: the share, in [0, 1).
        seed: of the masks; None takes one from Python's generator, as Keras does, which
            `keras.utils.set_random_seed` sets.

    Raises:
        ValueError: `rate` is out of range.

    Reference: Srivastava et al. 2014, inverted: scaled in training instead of at test time.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate is in [0, 1); received {rate}")
        self.rate = rate
        self.seed = random.randrange(2**31) if seed is None else seed  # noqa: S311 - no secret

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Makes the counter."""
        self.calls = self.add_weight(shape=(), initializer="zeros", dtype="int64", trainable=False, name="calls")

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns x where `training` is false."""
        if not training or not self.rate:
            return x
        calls = self.calls.value
        self.calls.assign(calls + 1)
        uniform = draw(key(self.seed, calls, "dropout"), "mask", [tf.shape(x)[0], *x.shape[1:]])
        return tf.where(uniform >= self.rate, x / (1 - self.rate), tf.zeros_like(x))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the seed is the one in use."""
        return super().get_config() | {"rate": self.rate, "seed": self.seed}
