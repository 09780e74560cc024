"""Mode coverage of mixtures: how many modes are drawn, how well, and how evenly."""

import numpy as np

from models.metrics.estimate import Estimate, TooFewSamplesError, require_samples, wilson_error
from models.mixtures import Mixture

DEVIATIONS = 3
"""A point is of high quality within so many standard deviations of the nearest centre."""


def nearest_modes(points: np.ndarray, mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
    """The mode of each point, and whether the point is of high quality.

    Args:
        points: [n, 2] float.
        mixture: whose modes.

    Returns:
        The index of the nearest centre, [n] int64, and which points lie within DEVIATIONS of it, [n] bool.

    Raises:
        ValueError: points of another shape, or not finite.
    """
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points are [samples, 2]; received shape {list(points.shape)}")
    if not np.isfinite(points).all():
        raise ValueError(f"points are finite; {(~np.isfinite(points)).any(axis=1).sum()} of {len(points)} are not")
    distances = np.linalg.norm(points.astype(np.float64)[:, None] - mixture.centres, axis=2)
    return distances.argmin(axis=1), distances.min(axis=1) <= DEVIATIONS * mixture.sigma


def modes(fake_points: np.ndarray, mixture: Mixture, *, samples: int = 2_500) -> Estimate:
    """How many modes have at least one sample of high quality.

    Args:
        fake_points: [n >= samples, 2] float; the first `samples` count, as more of them reach more modes.
        mixture: whose modes.
        samples: the protocol's number.

    Returns:
        The count, from 0 to the number of modes, without uncertainty.

    Raises:
        TooFewSamplesError: fewer than `samples`.
        ValueError: points of another shape, or not finite.

    Reference: Lin et al. 2018 (PacGAN), section 4.1, after Srivastava et al. 2017.
    """
    return Estimate(float((_histogram(fake_points, mixture, samples) > 0).sum()), protocol=f"first {samples:,} samples")


def high_quality(fake_points: np.ndarray, mixture: Mixture, *, samples: int = 2_500) -> Estimate:
    """Share of samples within three standard deviations of the nearest centre.

    Args:
        fake_points: [n >= samples, 2] float; the first `samples` count.
        mixture: whose modes.
        samples: the protocol's number.

    Returns:
        The share, 1 - exp(-9/2) = 0.989 for the mixture itself; uncertainty: Wilson's.

    Raises:
        TooFewSamplesError: fewer than `samples`.
        ValueError: points of another shape, or not finite.

    Reference: Lin et al. 2018, section 4.1.
    """
    share = float(_histogram(fake_points, mixture, samples).sum() / samples)
    return Estimate(share, wilson_error(share, samples), protocol=f"first {samples:,} samples", trials=samples)


def reverse_kl(fake_points: np.ndarray, mixture: Mixture, *, samples: int = 2_500) -> Estimate:
    """KL(modes drawn || uniform): how unevenly the modes are drawn, by samples of high quality.

    Args:
        fake_points: [n >= samples, 2] float; the first `samples` count.
        mixture: whose modes.
        samples: the protocol's number.

    Returns:
        The divergence in nats, from 0 to the logarithm of the number of modes; about (modes - 1) / (2 samples) for the
        mixture itself. Uncertainty: see `kl_to_uniform`.

    Raises:
        TooFewSamplesError: fewer than `samples`, or none of high quality, which have no distribution.
        ValueError: points of another shape, or not finite.

    Reference: Lin et al. 2018, section 4.1. Which samples make the histogram the paper leaves open; these are those of
    the authors' code.
    """
    value, error = kl_to_uniform(_histogram(fake_points, mixture, samples))
    return Estimate(value, error, protocol=f"first {samples:,} samples")


def kl_to_uniform(counts: np.ndarray) -> tuple[float, float]:
    """KL(counts / their sum || uniform) in nats, and its standard error.

    Args:
        counts: [bins] of at least 0.

    Returns:
        The divergence, and its standard error to first order, which is 0 for even counts: there the divergence is all
        bias.

    Raises:
        TooFewSamplesError: all are 0.
    """
    if not counts.sum():
        raise TooFewSamplesError("a divergence of modes needs a sample that belongs to one; none does")
    shares = counts[counts > 0] / counts.sum()
    logs = np.log(shares * len(counts))
    value = float((shares * logs).sum())
    return max(0.0, value), float(np.sqrt((shares * (logs - value) ** 2).sum() / counts.sum()))


def _histogram(points: np.ndarray, mixture: Mixture, samples: int) -> np.ndarray:
    """Samples of high quality by their mode, [modes]."""
    require_samples("mode coverage", samples, generated=len(points))
    nearest, near = nearest_modes(points[:samples], mixture)
    return np.bincount(nearest[near], minlength=len(mixture.centres))
