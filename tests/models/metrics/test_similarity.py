"""Structural similarity at one scale and at several, against scikit-image and TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import structural_similarity as by_skimage

from models.metrics import similarity
from models.metrics.estimate import NoEstimateError, TooFewSamplesError
from models.metrics.ms_ssim import ms_ssim
from models.metrics.similarity import SCALE_WEIGHTS, multiscale_similarity, scales_that_fit, structural_similarity


def pictures(seed: int, count: int, height: int, width: int, channels: int = 1) -> np.ndarray:
    """Smooth random pictures: noise of which neighbours are averaged."""
    noise = np.random.default_rng(seed).standard_normal((count, height, width, channels))
    for axis in (1, 2):
        noise = sum(np.roll(noise, shift, axis) for shift in range(4)) / 2
    return np.clip(128 + 60 * noise, 0, 255).astype(np.uint8)


class TestStructuralSimilarity:
    @pytest.mark.parametrize("shape", [(28, 28, 1), (16, 23, 3), (11, 11, 1)])
    def test_equals_scikit_image(self, shape):
        first, second = pictures(0, 4, *shape), pictures(1, 4, *shape)
        second = (0.7 * first + 0.3 * second).astype(np.uint8)
        options = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 255, "channel_axis": -1}
        expected = [by_skimage(*pair, **options) for pair in zip(first, second, strict=True)]
        np.testing.assert_allclose(structural_similarity(first, second), expected, rtol=1e-10)

    def test_blocks_change_nothing(self, monkeypatch):
        first, second = pictures(0, 5, 16, 16), pictures(1, 5, 16, 16)
        whole = structural_similarity(first, second)
        monkeypatch.setattr(similarity, "BLOCK_BYTES", 2 * 8 * 256)  # blocks of 2, the last one short
        np.testing.assert_array_equal(structural_similarity(first, second), whole)

    def test_equal_images_are_one_and_a_negative_is_below_zero(self):
        image = pictures(0, 3, 20, 20)
        np.testing.assert_allclose(structural_similarity(image, image), 1)
        assert (structural_similarity(image, 255 - image) < 0).all()

    def test_refuses_bad_pairs(self):
        with pytest.raises(ValueError, match=r"of one shape; received \[2, 16, 16, 1\] and \[3, 16, 16, 1\]"):
            structural_similarity(pictures(0, 2, 16, 16), pictures(0, 3, 16, 16))
        with pytest.raises(NoEstimateError, match="window of 11 pixels; received images of 8 x 16"):
            structural_similarity(pictures(0, 2, 8, 16), pictures(0, 2, 8, 16))


class TestMultiscaleSimilarity:
    @pytest.mark.parametrize(("size", "scales"), [(10, 0), (11, 1), (16, 1), (28, 2), (64, 3), (176, 5), (1024, 5)])
    def test_as_many_scales_as_fit(self, size, scales):
        assert scales_that_fit(size, size + 7) == scales

    @pytest.mark.parametrize(("size", "channels"), [(16, 1), (28, 3), (64, 1), (176, 1)])
    def test_equals_tensorflow(self, size, channels):
        first, other = pictures(0, 3, size, size, channels), pictures(1, 3, size, size, channels)
        second = (0.6 * first + 0.4 * other).astype(np.uint8)
        weights = np.array(SCALE_WEIGHTS[: scales_that_fit(size, size)])
        expected = tf.image.ssim_multiscale(first, second, 255, power_factors=(weights / weights.sum()).tolist())
        np.testing.assert_allclose(multiscale_similarity(first, second), expected, rtol=1e-4)

    def test_falls_with_noise(self):
        image = pictures(0, 6, 32, 32)
        noise = np.random.default_rng(1).standard_normal(image.shape)
        values = [
            multiscale_similarity(image, np.clip(image + sigma * noise, 0, 255)).mean() for sigma in (0, 5, 20, 60)
        ]
        assert values == sorted(values, reverse=True)
        assert values[0] == pytest.approx(1)


class TestDiversity:
    def setup_method(self):
        self.images, self.labels = pictures(0, 80, 16, 16), np.repeat([0, 2], 40)

    def test_one_picture_is_one(self):
        estimate = ms_ssim(np.repeat(self.images[:1], 20, axis=0))
        assert estimate.value == pytest.approx(1)
        assert estimate.uncertainty == pytest.approx(0, abs=1e-12)

    def test_within_classes_by_hand(self):
        images = self.images.copy()
        images[:40] = images[0]
        estimate = ms_ssim(images, self.labels)
        assert estimate.per_class[0] == pytest.approx(1)
        assert np.isnan(estimate.per_class[1])
        assert estimate.value == pytest.approx((1 + estimate.per_class[2]) / 2)
        assert estimate.per_class[2] < 0.5
        assert ms_ssim(images).value < 0.8

    def test_pairs_are_of_different_images_and_repeat(self):
        four = self.images[:4] // 2 + self.images[4] // 2
        every = {round(multiscale_similarity(four[[i]], four[[j]])[0], 9) for i in range(4) for j in range(i)}
        pairs = {round(float(value), 9) for value in (ms_ssim(four, seed=seed).value for seed in range(20))}
        halves = {round((one + other) / 2, 6) for one in every for other in every if one != other}
        assert {round(value, 6) for value in pairs} <= halves
        assert len(pairs) == 3  # the ways to pair four
        assert ms_ssim(four, seed=3) == ms_ssim(four, seed=3)

    def test_protocol_says_pairs_and_scales(self):
        words = "11x11 Gaussian of sigma 1.5, range 255"
        assert ms_ssim(self.images, self.labels).protocol == f"40 pairs, 1 of 5 scales, {words}"
        assert ms_ssim(pictures(0, 10, 64, 64)).protocol == f"5 pairs, 3 of 5 scales, {words}"
        assert ms_ssim(self.images, self.labels, pairs=7).protocol.startswith("14 pairs")

    def test_refuses_too_few_too_small_and_labels_that_do_not_fit(self):
        with pytest.raises(TooFewSamplesError, match="of class 2 needs at least 4 generated samples; received 3"):
            ms_ssim(self.images[:43], self.labels[:43])
        with pytest.raises(TooFewSamplesError, match="needs at least 4 generated samples; received 3"):
            ms_ssim(self.images[:3])
        with pytest.raises(TooFewSamplesError, match="needs at least 4 generated samples; received 0"):
            ms_ssim(self.images[:0], self.labels[:0])
        with pytest.raises(NoEstimateError, match="window of 11 pixels"):
            ms_ssim(pictures(0, 10, 8, 8))
        with pytest.raises(ValueError, match="received 80 images, 79 labels"):
            ms_ssim(self.images, self.labels[1:])
        with pytest.raises(ValueError, match=r"uint8.*float64"):
            ms_ssim(self.images / 255)
