"""Parzen window log-likelihood: how probable held-out data are under a density fitted to samples."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.metrics.estimate import check_features, require_samples, standard_error
from models.metrics.threads import product_a_thread

BLOCK_BYTES = 2**24
"""Distances that a thread holds at a time."""

GRID = tuple(np.logspace(-1, 0, 10).tolist())
"""Bandwidths that are tried first, for pixels in [0, 1]."""

FINE = 9
"""Bandwidths that are tried from one neighbour of GRID's best to the other: in hundreds of dimensions a step of GRID
costs nats."""

MOVES = 6
"""How often the grid is moved on when its best is at an end."""


class Parzen(NamedTuple):
    """A Parzen window estimate.

    Attributes:
        value: mean log-likelihood of the test data, nats.
        uncertainty: its standard error over the test data.
        bandwidth: h, as chosen on the validation data.
    """

    value: float
    uncertainty: float
    bandwidth: float


def parzen(samples: np.ndarray, test: np.ndarray, validation: np.ndarray) -> Parzen:
    """Mean log-likelihood of test data under Gaussians around samples, their width chosen on validation data.

    Args:
        samples: [N, d] float, of a generator; the usual protocol takes 10,000.
        test: [m >= 2, d] float, of the same unit: pixels in [0, 1] to compare with published numbers.
        validation: [v, d] float, data that the generator was not trained on either.

    Returns:
        The mean, its standard error, and the bandwidth.

    Raises:
        TooFewSamplesError: no samples, no validation data, or fewer than 2 test points.
        ValueError: widths differ, a value is not finite, or no bandwidth is best.

    Reference: Breuleux, Bengio & Vincent 2011; the protocol of Goodfellow et al. 2014, section 5, whose grid of ten
    bandwidths we refine. Theis et al. 2016 say why the number is no measure of pictures.
    """
    require_samples("a Parzen window", 2, test=len(test))
    bandwidth = choose_bandwidth(samples, validation)
    values = log_likelihood(samples, test, bandwidth)
    return Parzen(float(values.mean()), standard_error(values), bandwidth)


def choose_bandwidth(samples: np.ndarray, validation: np.ndarray) -> float:
    """The bandwidth under which validation data are most probable.

    The best of GRID, which is moved on as need be; then the best between its neighbours, and the vertex of a parabola
    through that one and its own neighbours.

    Args:
        samples: [N, d] float.
        validation: [v, d] float.

    Raises:
        TooFewSamplesError: no samples, or no validation data.
        ValueError: as `log_likelihoods`; or the likelihood grows to the last bandwidth that is tried, as it does where
            samples repeat the validation data.
    """
    grid = np.array(GRID)
    score = functools.partial(_mean_log_likelihoods, samples, validation)
    for _ in range(MOVES):
        best = int(score(grid).argmax())
        if 0 < best < len(grid) - 1:
            fine = np.geomspace(grid[best - 1], grid[best + 1], FINE)
            return _vertex(np.log(fine), score(fine))
        # The end and its neighbour stay in the grid.
        grid = grid * (grid[0] / grid[-2] if best == 0 else grid[-1] / grid[1])
    raise ValueError(
        "a bandwidth is chosen where smaller and larger ones are worse; the likelihood of the validation data grows "
        f"towards {'0' if best == 0 else 'infinity'}: samples that repeat the data have no best one"
    )


def log_likelihood(samples: np.ndarray, points: np.ndarray, h: float) -> np.ndarray:
    """Log density of points under equal Gaussians around samples.

    log p(x) = logsumexp_i(-||x - x_i||^2 / (2 h^2)) - log N - (d / 2) log(2 pi h^2)

    Args:
        samples: [N >= 1, d] float.
        points: [m >= 1, d] float.
        h: standard deviation of the Gaussians, > 0.

    Returns:
        [m] float64, nats.

    Raises:
        TooFewSamplesError: no samples or points.
        ValueError: widths differ, a value is not finite, or `h` is not positive.
    """
    return log_likelihoods(samples, points, [h])[0]


def log_likelihoods(samples: np.ndarray, points: np.ndarray, bandwidths: Sequence[float] | np.ndarray) -> np.ndarray:
    """`log_likelihood` for several bandwidths at the cost of one set of distances, [bandwidths, m] float64.

    Memory grows with neither N times m nor the number of bandwidths; all cores take part.
    """
    check_features(samples=samples, points=points)
    require_samples("a Parzen window", 1, generated=len(samples), real=len(points))
    scales = np.asarray(bandwidths, np.float64)
    if not (scales > 0).all() or not np.isfinite(scales).all():
        raise ValueError(f"a bandwidth is positive; received {', '.join(f'{h:g}' for h in scales)}")
    samples, points = samples.astype(np.float64), points.astype(np.float64)
    norms = np.einsum("nd,nd->n", samples, samples)
    rows = max(1, BLOCK_BYTES // (8 * len(samples)))
    blocks = [points[start : start + rows] for start in range(0, len(points), rows)]
    with product_a_thread() as pool:
        parts = pool.map(lambda block: _block(samples, norms, block, scales), blocks)
        sums = np.concatenate(list(parts), axis=1)
    constant = np.log(len(samples)) + samples.shape[1] / 2 * np.log(2 * np.pi * scales**2)
    return sums - constant[:, None]


def _vertex(logs: np.ndarray, scores: np.ndarray) -> float:
    """The bandwidth at the top of the parabola through the best and its neighbours; `logs` are equally far apart."""
    best = int(np.clip(scores.argmax(), 1, len(logs) - 2))
    before, top, after = scores[best - 1 : best + 2]
    curvature = before - 2 * top + after
    offset = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
    return float(np.exp(logs[best] + np.clip(offset, -1, 1) * (logs[1] - logs[0])))


def _mean_log_likelihoods(samples: np.ndarray, points: np.ndarray, bandwidths: np.ndarray) -> np.ndarray:
    return log_likelihoods(samples, points, bandwidths).mean(axis=1)


def _block(samples: np.ndarray, norms: np.ndarray, points: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The log-sum-exp of some points for each bandwidth, [bandwidths, points]."""
    distances = points @ samples.T
    distances *= -2
    distances += norms
    distances += np.einsum("md,md->m", points, points)[:, None]
    nearest = np.maximum(distances.min(axis=1, keepdims=True), 0)
    distances -= nearest
    powers, sums = np.empty_like(distances), np.empty((len(scales), len(points)))
    for row, h in enumerate(scales):
        np.multiply(distances, -1 / (2 * h**2), out=powers)
        np.exp(powers, out=powers)
        sums[row] = np.log(powers.sum(axis=1)) - nearest[:, 0] / (2 * h**2)
    return sums
