"""Frechet distance between Gaussians fitted to features."""

from typing import NamedTuple

import numpy as np

from models.metrics.estimate import Estimate, check_features, require_samples


class Moments(NamedTuple):
    """What the distance needs to know of features: that of a whole follows from that of its parts.

    Attributes:
        count: rows.
        mean: [d] float64.
        scatter: [d, d] float64, the sum of the outer products of the deviations from the mean.

    Reference: Chan, Golub & LeVeque 1983 for the merge.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Moments":
        """Of features [n >= 1, d]."""
        mean = features.mean(axis=0, dtype=np.float64)
        residual = features - mean
        return cls(len(features), mean, residual.T @ residual)

    def merge(self, other: "Moments") -> "Moments":
        """Of both together."""
        count = self.count + other.count
        gap = other.mean - self.mean
        scatter = self.scatter + other.scatter + np.outer(gap, gap) * (self.count * other.count / count)
        return Moments(count, self.mean + gap * (other.count / count), scatter)

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased, [d, d]; of at least 2 rows."""
        return self.scatter / (self.count - 1)


def gaussian_distance(first: Moments, second: Moments) -> float:
    """||m1 - m2||^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    The trace of (C1 C2)^(1/2) is that of (R C2 R)^(1/2) with R = C1^(1/2): symmetric, so its eigenvalues are real and a
    singular covariance is no trouble, which a matrix square root of C1 C2 does not give.

    Raises:
        ValueError: the widths differ.
    """
    if first.mean.shape != second.mean.shape:
        raise ValueError(f"features have one width; received {len(first.mean)} and {len(second.mean)}")
    values, vectors = np.linalg.eigh(first.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    inner = np.linalg.eigvalsh(root @ second.covariance @ root)
    trace = np.trace(first.covariance) + np.trace(second.covariance) - 2 * np.sqrt(np.maximum(inner, 0)).sum()
    gap = first.mean - second.mean
    return max(0.0, float(gap @ gap + trace))


def frechet_distance(real_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """Frechet distance of two sets of features. It is FID only with Inception-v3's pool3 features.

    Args:
        real_features: [n, d] float, n > d.
        fake_features: [m, d] float, m > d.

    Returns:
        The distance, at least 0, 0 for equal means and covariances. It is biased upwards by few samples: compare values
        of equal counts. No uncertainty.

    Raises:
        TooFewSamplesError: no more samples than features: the covariance is singular and the value means nothing.
        ValueError: widths differ, or a feature is not finite.

    Reference: Heusel et al. 2017, equation 6; Dowson & Landau 1982 for the closed form.
    """
    check_features(real=real_features, fake=fake_features)
    needed = real_features.shape[1] + 1
    require_samples("a Frechet distance", needed, real=len(real_features), generated=len(fake_features))
    return Estimate(gaussian_distance(Moments.of(real_features), Moments.of(fake_features)))
