"""What a discriminator sees of several examples together, against mode collapse."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganworks")
class MinibatchStddev(keras.layers.Layer):
    """Adds a channel that says how much the examples of a group differ: the standard deviation of each value over the
    group, its mean over all values, the same number at each place of each example of the group.

    [batch, ..., channels] to [batch, ..., channels + 1]. A group is of consecutive rows, so that replicas of whole
    groups give what one device gives. What is left of a batch that `group` does not divide is a smaller group; alone,
    an example differs by 0.

    Args:
        group: examples in a group, at least 2.

    Raises:
        ValueError: `group` is below 2.

    Reference: Karras, Aila, Laine & Lehtinen 2018, section 3, in groups as in the authors' code, whose groups are of
    rows batch / group apart.
    """

    def __init__(self, group: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.group = _at_least_two(group)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        rows = tf.shape(x)[0]
        values, present = _in_groups(tf.cast(x, tf.float32), self.group)
        count = tf.reduce_sum(present, axis=1, keepdims=True)
        mean = tf.reduce_sum(values, axis=1, keepdims=True) / count
        variance = tf.reduce_sum(present * (values - mean) ** 2, axis=1, keepdims=True) / count
        # the root's derivative is infinite at 0
        deviation = tf.reduce_mean(tf.sqrt(variance + 1e-8), axis=list(range(2, len(values.shape))), keepdims=True)
        one_a_row = tf.reshape(tf.repeat(deviation, self.group, axis=1), [-1, *[1] * (len(x.shape) - 1)])[:rows]
        channel = tf.zeros_like(x[..., :1]) + tf.cast(one_a_row, x.dtype)
        return tf.concat([x, channel], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"group": self.group}


@keras.saving.register_keras_serializable("ganworks")
class MinibatchDiscrimination(keras.layers.Layer):
    """Adds features that say how near the other examples of a group are.

    [batch, features] to [batch, features + kernels]: for M = x T, a matrix of [kernels, size] an example, the sum over
    the others of exp(-|M_i - M_j|_1). Groups are those of `MinibatchStddev`.

    Args:
        group: examples in a group, at least 2.
        kernels: features that are added.
        size: of the space in which a kernel measures its distance.

    Raises:
        ValueError: `group` is below 2.

    Reference: Salimans et al. 2016, section 3.2. Over groups instead of the whole batch, and without the example
    itself, which would add 1, as in the authors' code; their normalised kernels become an initial norm of about 1.
    """

    def __init__(self, group: int, kernels: int = 100, size: int = 5, **kwargs: Any):
        super().__init__(**kwargs)
        self.group, self.kernels, self.size = _at_least_two(group), kernels, size

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Makes T."""
        self.projection = self.add_weight(
            shape=[input_shape[-1], self.kernels * self.size],
            initializer=keras.initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal"),
            name="projection",
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        projected = tf.cast(tf.matmul(x, self.projection.value), tf.float32)
        values, present = _in_groups(tf.reshape(projected, [-1, self.kernels, self.size]), self.group)
        distance = tf.reduce_sum(tf.abs(values[:, :, tf.newaxis] - values[:, tf.newaxis]), axis=-1)
        other = present[:, tf.newaxis, :, :, 0] * (1 - tf.eye(self.group)[:, :, tf.newaxis])
        near = tf.reduce_sum(other * tf.exp(-distance), axis=2)
        return tf.concat([x, tf.cast(tf.reshape(near, [-1, self.kernels])[: tf.shape(x)[0]], x.dtype)], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"group": self.group, "kernels": self.kernels, "size": self.size}


def _in_groups(x: tf.Tensor, group: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Consecutive rows as [groups, group, ...], filled up with zeros; and what is filled with: 1 for a row, else 0."""
    rows = tf.shape(x)[0]
    missing = -rows % group
    filled = tf.pad(x, [[0, missing], *[[0, 0]] * (len(x.shape) - 1)])
    present = tf.cast(tf.range(rows + missing) < rows, x.dtype)
    values = tf.reshape(filled, [-1, group, *x.shape[1:]])
    return values, tf.reshape(present, [-1, group, *[1] * (len(x.shape) - 1)])


def _at_least_two(group: int) -> int:
    if group < 2:
        raise ValueError(f"group is at least 2; received {group}")
    return group
