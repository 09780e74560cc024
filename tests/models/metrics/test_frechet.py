import numpy as np
import pytest
import scipy.linalg

from models.metrics import frechet
from models.metrics.estimate import TooFewSamplesError
from models.metrics.frechet import Gaussian, Moments, frechet_distance, gaussian_distance


def gaussian(seed: int, width: int) -> Gaussian:
    random = np.random.default_rng(seed)
    root = random.standard_normal((width, width))
    return Gaussian(random.standard_normal(width), root @ root.T + 0.1 * np.eye(width))


def by_matrix_root(first: Gaussian, second: Gaussian) -> float:
    """The textbook's formula with SciPy's matrix square root."""
    root = scipy.linalg.sqrtm(first.covariance @ second.covariance).real
    gap = first.mean - second.mean
    return gap @ gap + np.trace(first.covariance + second.covariance - 2 * root)


class TestGaussianDistance:
    @pytest.mark.parametrize("width", [1, 2, 16, 64])
    def test_equals_scipy(self, width):
        first, second = gaussian(1, width), gaussian(2, width)
        assert gaussian_distance(first, second) == pytest.approx(by_matrix_root(first, second), rel=1e-9)

    def test_closed_form_in_one_dimension(self):
        # (m1 - m2)^2 + (s1 - s2)^2 = 9 + (2 - 5)^2
        first, second = Gaussian(np.array([1.0]), np.array([[4.0]])), Gaussian(np.array([4.0]), np.array([[25.0]]))
        assert gaussian_distance(first, second) == pytest.approx(18)

    def test_singular_covariances(self):
        # On orthogonal lines nothing is shared: tr C1 + tr C2 = 1 + 4.
        first = Gaussian(np.zeros(2), np.diag([1.0, 0.0]))
        second = Gaussian(np.zeros(2), np.diag([0.0, 4.0]))
        assert gaussian_distance(first, second) == pytest.approx(5)

    def test_refuses_widths_that_differ(self):
        with pytest.raises(ValueError, match="received 2 and 3"):
            gaussian_distance(gaussian(0, 2), gaussian(0, 3))


class TestMoments:
    @pytest.mark.parametrize("shards", [1, 2, 7, 100])
    def test_any_sharding_is_the_same(self, shards):
        random = np.random.default_rng(0)
        features = random.standard_normal((200, 5)) * 3 + 1e3
        parts = [Moments.of(part) for part in np.array_split(features, shards)]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.merge(part)
        assert whole.count == 200
        assert np.allclose(whole.gaussian.mean, features.mean(axis=0), rtol=1e-13)
        assert np.allclose(whole.gaussian.covariance, np.cov(features, rowvar=False), rtol=1e-9)

    def test_none_is_neutral_and_order_does_not_matter(self):
        random = np.random.default_rng(0)
        none, some, more = (Moments.of(random.standard_normal((count, 3))) for count in (0, 4, 9))
        assert none.merge(some) is some.merge(none) is some
        assert np.allclose(some.merge(more).scatter, more.merge(some).scatter, rtol=1e-12)

    def test_blocks_change_nothing(self, monkeypatch):
        features = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
        whole = Moments.of(features)
        monkeypatch.setattr(frechet, "BLOCK_BYTES", 7 * 8 * 3)  # blocks of 7, the last one short
        assert np.allclose(Moments.of(features).scatter, whole.scatter, rtol=1e-12)

    def test_refuses_other_widths_and_too_few(self):
        with pytest.raises(ValueError, match="one width; received 2 and 3"):
            Moments.of(np.ones((4, 2))).merge(Moments.of(np.ones((4, 3))))
        with pytest.raises(TooFewSamplesError, match="at least 4 given samples; received 3"):
            _ = Moments.of(np.ones((3, 3))).gaussian


class TestFrechetDistance:
    def setup_method(self):
        self.random = np.random.default_rng(0)
        self.real = self.random.standard_normal((500, 8))
        self.fake = self.random.standard_normal((400, 8)) @ np.diag(np.linspace(0.5, 2, 8)) + 0.3

    def test_moments_are_numpy_s(self):
        assert np.allclose(Moments.of(self.real).gaussian.covariance, np.cov(self.real, rowvar=False), rtol=1e-12)

    def test_float32_features_keep_float64_moments(self):
        # In float32 the mean of values around 1e4 would lose what tells the sets apart.
        offset = self.real + 1e4
        assert frechet_distance(offset.astype(np.float32), offset).value == pytest.approx(0, abs=1e-4)

    def test_known_gaussians(self):
        real, fake = Moments.of(self.real).gaussian, Moments.of(self.fake).gaussian
        assert frechet_distance(self.real, self.fake).value == gaussian_distance(real, fake)
        assert gaussian_distance(real, fake) == pytest.approx(by_matrix_root(real, fake), rel=1e-9)

    @pytest.mark.parametrize("shift", [0.0, 0.5])
    def test_the_error_is_that_of_repeated_draws(self, shift):
        stretch = np.linspace(0.7, 1.5, 6)
        estimates = [
            frechet_distance(
                self.random.standard_normal((400, 6)), self.random.standard_normal((300, 6)) * stretch + shift
            )
            for _ in range(80)
        ]
        spread = np.std([each.value for each in estimates], ddof=1)
        assert np.mean([each.uncertainty for each in estimates]) == pytest.approx(spread, rel=0.25)

    def test_a_feature_that_is_constant_has_no_say(self):
        real, fake = (np.column_stack([each, np.ones(len(each))]) for each in (self.real, self.fake))
        with_it, without = frechet_distance(real, fake), frechet_distance(self.real, self.fake)
        assert with_it.value == pytest.approx(without.value, rel=1e-6)
        assert with_it.uncertainty == pytest.approx(without.uncertainty, rel=1e-6)

    def test_zero_of_itself_and_symmetric(self):
        assert frechet_distance(self.real, self.real).value == pytest.approx(0, abs=1e-10)
        there, back = frechet_distance(self.real, self.fake).value, frechet_distance(self.fake, self.real).value
        assert there == pytest.approx(back, rel=1e-9)

    def test_order_does_not_matter(self):
        shuffled = self.random.permutation(self.fake)
        expected = frechet_distance(self.real, self.fake).value
        assert frechet_distance(self.real, shuffled).value == pytest.approx(expected, rel=1e-9)

    def test_grows_with_noise(self):
        noise = self.random.standard_normal(self.real.shape)
        values = [frechet_distance(self.real, self.real + scale * noise).value for scale in (0, 0.5, 1, 2)]
        assert values == sorted(values)
        assert values[1] > 0.1

    def test_refuses_no_more_samples_than_features(self):
        with pytest.raises(TooFewSamplesError, match="at least 9 generated samples; received 8"):
            frechet_distance(self.real, self.fake[:8])
        assert frechet_distance(self.real, self.fake[:9]).value > 0

    def test_refuses_other_widths_and_nan(self):
        with pytest.raises(ValueError, match="one width; received 8 and 7"):
            frechet_distance(self.real, self.fake[:, :7])
        self.fake[3, 2] = np.nan
        with pytest.raises(ValueError, match="fake holds NaN"):
            frechet_distance(self.real, self.fake)
