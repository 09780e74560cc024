"""Gaussian mixtures in the plane: data whose modes are known, so that a collapse can be counted."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.catalog import lookup


class Mixture(NamedTuple):
    """Isotropic Gaussians of equal weight.

    Attributes:
        centres: [modes, 2] float64.
        sigma: standard deviation along each axis.
    """

    centres: np.ndarray
    sigma: float


def ring() -> Mixture:
    """Eight Gaussians on a circle of radius 1, sigma 0.01.

    Reference: Srivastava et al. 2017 and Lin et al. 2018, "2D-ring".
    """
    angles = 2 * np.pi * np.arange(8) / 8
    return Mixture(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01)


def grid() -> Mixture:
    """Twenty-five Gaussians on {-4, -2, 0, 2, 4} squared, sigma 0.05.

    Reference: Srivastava et al. 2017 and Lin et al. 2018, "2D-grid".
    """
    axis = np.arange(-4.0, 5, 2)
    return Mixture(np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2), 0.05)


def square() -> Mixture:
    """Eight Gaussians on the edge of a square, {-2, 0, 2} squared without its middle, sigma 0.05.

    Not of the papers: a second domain, into which the ring's modes can be moved one to one.
    """
    axis = np.arange(-2.0, 3, 2)
    centres = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return Mixture(centres[np.abs(centres).any(axis=1)], 0.05)


def of_source(source: str) -> Mixture:
    """The mixture of a `Data.source` such as `mixture:ring`, or of `ring` alone.

    Raises:
        ValueError: the catalog has no mixture of this name.
    """
    mixture: Mixture = lookup("mixture", source.removeprefix("mixture:"))()
    return mixture


def behind(source: str) -> Mixture | None:
    """The mixture that a source draws from; None for any other source, which may have points, too."""
    return of_source(source) if source.startswith("mixture:") else None


def sample(mixture: Mixture, count: int, seed: int | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Independent points.

    Args:
        mixture: to draw from.
        count: how many, at least 0.
        seed: equal seeds draw equal points.

    Returns:
        Points, [count, 2] float32, and the modes that they were drawn from, [count] int64.
    """
    random = np.random.default_rng(seed)
    modes = random.integers(len(mixture.centres), size=count)
    points = mixture.centres[modes] + mixture.sigma * random.standard_normal((count, 2))
    return points.astype(np.float32), modes
