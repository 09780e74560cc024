"""Who lies near whom: one pass over all distances, from which precision, recall, density and coverage are read."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from models.metrics.distances import centred
from models.metrics.estimate import check_features, require_samples
from models.metrics.threads import product_a_thread

TILE = 1_024
"""Rows and columns of the distances that a thread holds at a time."""


@dataclasses.dataclass(frozen=True)
class Neighbourhoods:
    """What four metrics say, before the mean is taken.

    The neighbourhood of a point reaches to its k-th nearest other point of its own set.

    Attributes:
        k: of `inside` and `reached`.
        density_k: of `around` and `covered`.
        inside: [m] bool, samples in the neighbourhood of some real example.
        around: [m] int64, how many real neighbourhoods a sample lies in.
        reached: [n] float64 in [0, 1], the share of parts that have a neighbourhood with the real example in it.
        covered: [n] float64 in [0, 1], the share of parts that have a sample in the real example's neighbourhood.
    """

    k: int
    density_k: int
    inside: np.ndarray
    around: np.ndarray
    reached: np.ndarray
    covered: np.ndarray


def neighbourhoods(
    real_features: np.ndarray, fake_features: np.ndarray, *, k: int = 3, density_k: int = 5
) -> Neighbourhoods:
    """Compares every sample with every real example, once.

    More samples have smaller neighbourhoods and cover more, so `reached` and `covered` are taken over parts of as many
    samples as there are real examples, the equal counts of both papers.

    Memory grows with neither n times m nor n squared; all cores take part.

    Args:
        real_features: [n, d] float, n > k and density_k.
        fake_features: [m, d] float, m > k and density_k.
        k: Kynkaanniemi's 3.
        density_k: Naeem's 5.

    Raises:
        TooFewSamplesError: no more samples in a set than neighbours.
        ValueError: widths differ, or a feature is not finite.

    Reference: Kynkaanniemi et al. 2019, equations 1 to 3; Naeem et al. 2020, equations 5 and 6.
    """
    check_features(real=real_features, fake=fake_features)
    most = max(k, density_k)
    require_samples(f"neighbourhoods of {most}", most + 1, real=len(real_features), generated=len(fake_features))
    real, fake = centred(real_features, fake_features)
    near = nearest_distances(real, most)
    real_radii, dense_radii = near[:, k - 1, None], near[:, density_k - 1, None]
    inside, around = np.zeros(len(fake), bool), np.zeros(len(fake), np.int64)
    reached, covered = np.zeros(len(real)), np.zeros(len(real))
    parts = max(1, len(fake) // len(real))
    for part in _slices(len(fake), len(real) if len(fake) > len(real) else len(fake)):
        whole = part.start < parts * len(real)
        # What is left over is no part of equal count: no real example counts it.
        radii = nearest_distances(fake[part], k)[:, k - 1] if whole else np.full(part.stop - part.start, -np.inf)
        reached_here, covered_here = np.zeros(len(real), bool), np.zeros(len(real), bool)

        def compare(rows: slice, columns: slice, distances: np.ndarray, radii: np.ndarray = radii) -> tuple[Any, ...]:
            dense = distances <= dense_radii[rows]
            return (
                (distances <= real_radii[rows]).any(axis=0),
                np.count_nonzero(dense, axis=0),
                (distances <= radii[columns]).any(axis=1),
                dense.any(axis=1),
            )

        for rows, columns, (is_inside, count, is_reached, is_covered) in _tiled(compare, real, fake[part]):
            inside[part][columns] |= is_inside
            around[part][columns] += count
            reached_here[rows] |= is_reached
            covered_here[rows] |= is_covered
        if whole:
            reached += reached_here
            covered += covered_here
    return Neighbourhoods(k, density_k, inside, around, reached / parts, covered / parts)


def nearest_distances(points: np.ndarray, k: int) -> np.ndarray:
    """The squared distances of each point to its k nearest other points.

    Args:
        points: [n > k, d] float.
        k: at least 1.

    Returns:
        [n, k], of the points' dtype, in order.
    """
    near = np.full((len(points), k), np.inf, points.dtype)

    def least(rows: slice, columns: slice, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        if rows == columns:
            np.fill_diagonal(distances, np.inf)
            return _least(distances, k), None
        return _least(distances, k), _least(distances.T, k)

    for rows, columns, (of_rows, of_columns) in _tiled(least, points):
        near[rows] = _least(np.concatenate([near[rows], of_rows], axis=1), k)
        if of_columns is not None:
            near[columns] = _least(np.concatenate([near[columns], of_columns], axis=1), k)
    return np.sort(near, axis=1)


def _least(distances: np.ndarray, k: int) -> np.ndarray:
    """The k least of each row, in any order; all of them where there are fewer."""
    if distances.shape[1] <= k:
        return distances
    # A row that is not contiguous takes ten times as long.
    return np.partition(np.ascontiguousarray(distances), k - 1, axis=1)[:, :k]


def _tiled(
    function: Callable[[slice, slice, np.ndarray], Any], rows: np.ndarray, columns: np.ndarray | None = None
) -> Iterator[tuple[slice, slice, Any]]:
    """A function of the squared distances of each tile; without `columns` of the rows, on and above the diagonal."""
    others = rows if columns is None else columns
    row_norms, other_norms = (np.einsum("nd,nd->n", side, side) for side in (rows, others))

    def tile(at: tuple[slice, slice]) -> tuple[slice, slice, Any]:
        down, across = at
        distances = rows[down] @ others[across].T
        distances *= -2
        distances += row_norms[down, None]
        distances += other_norms[across]
        return down, across, function(down, across, np.maximum(distances, 0, out=distances))

    grid = [(down, across) for down in _slices(len(rows), TILE) for across in _slices(len(others), TILE)]
    tiles = [at for at in grid if columns is not None or at[0].start <= at[1].start]
    with product_a_thread() as pool:
        yield from pool.map(tile, tiles)


def _slices(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
