"""Kernel distance: the unbiased squared maximum mean discrepancy with a polynomial kernel."""

import numpy as np

from models.metrics.estimate import Estimate, check_features, require_samples
from models.metrics.threads import product_a_thread


def polynomial_mmd(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased MMD^2 under the kernel (x.y / d + 1)^3.

    Products are taken in the dtype of the points, sums in float64: 1,000 points in float32 lose less than a
    millionth of the kernel's mean.

    Args:
        first: [n >= 2, d] float.
        second: [m >= 2, d] of the same dtype.

    Returns:
        The estimate; negative values are possible, as it is unbiased.

    Reference: Gretton et al. 2012, equation 3; the kernel of Binkowski et al. 2018, section 4.
    """
    within = sum(_mean(_kernel(points, points), without_diagonal=True) for points in (first, second))
    return within - 2 * _mean(_kernel(first, second))


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    base = first @ second.T
    base /= first.shape[1]
    base += 1
    base *= base * base  # many times as fast as base**3
    return base


def _mean(kernel: np.ndarray, *, without_diagonal: bool = False) -> float:
    total = float(kernel.sum(dtype=np.float64))
    if without_diagonal:
        return (total - float(np.trace(kernel, dtype=np.float64))) / (kernel.size - len(kernel))
    return total / kernel.size


def unbiased_distance(real_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """The kernel distance of two whole sets, which the mean over any subsets of them estimates, too.

    Args:
        real_features: [n >= 2, d] float.
        fake_features: [m >= 2, d] float.

    Returns:
        `polynomial_mmd`, without uncertainty.

    Raises:
        TooFewSamplesError: a set has fewer than 2 samples.
        ValueError: widths differ, or a feature is not finite.

    Reference: Binkowski et al. 2018, section 4. It is KID only with Inception-v3's pool3 features.
    """
    check_features(real=real_features, fake=fake_features)
    require_samples("a kernel distance", 2, real=len(real_features), generated=len(fake_features))
    return Estimate(polynomial_mmd(real_features, fake_features.astype(real_features.dtype, copy=False)))


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
        real_features: [n >= 4, d] float; products are taken in this dtype, see `polynomial_mmd`.
        fake_features: [m >= 4, d] float.
        subsets: how many subsets are drawn of each set, at least 2, without replacement within one.
        subset_size: samples in a subset; half of the smaller set where that is less, so that subsets differ.
        seed: of the drawing.

    Returns:
        Mean over the subsets, near 0 for equal distributions. Uncertainty: its standard error by the delete-d
        jackknife, deviation over the subsets * sqrt(size / (n - size) + 1 / subsets) with n the smaller set: subsets
        overlap, so the deviation over sqrt(subsets) would be too small. Near 0 and for sets of unlike counts it is too
        large rather than too small. Papers print the deviation.

    Raises:
        TooFewSamplesError: a set has fewer than 4 samples.
        ValueError: widths differ, or a feature is not finite.

    Reference: Binkowski et al. 2018, section 4, with 100 subsets of 1000; Shao & Wu 1989 for the jackknife.
    """
    check_features(real=real_features, fake=fake_features)
    require_samples("a kernel distance", 4, real=len(real_features), generated=len(fake_features))
    fake_features = fake_features.astype(real_features.dtype, copy=False)
    least = min(len(real_features), len(fake_features))
    size = min(subset_size, least // 2)
    random = np.random.default_rng(seed)
    sides = (real_features, fake_features)
    draws = [[random.choice(len(side), size, replace=False) for side in sides] for _ in range(subsets)]

    def value(rows: list[np.ndarray]) -> float:
        return polynomial_mmd(*(side[chosen] for side, chosen in zip(sides, rows, strict=True)))

    with product_a_thread() as pool:
        values = np.array(list(pool.map(value, draws)))
    error = values.std(ddof=1) * np.sqrt(size / (least - size) + 1 / subsets)
    return Estimate(float(values.mean()), float(error), protocol=f"{subsets} subsets of {size:,}")
