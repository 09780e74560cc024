"""Frechet distance between Gaussians fitted to features."""

from typing import NamedTuple

import numpy as np

from models.metrics.estimate import Estimate, check_features, require_samples


class Moments(NamedTuple):
    """What the distance needs to know of features.

    Attributes:
        mean: [d] float64.
        covariance: [d, d] float64, unbiased.
    """

    mean: np.ndarray
    covariance: np.ndarray


def moments(features: np.ndarray) -> Moments:
    """Mean and unbiased covariance in float64.

    Args:
        features: [n >= 2, d] float.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    residual = features - mean
    return Moments(mean, residual.T @ residual / (len(features) - 1))


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
    return Estimate(gaussian_distance(moments(real_features), moments(fake_features)))
