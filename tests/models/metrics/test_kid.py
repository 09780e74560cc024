import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from models.metrics.estimate import TooFewSamplesError
from models.metrics.kid import kernel_distance, polynomial_mmd


def mmd_by_sklearn(first: np.ndarray, second: np.ndarray) -> float:
    """The unbiased estimate with scikit-learn's kernel, whose default gamma is 1 / width."""
    within = 0.0
    for points in (first, second):
        values = polynomial_kernel(points, degree=3, coef0=1)
        within += values[~np.eye(len(points), dtype=bool)].mean()
    return within - 2 * polynomial_kernel(first, second, degree=3, coef0=1).mean()


class TestPolynomialMMD:
    def test_equals_sklearn(self):
        random = np.random.default_rng(0)
        first, second = random.standard_normal((50, 12)), random.standard_normal((70, 12)) + 0.2
        assert polynomial_mmd(first, second) == pytest.approx(mmd_by_sklearn(first, second), rel=1e-10)

    def test_by_hand(self):
        # k(1, 1) = 8 for each pair of first, k(0, 0) = 1 for each of second, k(1, 0) = 1 across: 8 + 1 - 2
        assert polynomial_mmd(np.ones((2, 1)), np.zeros((3, 1))) == pytest.approx(7)


class TestKernelDistance:
    def setup_method(self):
        random = np.random.default_rng(0)
        self.random = random
        self.real, self.fake = random.standard_normal((300, 6)), random.standard_normal((400, 6)) + 0.3

    def test_mean_and_error_over_the_same_subsets(self):
        random = np.random.default_rng(7)
        values = []
        for _ in range(5):
            rows, columns = random.choice(300, 40, replace=False), random.choice(400, 40, replace=False)
            values.append(mmd_by_sklearn(self.real[rows], self.fake[columns]))
        estimate = kernel_distance(self.real, self.fake, subsets=5, subset_size=40, seed=7)
        assert estimate.value == pytest.approx(np.mean(values), rel=1e-9)
        assert estimate.uncertainty == pytest.approx(np.std(values, ddof=1) * np.sqrt(40 / 260 + 1 / 5), rel=1e-9)
        assert estimate.protocol == "5 subsets of 40"

    def test_float32_loses_next_to_nothing(self):
        exact = kernel_distance(self.real, self.fake).value
        single = kernel_distance(self.real.astype(np.float32), self.fake.astype(np.float32)).value
        assert single == pytest.approx(exact, rel=1e-5)

    def test_the_error_is_that_of_repeated_draws(self):
        estimates = [
            kernel_distance(
                self.random.standard_normal((300, 6)), self.random.standard_normal((300, 6)) + 0.5, subsets=50
            )
            for _ in range(60)
        ]
        spread = np.std([each.value for each in estimates], ddof=1)
        assert np.mean([each.uncertainty for each in estimates]) == pytest.approx(spread, rel=0.3)

    def test_unbiased_for_equal_distributions(self):
        first, second = self.random.standard_normal((2, 2000, 6))
        estimate = kernel_distance(first, second, subsets=10)
        assert abs(estimate.value) < 0.02 < kernel_distance(self.real, self.fake).value

    def test_small_sets_make_subsets_of_half(self):
        expected = kernel_distance(self.real, self.fake, subset_size=150)
        assert kernel_distance(self.real, self.fake) == expected
        assert expected.uncertainty > 0

    def test_grows_with_noise_and_repeats(self):
        noise = self.random.standard_normal(self.real.shape)
        values = [kernel_distance(self.real, self.real + scale * noise).value for scale in (0, 1, 2)]
        assert values == sorted(values)
        assert values == [kernel_distance(self.real, self.real + scale * noise).value for scale in (0, 1, 2)]

    def test_refuses_too_few_other_widths_and_nan(self):
        with pytest.raises(TooFewSamplesError, match="at least 4 generated samples; received 3"):
            kernel_distance(self.real, self.fake[:3])
        with pytest.raises(ValueError, match="one width; received 6 and 5"):
            kernel_distance(self.real, self.fake[:, :5])
        self.real[0, 0] = np.inf
        with pytest.raises(ValueError, match="real holds NaN or infinity"):
            kernel_distance(self.real, self.fake)
