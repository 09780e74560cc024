import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.catalog import PENALTIES, lookup
from models.penalties import r1


def linear(image: tf.Tensor) -> tf.Tensor:
    """A critic whose gradient is 2 in each of the 4 x 4 pixels."""
    return tf.reduce_sum(2 * image, axis=[1, 2, 3])


def test_r1_of_a_linear_critic():
    # by hand: |grad|^2 = 16 pixels * 2^2 = 64, halved
    assert_allclose(r1(linear, tf.zeros([3, 4, 4, 1]), tf.zeros([3, 4, 4, 1])), [32.0] * 3)


def test_r1_reads_real_images_alone():
    def quadratic(image):
        return tf.reduce_sum(image**2, axis=[1, 2, 3]) / 2

    # the gradient of |x|^2 / 2 is x itself
    real = tf.random.stateless_normal([3, 4, 4, 2], [0, 1])
    expected = np.sum(real.numpy() ** 2, axis=(1, 2, 3)) / 2
    assert_allclose(r1(quadratic, real, real * 100), expected, rtol=1e-6)


@pytest.mark.parametrize("name", PENALTIES)
def test_every_penalty_can_be_trained_through(name):
    weight = tf.Variable(1.5)
    with tf.GradientTape() as tape:
        value = lookup("penalty", name)(
            lambda image: tf.reduce_sum(tf.tanh(weight * image), axis=[1, 2, 3]),
            tf.random.stateless_normal([3, 4, 4, 1], [0, 1]),
            tf.random.stateless_normal([3, 4, 4, 1], [0, 2]),
        )
        loss = tf.reduce_mean(value)
    assert value.shape == (3,)
    assert (value.numpy() >= 0).all()
    assert abs(float(tape.gradient(loss, weight))) > 0
