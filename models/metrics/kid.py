"""Kernel distance: the unbiased squared maximum mean discrepancy with a polynomial kernel."""

import numpy as np
from threadpoolctl import threadpool_limits

from models.metrics.estimate import Estimate, check_features, require_samples


def polynomial_mmd(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased MMD^2 under the kernel (x.y / d + 1)^3.

    Args:
        first: [n >= 2, d] float64.
        second: [m >= 2, d] float64.

    Returns:
        The estimate; negative values are possible, as it is unbiased.

    Reference: Gretton et al. 2012, equation 3; the kernel of Binkowski et al. 2018, section 4.
    """
    first, second = _lifted(first), _lifted(second)

    def total(left: np.ndarray, right: np.ndarray) -> float:
        base = left @ right.T
        return float(np.vdot(base * base, base))  # many times as fast as (base**3).sum()

    def mean_off_diagonal(points: np.ndarray) -> float:
        diagonal = np.einsum("nd,nd->n", points, points) ** 3
        return (total(points, points) - diagonal.sum()) / (len(points) * (len(points) - 1))

    across = total(first, second) / (len(first) * len(second))
    return mean_off_diagonal(first) + mean_off_diagonal(second) - 2 * across


def _lifted(points: np.ndarray) -> np.ndarray:
    """Points whose products are x.y / d + 1."""
    return np.column_stack([points / np.sqrt(points.shape[1]), np.ones(len(points))])


def kernel_distance(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Kernel distance over random subsets. It is KID only with Inception-v3's pool3 features.

    Args:
        real_features: [n >= 4, d] float.
        fake_features: [m >= 4, d] float.
        subsets: how many subsets are drawn of each set, without replacement within one.
        subset_size: samples in a subset; half of the smaller set where that is less, so that subsets differ.
        seed: of the drawing.

    Returns:
        Mean over the subsets, near 0 for equal distributions; uncertainty: standard deviation over the subsets.

    Raises:
        TooFewSamplesError: a set has fewer than 4 samples.
        ValueError: widths differ, or a feature is not finite.

    Reference: Binkowski et al. 2018, section 4. The paper's subsets are 100 of 1000.
    """
    check_features(real=real_features, fake=fake_features)
    require_samples("a kernel distance", 4, real=len(real_features), generated=len(fake_features))
    real, fake = real_features.astype(np.float64), fake_features.astype(np.float64)
    size = min(subset_size, len(real) // 2, len(fake) // 2)
    random = np.random.default_rng(seed)

    def draw() -> float:
        rows, columns = (random.choice(len(each), size, replace=False) for each in (real, fake))
        return polynomial_mmd(real[rows], fake[columns])

    # Threads that wait for each other cost such small products up to fifty times their time on a busy machine.
    with threadpool_limits(1, user_api="blas"):
        values = [draw() for _ in range(subsets)]
    return Estimate(float(np.mean(values)), float(np.std(values)))
