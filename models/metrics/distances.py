"""Euclidean distances between many points, a block of rows at a time, so that memory stays bounded."""

from collections.abc import Iterator

import numpy as np

BLOCK_BYTES = 2**26


def centred(*points: np.ndarray) -> list[np.ndarray]:
    """The points moved by the mean of the first set, as float32.

    The expansion of a squared distance loses the digits that its terms share; about their centre they share few,
    so float32 is enough and twice as fast.
    """
    mean = points[0].mean(axis=0, dtype=np.float64)
    return [(each - mean).astype(np.float32) for each in points]


def squared_distances(rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances by blocks of rows.

    Args:
        rows: [n, d] float.
        columns: [m, d] of the same dtype.

    Yields:
        Which rows, and their distances to all columns, [block, m], at least 0.
    """
    column_norms = np.einsum("md,md->m", columns, columns)
    step = max(1, BLOCK_BYTES // max(1, columns.itemsize * len(columns)))
    for start in range(0, len(rows), step):
        block = slice(start, min(start + step, len(rows)))
        distances = rows[block] @ columns.T
        distances *= -2
        distances += column_norms
        distances += np.einsum("nd,nd->n", rows[block], rows[block])[:, None]
        yield block, np.maximum(distances, 0, out=distances)


def neighbour_radii(points: np.ndarray, k: int) -> np.ndarray:
    """The squared distance of each point to its k-th nearest other point.

    Args:
        points: [n > k, d] float.
        k: 1 for the nearest.

    Returns:
        [n], of the points' dtype.
    """
    radii = np.empty(len(points), points.dtype)
    for block, distances in squared_distances(points, points):
        distances[np.arange(len(distances)), np.arange(block.start, block.stop)] = np.inf
        radii[block] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return radii


def equal_parts(points: np.ndarray, size: int) -> list[np.ndarray]:
    """The points in parts of `size`, what is left over dropped; all of them as one part where they are fewer."""
    parts = max(1, len(points) // size)
    return [points[part * size : (part + 1) * size] for part in range(parts)]


def nearest(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's nearest column.

    Args:
        rows: [n, d] float.
        columns: [m, d] of the same dtype.

    Returns:
        Its index, [n] int64, and its squared distance, [n].
    """
    index, least = np.empty(len(rows), np.int64), np.empty(len(rows), rows.dtype)
    for block, distances in squared_distances(rows, columns):
        index[block] = distances.argmin(axis=1)
        least[block] = distances.min(axis=1)
    return index, least
