"""LeakyReLU that leaves nothing in the way of fusing it with the layer before."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganworks")
class LeakyReLU(keras.layers.LeakyReLU):
    """`keras.layers.LeakyReLU`, whose gradient reads its output instead of its input.

    Input and output have the same sign, so either tells the slope. Where nothing else reads the input, TensorFlow
    computes convolution, bias and this in one operation, which saves two passes over the map; where the gradient does,
    its optimizer gives up ("remapper failed").
    """

    def call(self, inputs: Any) -> Any:
        """See Keras."""
        slope = self.negative_slope

        @tf.custom_gradient
        def apply(x: tf.Tensor) -> Any:
            y = tf.nn.leaky_relu(x, slope)
            return y, lambda outer: tf.raw_ops.LeakyReluGrad(gradients=outer, features=y, alpha=slope)

        return apply(tf.convert_to_tensor(inputs))
