"""Padding, sub-pixel layout and enlargement against NumPy and Pillow."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from models.layers.resizing import BicubicEnlargement, PixelShuffle, ReflectionPadding

RANDOM = np.random.default_rng(0)
LAYERS = [(ReflectionPadding(3), (14, 16, 8)), (PixelShuffle(2), (16, 20, 2)), (BicubicEnlargement(4), (32, 40, 8))]


class TestReflectionPadding:
    @pytest.mark.parametrize("size", [1, 3])
    def test_as_numpy_reflects(self, size):
        x = RANDOM.normal(size=[2, 4, 5, 3]).astype(np.float32)
        edges = (size, size)
        expected = np.pad(x, [(0, 0), edges, edges, (0, 0)], mode="reflect")
        assert_array_equal(ReflectionPadding(size)(x), expected)

    def test_a_map_without_so_many_places_beside_its_edge_is_refused(self):
        with pytest.raises(ValueError, match=r"mirrors 3 places .* received a map of shape \[2, 3, 5, 1\]"):
            ReflectionPadding(3)(np.zeros([2, 3, 5, 1], np.float32))

    def test_nothing_to_pad_is_refused(self):
        with pytest.raises(ValueError, match="at least 1; received 0"):
            ReflectionPadding(0)

    def test_it_can_be_differentiated_twice(self):
        """If this fails, no gradient penalty passes through the layer."""
        x = tf.constant(RANDOM.normal(size=[1, 4, 4, 1]), tf.float32)
        weights = RANDOM.normal(size=[1, 8, 8, 1]).astype(np.float32)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = tf.reduce_sum(weights * ReflectionPadding(2)(x) ** 3)
            slope = inner.gradient(value, x)
            penalty = tf.reduce_sum(slope**2)
        # each place collects the weights of its images in the mirror: d value / d x = 3 w x^2
        collected = np.zeros([4, 4])
        for row in range(8):
            for column in range(8):
                folded = [3 - abs(3 - abs(each - 2)) for each in (row, column)]
                collected[tuple(folded)] += weights[0, row, column, 0]
        plane = x[0, ..., 0].numpy()
        assert_allclose(slope[0, ..., 0], 3 * collected * plane**2, rtol=1e-4)
        assert_allclose(outer.gradient(penalty, x)[0, ..., 0], 36 * collected**2 * plane**3, rtol=1e-4)


class TestPixelShuffle:
    @pytest.mark.parametrize("scale", [2, 3])
    def test_a_place_becomes_a_block(self, scale):
        x = RANDOM.normal(size=[2, 3, 4, 2 * scale**2]).astype(np.float32)
        expected = np.empty([2, 3 * scale, 4 * scale, 2], np.float32)
        for row in range(3 * scale):
            for column in range(4 * scale):
                first = ((row % scale) * scale + column % scale) * 2
                expected[:, row, column] = x[:, row // scale, column // scale, first : first + 2]
        assert_array_equal(PixelShuffle(scale)(x), expected)

    def test_channels_that_make_no_blocks_are_refused(self):
        with pytest.raises(ValueError, match=r"received scale 2 for shape \[1, 2, 2, 6\]"):
            PixelShuffle(2)(np.zeros([1, 2, 2, 6], np.float32))

    @pytest.mark.parametrize("made", [PixelShuffle, BicubicEnlargement])
    def test_a_scale_that_enlarges_nothing_is_refused(self, made):
        with pytest.raises(ValueError, match="at least 2; received 1"):
            made(1)


class TestBicubicEnlargement:
    @pytest.mark.parametrize("scale", [2, 4])
    def test_as_pillow_does_it(self, scale):
        x = RANDOM.normal(size=[7, 9]).astype(np.float32)
        expected = Image.fromarray(x).resize((9 * scale, 7 * scale), Image.Resampling.BICUBIC)
        assert_allclose(BicubicEnlargement(scale)(x[None, ..., None])[0, ..., 0], expected, atol=1e-5)


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda each: type(each).__name__)
def test_one_layer_takes_every_size_and_is_read_from_json(layer, shape):
    x = keras.Input([None, None, 8])
    model = keras.Model(x, layer(x))
    assert model.output_shape == (None, None, None, shape[-1])
    assert model.compute_output_shape([5, 8, 10, 8]) == (5, *shape)
    twin = keras.models.model_from_json(model.to_json())
    assert twin.layers[-1].get_config() == layer.get_config()
    image = RANDOM.normal(size=[1, 8, 10, 8]).astype(np.float32)
    assert twin(image).shape == (1, *shape)
    assert_array_equal(twin(image), model(image))
