"""Instance normalisation against NumPy, one image and channel after the other."""

import keras
import numpy as np
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.layers.instance_normalization import InstanceNormalization

RANDOM = np.random.default_rng(0)


def made(channels=3, policy="float32"):
    layer = InstanceNormalization(dtype=policy)
    layer.build([None, None, None, channels])
    layer.set_weights([RANDOM.normal(size=channels), RANDOM.normal(size=channels)])
    return layer


def by_hand(x, scale, shift):
    """Each image and channel by itself, in float64."""
    found = np.empty(x.shape)
    for row, image in enumerate(x.astype(np.float64)):
        for channel in range(x.shape[-1]):
            plane = image[..., channel]
            normal = (plane - plane.mean()) / np.sqrt(plane.var() + 1e-5)
            found[row, ..., channel] = normal * scale[channel] + shift[channel]
    return found


def test_values_are_those_of_each_image_and_channel_alone():
    layer = made()
    x = (RANDOM.normal(size=[4, 5, 7, 3]) * [1, 20, 0.1] + [0, 300, -4]).astype(np.float32)
    assert_allclose(layer(x), by_hand(x, *layer.get_weights()), atol=1e-3)
    # a row is what it is alone, in training as well
    assert_array_equal(layer(x, training=True)[2:3], layer(x[2:3]))


def test_statistics_are_not_rounded_to_bfloat16():
    """If this fails, a map far from 0 loses its contrast: bfloat16 cannot tell 300 from 301."""
    layer = made(policy="mixed_bfloat16")
    x = tf.cast(RANDOM.normal(size=[2, 16, 16, 3]) + 30, tf.bfloat16)
    found = layer(x)
    assert found.dtype == tf.bfloat16
    expected = by_hand(np.asarray(tf.cast(x, tf.float32)), *layer.get_weights())
    assert np.abs(np.asarray(tf.cast(found, tf.float32)) - expected).max() < 0.02 * np.abs(expected).max()


def test_a_flat_image_becomes_the_shift_with_a_finite_gradient():
    layer, x = made(), tf.ones([1, 4, 4, 3])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        total = tf.reduce_sum(y**2)
    assert_allclose(y, np.broadcast_to(layer.get_weights()[1], y.shape), atol=1e-6)
    assert np.isfinite(tape.gradient(total, x)).all()


def test_one_layer_takes_every_size_and_is_read_from_json():
    x = keras.Input([None, None, 3])
    model = keras.Model(x, InstanceNormalization(epsilon=0.1)(x))
    assert model.output_shape == (None, None, None, 3)
    twin = keras.models.model_from_json(model.to_json())
    assert twin.layers[-1].epsilon == 0.1
    for size in ([2, 9], [6, 3]):
        image = RANDOM.normal(size=[1, *size, 3]).astype(np.float32)
        assert_array_equal(twin(image), model(image))
