import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from models.metrics.estimate import NoEstimateError, TooFewSamplesError
from models.metrics.restoration import feature_distance, luma, psnr, ssim


@pytest.fixture
def pairs():
    random = np.random.default_rng(0)
    real = random.integers(0, 256, (5, 24, 20, 3)).astype(np.uint8)
    noise = random.normal(0, np.arange(5, 30, 5)[:, None, None, None], real.shape)
    return real, np.clip(real + noise, 0, 255).astype(np.uint8)


class TestPSNR:
    def test_equals_scikit_image(self, pairs):
        expected = [peak_signal_noise_ratio(*pair, data_range=255) for pair in zip(*pairs, strict=True)]
        estimate = psnr(*pairs)
        assert estimate.value == pytest.approx(np.mean(expected), rel=1e-12)
        assert estimate.uncertainty == pytest.approx(np.std(expected, ddof=1) / np.sqrt(5), rel=1e-9)
        assert estimate.protocol == "all channels, crop 0, range 255"

    def test_luma_and_crop_as_papers_on_super_resolution_take_them(self, pairs):
        cropped = [rgb2ycbcr(side)[:, 4:-4, 4:-4, :1] for side in pairs]
        expected = [peak_signal_noise_ratio(*pair, data_range=255) for pair in zip(*cropped, strict=True)]
        estimate = psnr(*pairs, channels="luma", crop=4)
        assert estimate.value == pytest.approx(np.mean(expected), rel=1e-9)
        assert estimate.value > psnr(*pairs).value + 1
        assert estimate.protocol == "Y of BT.601, crop 4, range 255"

    def test_by_hand(self):
        # an error of 5 everywhere: 20 log10(255 / 5)
        black = np.zeros((2, 8, 8, 1), np.uint8)
        assert psnr(black, black + np.uint8(5)).value == pytest.approx(20 * np.log10(51))

    def test_equal_images_are_infinitely_near_without_error(self, pairs):
        assert psnr(pairs[0], pairs[0]).value == np.inf
        assert psnr(pairs[0], pairs[0]).uncertainty is None


class TestSSIM:
    def test_equals_scikit_image(self, pairs):
        options = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 255, "channel_axis": -1}
        expected = [structural_similarity(*pair, **options) for pair in zip(*pairs, strict=True)]
        assert ssim(*pairs).value == pytest.approx(np.mean(expected), rel=1e-10)
        luma_pairs = zip(*[rgb2ycbcr(side)[:, 2:-2, 2:-2, :1] for side in pairs], strict=True)
        expected = [structural_similarity(*pair, **options) for pair in luma_pairs]
        assert ssim(*pairs, channels="luma", crop=2).value == pytest.approx(np.mean(expected), rel=1e-9)

    def test_falls_with_noise_and_order_of_pairs_does_not_matter(self, pairs):
        real, restored = pairs
        each = [ssim(real[[at] * 2], restored[[at] * 2]).value for at in range(5)]
        assert each == sorted(each, reverse=True)
        assert ssim(real[::-1], restored[::-1]).value == pytest.approx(ssim(real, restored).value)
        assert ssim(real, real).value == pytest.approx(1)


class TestFeatureDistance:
    def test_by_hand(self):
        real, restored = np.zeros((2, 2)), np.array([[3.0, 4.0], [0.0, 1.0]])
        estimate = feature_distance(real, restored)
        assert (estimate.value, estimate.uncertainty) == (3, pytest.approx(2))

    def test_refuses_bad_input(self):
        with pytest.raises(ValueError, match="of pairs; received 3 real and 2 restored"):
            feature_distance(np.ones((3, 2)), np.ones((2, 2)))
        with pytest.raises(ValueError, match="restored holds NaN"):
            feature_distance(np.ones((3, 2)), np.full((3, 2), np.nan))


def test_luma_equals_scikit_image(pairs):
    np.testing.assert_allclose(luma(pairs[0]), rgb2ycbcr(pairs[0])[..., :1], rtol=1e-12)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_refuses_bad_pairs(metric, pairs):
    real, restored = pairs
    with pytest.raises(ValueError, match="of pairs; received 5 real and 4 restored"):
        metric(real, restored[1:])
    with pytest.raises(TooFewSamplesError, match="at least 2 real samples; received 1"):
        metric(real[:1], restored[:1])
    with pytest.raises(ValueError, match=r"one size; received \[24, 20, 3\] and \[20, 24, 3\]"):
        metric(real, restored.transpose(0, 2, 1, 3))
    with pytest.raises(ValueError, match="luma is that of images of 3 channels; received 1"):
        metric(real[..., :1], restored[..., :1], channels="luma")
    with pytest.raises(ValueError, match="leaves pixels between two borders; received 10"):
        metric(real, restored, crop=10)
    with pytest.raises(ValueError, match=r"uint8.*float64"):
        metric(real / 255, restored / 255)


def test_a_crop_may_leave_too_little_for_the_window(pairs):
    with pytest.raises(NoEstimateError, match="received images of 14 x 10"):
        ssim(*pairs, crop=5)
