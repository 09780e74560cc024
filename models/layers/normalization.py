"""Spectral normalisation of weights, and batch normalisation by label."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganworks")
class SpectralNormalization(keras.layers.Wrapper):
    """A dense, convolutional or embedding layer whose matrix is divided by its largest singular value.

    The singular value is estimated by one power iteration a call, from the vector `u` where the last call in training
    left it. The gradient passes through the division, u and v held fixed, and the wrapped layer's own weights stay as
    they are. (Keras' own wrapper overwrites them at each call, and its gradient leaves the division out.)

    Args:
        layer: has a `kernel` [..., units], which is taken as the matrix [-1, units], or `embeddings` [n, units].

    Raises:
        ValueError: the layer has neither.

    Reference: Miyato, Kataoka, Koyama & Yoshida 2018, equation 8 and algorithm 1.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any):
        # The norm is one of float32 weights; the wrapped layer casts what it computes with by its own policy.
        super().__init__(layer, **kwargs | {"dtype": "float32", "autocast": False})

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Builds the wrapped layer and makes u."""
        super().build(input_shape)
        self.u = self.add_weight(
            shape=[self._matrix().shape[-1]], initializer="random_normal", trainable=False, name="u"
        )

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """What the wrapped layer gives with the divided matrix."""
        variable = self._matrix()
        matrix = tf.reshape(variable.value, [-1, variable.shape[-1]])
        fixed = tf.stop_gradient(matrix)
        v = tf.math.l2_normalize(tf.linalg.matvec(fixed, self.u.value))
        u = tf.math.l2_normalize(tf.linalg.matvec(fixed, v, transpose_a=True))
        if training:
            self.u.assign(u)
        norm = tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)
        divided = variable.value / tf.maximum(norm, 1e-12)
        values = [(each, divided if each is variable else each.value) for each in self.layer.variables]
        with keras.StatelessScope(values):
            return self.layer(inputs)

    def compute_output_spec(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """The output of the wrapped layer, as a spec."""
        return self.layer.compute_output_spec(inputs)

    def _matrix(self) -> keras.Variable:
        for name in ("kernel", "embeddings"):
            if hasattr(self.layer, name):
                return getattr(self.layer, name)
        raise ValueError(f"a layer with a kernel or embeddings can be normalised; received {type(self.layer).__name__}")


@keras.saving.register_keras_serializable("ganworks")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Batch normalisation whose scale and shift are learned for each label; they begin at 1 and 0.

    `[x, label]`, [batch, ..., channels] and [batch] int, to [batch, ..., channels]. The statistics are those of the
    global batch, whatever its labels.

    Args:
        labels: how many classes.
        momentum: share of the moving statistics that a batch leaves as it is.
        epsilon: added to the variance.

    Reference: Dumoulin, Shlens & Kudlur 2017, equation 5; de Vries et al. 2017.
    """

    def __init__(self, labels: int, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any):
        super().__init__(**kwargs)
        self.labels, self.momentum, self.epsilon = labels, momentum, epsilon

    def build(self, input_shapes: list[tuple[Any, ...]]) -> None:
        """Makes the statistics, scales and shifts."""
        x, label = input_shapes
        self.normal = keras.layers.BatchNormalization(
            momentum=self.momentum,
            epsilon=self.epsilon,
            center=False,
            scale=False,
            synchronized=True,
            dtype="float32",
        )
        self.normal.build(x)
        self.scale, self.shift = (
            keras.layers.Embedding(self.labels, x[-1], initializer, dtype="float32")
            for initializer in ("ones", "zeros")
        )
        self.scale.build(label)
        self.shift.build(label)

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the class."""
        x, label = inputs
        one_a_row = [-1, *[1] * (len(x.shape) - 2), x.shape[-1]]
        scale, shift = (tf.reshape(each(label), one_a_row) for each in (self.scale, self.shift))
        return tf.cast(self.normal(x, training=training) * scale + shift, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"labels": self.labels, "momentum": self.momentum, "epsilon": self.epsilon}
