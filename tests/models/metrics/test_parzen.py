import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.neighbors import KernelDensity
from threadpoolctl import threadpool_info

from models.metrics import parzen as parzen_module
from models.metrics.estimate import TooFewSamplesError
from models.metrics.parzen import choose_bandwidth, log_likelihood, log_likelihoods, parzen


@pytest.fixture
def clouds():
    random = np.random.default_rng(0)
    return random.random((400, 20)), random.random((150, 20)), random.random((120, 20))


class TestLogLikelihood:
    @pytest.mark.parametrize("h", [0.03, 0.2, 2.0])
    def test_equals_scikit_learn(self, clouds, h):
        samples, points, _ = clouds
        # One leaf: its tree's bounds lose digits where densities are small.
        expected = KernelDensity(bandwidth=h, leaf_size=1000).fit(samples).score_samples(points)
        np.testing.assert_allclose(log_likelihood(samples, points, h), expected, rtol=1e-10)

    def test_far_away_it_does_not_underflow(self):
        # by hand, one sample in one dimension at distance 1000 with h = 1: -1000^2 / 2 - log sqrt(2 pi)
        value = log_likelihood(np.zeros((1, 1)), np.full((1, 1), 1e3), 1.0)
        assert value[0] == pytest.approx(-5e5 - 0.5 * np.log(2 * np.pi), rel=1e-14)

    def test_one_sample_is_a_gaussian(self):
        centre, points = np.ones(5), np.random.default_rng(1).random((30, 5))
        expected = multivariate_normal(centre, 0.3**2 * np.eye(5)).logpdf(points)
        np.testing.assert_allclose(log_likelihood(centre[None], points, 0.3), expected, rtol=1e-12)

    def test_float32_loses_nothing_but_its_own_digits(self, clouds):
        samples, points, _ = clouds
        rounded = [each.astype(np.float32) for each in (samples, points)]
        exact = [each.astype(np.float64) for each in rounded]
        np.testing.assert_array_equal(log_likelihood(*rounded, 0.2), log_likelihood(*exact, 0.2))

    def test_blocks_and_bandwidths_change_nothing(self, clouds, monkeypatch):
        samples, points, _ = clouds
        whole = log_likelihoods(samples, points, [0.1, 0.5])
        monkeypatch.setattr(parzen_module, "BLOCK_BYTES", 7 * 8 * 400)  # blocks of 7 points, the last one short
        np.testing.assert_allclose(log_likelihoods(samples, points, [0.1, 0.5]), whole, rtol=1e-12)
        np.testing.assert_allclose(log_likelihood(samples, points, 0.5), whole[1], rtol=1e-12)

    def test_blas_has_its_threads_back(self, clouds):
        before = threadpool_info()
        log_likelihood(*clouds[:2], 0.2)
        assert threadpool_info() == before

    def test_refuses_bad_input(self, clouds):
        samples, points, _ = clouds
        with pytest.raises(ValueError, match=r"a bandwidth is positive; received 0\.1, 0"):
            log_likelihoods(samples, points, [0.1, 0.0])
        with pytest.raises(ValueError, match=r"one width; received 20 and 19 \(points\)"):
            log_likelihood(samples, points[:, 1:], 0.2)
        with pytest.raises(ValueError, match="samples holds NaN"):
            log_likelihood(samples * np.nan, points, 0.2)
        with pytest.raises(TooFewSamplesError, match="at least 1 generated samples; received 0"):
            log_likelihood(samples[:0], points, 0.2)


class TestBandwidth:
    @pytest.mark.parametrize("scale", [1.0, 1e-3, 50.0])
    def test_is_the_best_of_a_fine_search_in_any_unit(self, clouds, scale):
        samples, validation = clouds[0] * scale, clouds[1] * scale
        grid = np.geomspace(0.02, 2, 3_000) * scale
        best = grid[log_likelihoods(samples, validation, grid).mean(axis=1).argmax()]
        assert choose_bandwidth(samples, validation) == pytest.approx(best, rel=5e-3)

    def test_samples_that_repeat_the_validation_data_have_none(self, clouds):
        samples, _, _ = clouds
        with pytest.raises(ValueError, match="the validation data grows towards 0: samples that repeat the data"):
            choose_bandwidth(samples, samples)


class TestParzen:
    def test_is_mean_and_standard_error_at_the_bandwidth_of_the_validation_data(self, clouds):
        samples, test, validation = clouds
        estimate = parzen(samples, test, validation)
        assert estimate.bandwidth == choose_bandwidth(samples, validation)
        values = KernelDensity(bandwidth=estimate.bandwidth, leaf_size=1000).fit(samples).score_samples(test)
        assert estimate.value == pytest.approx(values.mean(), rel=1e-10)
        assert estimate.uncertainty == pytest.approx(values.std(ddof=1) / np.sqrt(150), rel=1e-9)

    def test_finds_the_entropy_of_a_gaussian(self):
        random = np.random.default_rng(0)
        samples, test, validation = (random.standard_normal((count, 2)) for count in (20_000, 2_000, 500))
        # E log p(x) of a standard normal in two dimensions: -1 - log 2 pi
        estimate = parzen(samples, test, validation)
        assert estimate.value == pytest.approx(-1 - np.log(2 * np.pi), abs=4 * estimate.uncertainty)

    def test_worse_samples_are_less_likely(self, clouds):
        samples, test, validation = clouds
        own = parzen(samples, test, validation).value
        assert parzen(samples + 0.5, test, validation).value < own - 5
        assert parzen(samples[:4].repeat(100, axis=0), test, validation).value < own - 0.5

    def test_refuses_a_single_test_point(self, clouds):
        samples, test, validation = clouds
        with pytest.raises(TooFewSamplesError, match="at least 2 test samples; received 1"):
            parzen(samples, test[:1], validation)
