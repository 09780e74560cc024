"""Batch normalisation over all replicas, in one operation where there is one."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganworks")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization(synchronized=True)`, fused in training on a single replica.

    Keras composes a synchronised normalisation of a dozen operations in float32, each of which passes over the whole
    map; the fused one takes bfloat16 and passes twice. Over several replicas, and in inference, it is Keras' own.

    Args:
        momentum: share of the moving statistics that a batch leaves as it is.
        epsilon: added to the variance.
        options: of `keras.layers.BatchNormalization`.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **options: Any):
        super().__init__(momentum=momentum, epsilon=epsilon, **options | {"synchronized": True})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """See Keras."""
        last = self.axis in (-1, len(inputs.shape) - 1) and len(inputs.shape) in (2, 4)
        alone = tf.distribute.get_strategy().num_replicas_in_sync == 1
        if not (training and self.trainable and last and alone and self.scale and self.center and mask is None):
            return super().call(inputs, training=training, mask=mask)
        x = tf.convert_to_tensor(inputs)
        normal, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x if len(x.shape) == 4 else x[:, tf.newaxis, tf.newaxis],
            scale=tf.convert_to_tensor(self.gamma.value),
            offset=tf.convert_to_tensor(self.beta.value),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
        )
        # the operation gives the unbiased variance, Keras averages the biased one
        places = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance * (places - 1) / places)):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return tf.reshape(normal, tf.shape(x)) if len(x.shape) == 2 else normal
