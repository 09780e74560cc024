import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.batch_normalization import BatchNormalization

SHAPES = [(6, 5, 4, 3), (8, 3), (2, 1, 1, 3)]


def twins(rank=4, policy="float32"):
    layers = [
        each(momentum=0.9, epsilon=1e-5, dtype=policy) for each in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    random = np.random.default_rng(0)
    weights = [random.normal(size=3), random.normal(size=3), random.normal(size=3), random.uniform(size=3)]
    for layer in layers:
        layer.build([*[None] * (rank - 1), 3])
        layer.set_weights(weights)
    return layers


def example(shape):
    return tf.constant(np.random.default_rng(1).normal(3, 2, size=shape), tf.float32)


def steps(layer, x):
    """Output, first and second derivatives, and the moving statistics after two calls."""
    weights = [layer.gamma.value, layer.beta.value]
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.cast(layer(x, training=True), tf.float32)
            value = tf.reduce_sum(tf.sin(y))
        slopes = inner.gradient(value, [x, *weights])
        penalty = tf.reduce_sum(slopes[0] ** 2)
    layer(x, training=True)
    return [
        y,
        *slopes,
        *outer.gradient(penalty, [x, weights[0]]),
        *(each.value for each in layer.non_trainable_variables),
    ]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_value_derivatives_and_statistics_are_those_of_keras(shape):
    ours, theirs = twins(len(shape))
    x = example(shape)
    for one, other in zip(steps(ours, x), steps(theirs, x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 * max(1, np.abs(other).max()))


def test_training_on_one_replica_is_fused():
    ours, theirs = twins(policy="mixed_bfloat16")

    def operations(layer):
        call = tf.function(lambda x: layer(x, training=True)).get_concrete_function(
            tf.TensorSpec([6, 5, 4, 3], tf.bfloat16)
        )
        return [each.type for each in call.graph.get_operations()]

    assert "FusedBatchNormV3" in operations(ours)
    assert len(operations(ours)) < len(operations(theirs))


def test_bfloat16_up_to_its_rounding():
    ours, theirs = twins(policy="mixed_bfloat16")
    x = example(SHAPES[0])
    np.testing.assert_allclose(
        tf.cast(ours(x, training=True), tf.float32), tf.cast(theirs(x, training=True), tf.float32), atol=2e-2
    )


def test_inference_and_frozen_layers_read_the_moving_statistics():
    for frozen in (False, True):
        ours, theirs = twins()
        for layer in (ours, theirs):
            layer.trainable = not frozen
        x = example(SHAPES[0])
        np.testing.assert_allclose(ours(x, training=frozen), theirs(x, training=frozen), rtol=1e-5)


def test_round_trip():
    layer = BatchNormalization(momentum=0.8)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is BatchNormalization
    assert again.get_config() == layer.get_config()
    assert again.synchronized
