import keras
import numpy as np
import tensorflow as tf

from models.training.averages import WeightAverage


def dense(value):
    model = keras.Sequential([keras.layers.Input([1]), keras.layers.Dense(1)])
    model.set_weights([np.full((1, 1), value), np.full(1, value)])
    return model


def test_after_its_half_life_half_of_the_average_is_new():
    source = dense(0.0)
    average = WeightAverage(source, dense(5.0), half_life_images=400)
    assert average.average.get_weights()[0] == 0, "it starts from the source"
    source.set_weights([np.ones((1, 1)), np.ones(1)])
    for step in range(4):
        average.update(tf.constant(100 * (step + 1), tf.int64), 100)
    np.testing.assert_allclose(average.average.get_weights()[0], 0.5, rtol=1e-6)


def test_a_half_life_of_zero_copies():
    source = dense(0.0)
    average = WeightAverage(source, dense(0.0), half_life_images=0)
    source.set_weights([np.full((1, 1), 3.0), np.ones(1)])
    average.update(tf.constant(100, tf.int64), 100)
    assert average.average.get_weights()[0] == 3


def test_a_half_life_that_ramps_up_forgets_the_beginning():
    source = dense(0.0)
    average = WeightAverage(source, dense(0.0), half_life_images=1e9, ramp_up=0.5)
    kept = 1.0
    source.set_weights([np.ones((1, 1)), np.ones(1)])
    for step in range(20):
        average.update(tf.constant(100 * (step + 1), tf.int64), 100)
        kept *= 0.5 ** (100 / (0.5 * 100 * (step + 1)))
    np.testing.assert_allclose(average.average.get_weights()[0], 1 - kept, rtol=1e-5)
    assert kept < 0.02
    bounded = WeightAverage(source, dense(0.0), half_life_images=400, ramp_up=0.5)
    bounded.average.set_weights([np.zeros((1, 1)), np.zeros(1)])
    bounded.update(tf.constant(100_100, tf.int64), 100)
    np.testing.assert_allclose(bounded.average.get_weights()[0], 1 - 0.5**0.25, rtol=1e-6)
