"""Frechet distance between Gaussians fitted to features."""

import dataclasses
from typing import NamedTuple, Self

import numpy as np

from models.metrics.estimate import Estimate, check_features, require_samples

BLOCK_BYTES = 2**26
"""Features in float64 that are added up in one go."""

ERROR_SAMPLES = 4_000
"""Samples from which a standard deviation is known to a few percent."""


class Gaussian(NamedTuple):
    """What the distance is between.

    Attributes:
        mean: [d] float64.
        covariance: [d, d] float64.
    """

    mean: np.ndarray
    covariance: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Moments:
    """Features added up so that parts of them can be: in any order and grouping the sum is the same to rounding.

    Attributes:
        count: how many.
        mean: [d] float64.
        scatter: [d, d] float64, the sum of the outer products of their deviations from the mean.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Self:
        """Adds up features, a block at a time.

        Args:
            features: [n, d] float; none make the neutral element of `merge`.
        """
        width = features.shape[1]
        whole = cls(0, np.zeros(width), np.zeros((width, width)))
        step = max(1, BLOCK_BYTES // (8 * width))
        for start in range(0, len(features), step):
            block = features[start : start + step].astype(np.float64)
            mean = block.mean(axis=0)
            block -= mean
            whole = whole.merge(cls(len(block), mean, block.T @ block))
        return whole

    def merge(self, other: Self) -> Self:
        """The moments of both sets of features.

        Raises:
            ValueError: the widths differ.

        Reference: Chan, Golub & LeVeque 1983, equation 2.1.
        """
        _check_widths(self.mean, other.mean)
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        gap = other.mean - self.mean
        scatter = np.outer(gap, gap)
        scatter *= self.count * other.count / count
        scatter += self.scatter
        scatter += other.scatter
        return type(self)(count, self.mean + gap * (other.count / count), scatter)

    @property
    def gaussian(self) -> Gaussian:
        """Mean and unbiased covariance.

        Raises:
            TooFewSamplesError: no more features than their width: the covariance is singular and a distance to it means
                nothing.
        """
        require_samples("a Frechet distance", len(self.mean) + 1, given=self.count)
        return Gaussian(self.mean, self.scatter / (self.count - 1))


def gaussian_distance(first: Gaussian, second: Gaussian) -> float:
    """||m1 - m2||^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    The trace of (C1 C2)^(1/2) is that of (F' C2 F)^(1/2) for any C1 = F F': symmetric, so its eigenvalues are real and
    a singular covariance is no trouble, which a matrix square root of C1 C2 does not give.

    Raises:
        ValueError: the widths differ.
    """
    factor = _factor(first.covariance)
    return _distance(first, second, np.linalg.eigvalsh(_seen_from(factor, second)))


def frechet_distance(real_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """Frechet distance of two sets of features. It is FID only with Inception-v3's pool3 features.

    Args:
        real_features: [n, d] float, n > d.
        fake_features: [m, d] float, m > d.

    Returns:
        The distance, at least 0, 0 for equal means and covariances. It is biased upwards by few samples: compare values
        of equal counts. Uncertainty: its standard error over draws of both sides, without that bias.

    Raises:
        TooFewSamplesError: no more samples than features: the covariance is singular and the value means nothing.
        ValueError: widths differ, or a feature is not finite.

    Reference: Heusel et al. 2017, equation 6; Dowson & Landau 1982 for the closed form.
    """
    check_features(real=real_features, fake=fake_features)
    needed = real_features.shape[1] + 1
    require_samples("a Frechet distance", needed, real=len(real_features), generated=len(fake_features))
    real, fake = Moments.of(real_features).gaussian, Moments.of(fake_features).gaussian
    factor = _factor(real.covariance)
    values, vectors = np.linalg.eigh(_seen_from(factor, fake))
    there, back = _transports(factor, values, vectors)
    error = np.hypot(
        _error(real_features, real, fake.mean, there),
        _error(fake_features, fake, real.mean, back),
    )
    return Estimate(_distance(real, fake, values), float(error))


def _distance(first: Gaussian, second: Gaussian, values: np.ndarray) -> float:
    """The distance, from the eigenvalues of `_seen_from`."""
    gap = first.mean - second.mean
    trace = np.trace(first.covariance) + np.trace(second.covariance) - 2 * np.sqrt(np.maximum(values, 0)).sum()
    return max(0.0, float(gap @ gap + trace))


def _seen_from(factor: np.ndarray, gaussian: Gaussian) -> np.ndarray:
    """F' C F."""
    _check_widths(factor, gaussian.covariance)
    return factor.T @ (gaussian.covariance @ factor)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """F with F F' = the covariance."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:  # singular
        values, vectors = np.linalg.eigh(covariance)
        return vectors * _power(values, 0.5)


def _transports(factor: np.ndarray, values: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The linear maps that take the first Gaussian to the second in the optimal way, and back, [d, d] each.

    A direction in which one of them does not vary has no map.

    Args:
        factor: of the first covariance.
        values: eigenvalues of `_seen_from` this factor, and `vectors` its eigenvectors.
        vectors: see `values`.
    """
    try:
        there = np.linalg.solve(factor.T, vectors * _power(values, 0.25))
    except np.linalg.LinAlgError:  # singular
        there = np.linalg.pinv(factor.T) @ (vectors * _power(values, 0.25))
    back = factor @ (vectors * _power(values, -0.25))
    return there @ there.T, back @ back.T


def _power(values: np.ndarray, exponent: float) -> np.ndarray:
    """Powers of a covariance's eigenvalues, 0 for those that are 0 but for rounding."""
    some = values > values[-1] * len(values) * np.finfo(values.dtype).eps
    return np.power(values, exponent, out=np.zeros_like(values), where=some)


def _error(features: np.ndarray, own: Gaussian, other_mean: np.ndarray, transport: np.ndarray) -> float:
    """The standard error of the distance by that of one side, of which at most ERROR_SAMPLES are looked at.

    To first order a feature x moves the distance by (x - m)' (I - T) (x - m) + 2 (m - m')' (x - m), where T takes its
    Gaussian to the other one (Rippl, Munk & Sturm 2016, theorem 2.1).
    """
    bend, slope = np.eye(len(transport)) - transport, 2 * (own.mean - other_mean)
    some = features[:: max(1, len(features) // ERROR_SAMPLES)] - own.mean
    moves = np.einsum("nd,nd->n", some @ bend + slope, some)
    return float(moves.std(ddof=1) / np.sqrt(len(features)))


def _check_widths(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise ValueError(f"features have one width; received {len(first)} and {len(second)}")
