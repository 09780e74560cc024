import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from models.metrics.estimate import NoEstimateError, TooFewSamplesError
from models.metrics.restoration import cycle_error, feature_distance, luma, psnr, squared_error, ssim


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

    def test_equal_images_are_as_near_as_rounding_can_tell(self, pairs):
        # by hand: 20 log10(255) + 10 log10(12) = 48.1308 + 10.7918
        estimate = psnr(pairs[0], pairs[0])
        assert estimate.value == pytest.approx(58.9226, abs=1e-4)
        assert estimate.uncertainty == 0

    def test_a_perfect_pair_among_others_leaves_a_figure_and_its_error(self, pairs):
        real, restored = pairs
        restored = np.concatenate([real[:1], restored[1:]])
        others = [peak_signal_noise_ratio(*pair, data_range=255) for pair in zip(real[1:], restored[1:], strict=True)]
        expected = [58.92260, *others]
        estimate = psnr(real, restored)
        assert estimate.value == pytest.approx(np.mean(expected), rel=1e-5)
        assert estimate.uncertainty == pytest.approx(np.std(expected, ddof=1) / np.sqrt(5), rel=1e-4)


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


class TestSquaredError:
    def test_points_by_hand(self):
        # inputs are 5 and 1 from the truth, squared and halved over two coordinates: 12.5 and 0.5; outputs 2 and 0
        truth = np.zeros((2, 2), np.float32)
        inputs, outputs = np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [0.0, 0.0]])
        estimate = squared_error(inputs, true_points=truth, fake_points=outputs)
        assert estimate.value == pytest.approx(2 / 13)
        # residuals 2 - 12.5 r and -0.5 r, over the mean of 6.5, and over the root of 2
        residuals = np.array([2 - 12.5 * 2 / 13, -0.5 * 2 / 13]) / 6.5
        assert estimate.uncertainty == pytest.approx(np.std(residuals, ddof=1) / np.sqrt(2))

    def test_images_by_hand(self):
        # in [-1, 1]: the truth is -1, the outputs 1, the inputs 0: 4 / 1
        truth, outputs = np.zeros((3, 4, 4, 1), np.uint8), np.full((3, 4, 4, 1), 255, np.uint8)
        inputs = np.zeros((3, 4, 4, 1), np.float32)
        estimate = squared_error(inputs, true_images=truth, fake_images=outputs)
        assert estimate.value == pytest.approx(4)
        assert estimate.uncertainty == pytest.approx(0, abs=1e-6)

    def test_what_is_given_back_is_one_and_the_truth_is_nothing(self, pairs):
        truth, degraded = pairs
        inputs = degraded.astype(np.float32) / 127.5 - 1
        same = squared_error(inputs, true_images=truth, fake_images=degraded)
        assert (same.value, same.uncertainty) == (pytest.approx(1), pytest.approx(0, abs=1e-6))
        assert squared_error(inputs, true_images=truth, fake_images=truth).value == 0

    def test_the_error_is_that_of_repeated_draws(self):
        random, found = np.random.default_rng(0), []
        for _ in range(300):
            truth, noise = np.zeros((100, 2), np.float32), random.normal(size=(100, 2))
            found.append(squared_error(noise, true_points=truth, fake_points=noise * random.uniform(0, 1, (100, 1))))
        deviation = np.std([each.value for each in found], ddof=1)
        assert np.sqrt(np.mean([each.uncertainty**2 for each in found])) == pytest.approx(deviation, rel=0.15)

    def test_refuses_bad_input(self):
        one = np.ones((1, 2), np.float32)
        with pytest.raises(TooFewSamplesError, match="at least 2 real samples; received 1"):
            squared_error(one, true_points=one, fake_points=one)
        truth = np.ones((2, 2), np.float32)
        with pytest.raises(NoEstimateError, match="the inputs are the truth"):
            squared_error(truth, true_points=truth, fake_points=truth + 1)
        with pytest.raises(ValueError, match="a pair has points or images; received neither"):
            squared_error(truth, true_points=truth)


class TestCycleError:
    def test_points_by_hand(self):
        # neighbours in a ring of three are 1, 2 and 3 apart in one coordinate of two: a mean of 1; the way back is
        # 0.5 away in one coordinate, once
        inputs = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]], np.float32)
        back = inputs + np.array([[0.0, 0.5], [0.0, 0.0], [0.0, 0.0]], np.float32)
        estimate = cycle_error(inputs, back)
        assert estimate.value == pytest.approx(0.25 / 3)
        assert estimate.uncertainty == pytest.approx(np.std([0.25, 0, 0], ddof=1) / np.sqrt(3))

    def test_images_by_hand(self):
        # black, white and back: two inputs differ by 2 throughout; the way back makes all of them grey
        inputs = np.stack([np.full((4, 4, 1), value, np.float32) for value in (-1, 1)])
        grey = np.full((2, 4, 4, 1), 255, np.uint8)
        assert cycle_error(inputs, grey).value == pytest.approx((2 + 0) / 2 / 2)

    def test_an_exact_way_back_is_nothing_and_one_that_forgets_is_one(self):
        random = np.random.default_rng(0)
        inputs = random.normal(size=(4_000, 2)).astype(np.float32)
        assert cycle_error(inputs, inputs).value == 0
        forgets = cycle_error(inputs, random.normal(size=(4_000, 2)).astype(np.float32))
        assert forgets.value == pytest.approx(1, abs=5 * forgets.uncertainty)
        assert forgets.uncertainty < 0.02

    def test_refuses_bad_input(self):
        with pytest.raises(TooFewSamplesError, match="at least 2 real samples; received 1"):
            cycle_error(np.ones((1, 2), np.float32), np.ones((1, 2), np.float32))
        with pytest.raises(NoEstimateError, match="all inputs are alike"):
            cycle_error(np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32))


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
