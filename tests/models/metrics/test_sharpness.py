import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from models.metrics.estimate import NoEstimateError, TooFewSamplesError
from models.metrics.sharpness import noise, sharpness


@pytest.fixture
def pictures():
    smooth = gaussian_filter(np.random.default_rng(0).standard_normal((40, 24, 24, 1)), (0, 1.5, 1.5, 0))
    return np.clip(128 + 300 * smooth, 0, 255).astype(np.uint8)


def blurred(images, sigma):
    return gaussian_filter(images, (0, sigma, sigma, 0))


def grainy(images, sigma):
    grain = np.random.default_rng(1).normal(0, sigma, images.shape)
    return np.clip(images + grain, 0, 255).astype(np.uint8)


class TestSharpness:
    def test_half_the_contrast_is_half_the_slope(self):
        images = np.random.default_rng(0).integers(0, 128, (10, 8, 8, 3)).astype(np.uint8)
        assert sharpness(2 * images, images).value == pytest.approx(0.5)

    def test_by_hand(self):
        # a ramp of 4 grey levels a pixel across, one of 3 down: slope 5, beside a ramp of 10
        down, across = np.mgrid[:6, :6]
        ramp = np.repeat((4 * across + 3 * down)[None, ..., None], 2, axis=0).astype(np.uint8)
        steep = np.repeat((10 * across)[None, ..., None], 2, axis=0).astype(np.uint8)
        assert sharpness(steep, ramp).value == pytest.approx(0.5)

    def test_falls_with_blur(self, pictures):
        values = [sharpness(pictures, blurred(pictures, sigma)).value for sigma in (0, 0.7, 1.5, 3)]
        assert values[0] == 1
        assert values == sorted(values, reverse=True)
        assert values[2] < 0.7


class TestNoise:
    def test_finds_the_deviation_of_noise_on_a_slope(self):
        # Immerkaer's estimate itself: of pure noise, 20 over 10 grey levels
        across = np.tile(np.linspace(80, 170, 32), (60, 32, 1))[..., None]
        assert noise(grainy(across, 10), grainy(across, 20)).value == pytest.approx(2, rel=0.03)

    def test_equals_the_papers_mask(self, pictures):
        mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
        other = grainy(pictures, 8)
        found = [
            np.mean([np.abs(convolve(each[..., 0].astype(float), mask)[1:-1, 1:-1]).mean() for each in images])
            for images in (other, pictures)
        ]
        assert noise(pictures, other).value == pytest.approx(found[0] / found[1], rel=1e-5)

    def test_grows_with_noise_and_falls_with_blur(self, pictures):
        values = [noise(pictures, each).value for each in (blurred(pictures, 1), pictures, grainy(pictures, 10))]
        assert values == sorted(values)
        assert values[1] == 1
        assert values[2] > 3


@pytest.mark.parametrize("metric", [sharpness, noise])
class TestBoth:
    def test_order_does_not_matter_and_equal_sets_are_one_apart_from_their_error(self, metric, pictures):
        shuffled = np.random.default_rng(0).permutation(pictures)
        assert metric(pictures, shuffled).value == pytest.approx(1)
        halves = metric(pictures[:20], pictures[20:])
        assert abs(halves.value - 1) < 3 * halves.uncertainty < 0.3

    def test_a_picture_of_nothing_is_zero(self, metric, pictures):
        estimate = metric(pictures, np.zeros_like(pictures))
        assert (estimate.value, estimate.uncertainty) == (0, 0)

    def test_refuses_bad_input(self, metric, pictures):
        with pytest.raises(TooFewSamplesError, match="at least 2 generated samples; received 1"):
            metric(pictures, pictures[:1])
        with pytest.raises(NoEstimateError, match="real images, which have none"):
            metric(np.zeros_like(pictures), pictures)
        with pytest.raises(NoEstimateError, match=r"from 3 pixels; received images of \[2, 24\]"):
            metric(pictures[:, :2], pictures[:, :2])
        with pytest.raises(ValueError, match=r"uint8.*received fake of float64"):
            metric(pictures, pictures / 255)
