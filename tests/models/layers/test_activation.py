import keras
import numpy as np
import tensorflow as tf

from models.layers.activation import LeakyReLU

X = tf.constant([[-3.0, -0.5, 0.0, 0.25, 4.0]])


def derivatives(layer):
    """Value, slope, and the derivative of a penalty on the slope."""
    with tf.GradientTape() as outer:
        outer.watch(X)
        with tf.GradientTape() as inner:
            inner.watch(X)
            value = layer(X)
            loss = tf.reduce_sum(value**3)
        slope = inner.gradient(loss, X)
        penalty = tf.reduce_sum(slope**2)
    return value, slope, outer.gradient(penalty, X)


def test_value_and_derivatives_are_those_of_keras():
    for ours, theirs in zip(derivatives(LeakyReLU(0.2)), derivatives(keras.layers.LeakyReLU(0.2)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_the_gradient_reads_the_output_alone():
    @tf.function
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            shifted = x + 1
            loss = tf.reduce_sum(LeakyReLU(0.2)(shifted))
        return tape.gradient(loss, x)

    graph = slope.get_concrete_function(tf.TensorSpec([2, 3])).graph
    gradient = next(each for each in graph.get_operations() if each.type == "LeakyReluGrad")
    source = gradient.inputs[1].op
    while source.type == "IdentityN":
        source = source.inputs[gradient.inputs[1].value_index].op
    assert source.type == "LeakyRelu"


def test_round_trip():
    layer = LeakyReLU(0.2)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is LeakyReLU
    assert again.negative_slope == 0.2
