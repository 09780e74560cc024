import numpy as np
import pytest
import scipy.linalg

from models.metrics.estimate import TooFewSamplesError
from models.metrics.frechet import Moments, frechet_distance, gaussian_distance, moments


def gaussian(seed: int, width: int) -> Moments:
    random = np.random.default_rng(seed)
    root = random.standard_normal((width, width))
    return Moments(random.standard_normal(width), root @ root.T + 0.1 * np.eye(width))


def by_matrix_root(first: Moments, second: Moments) -> float:
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
        first, second = Moments(np.array([1.0]), np.array([[4.0]])), Moments(np.array([4.0]), np.array([[25.0]]))
        assert gaussian_distance(first, second) == pytest.approx(18)

    def test_singular_covariances(self):
        # On orthogonal lines nothing is shared: tr C1 + tr C2 = 1 + 4.
        first = Moments(np.zeros(2), np.diag([1.0, 0.0]))
        second = Moments(np.zeros(2), np.diag([0.0, 4.0]))
        assert gaussian_distance(first, second) == pytest.approx(5)

    def test_refuses_widths_that_differ(self):
        with pytest.raises(ValueError, match="received 2 and 3"):
            gaussian_distance(gaussian(0, 2), gaussian(0, 3))


class TestFrechetDistance:
    def setup_method(self):
        self.random = np.random.default_rng(0)
        self.real = self.random.standard_normal((500, 8))
        self.fake = self.random.standard_normal((400, 8)) @ np.diag(np.linspace(0.5, 2, 8)) + 0.3

    def test_moments_are_numpy_s(self):
        assert np.allclose(moments(self.real).covariance, np.cov(self.real, rowvar=False), rtol=1e-12)

    def test_float32_features_keep_float64_moments(self):
        # In float32 the mean of values around 1e4 would lose what tells the sets apart.
        offset = self.real + 1e4
        assert frechet_distance(offset.astype(np.float32), offset).value == pytest.approx(0, abs=1e-4)

    def test_known_gaussians(self):
        expected = gaussian_distance(moments(self.real), moments(self.fake))
        assert frechet_distance(self.real, self.fake).value == expected
        assert expected == pytest.approx(by_matrix_root(moments(self.real), moments(self.fake)), rel=1e-9)

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
