"""A look at samples during training: how far they are from real examples, and how varied, at little cost.

Images are compared in the features of a small convolutional network whose random weights never change, points of the
plane as they are. Random features rank the stages of a training much as trained ones do, and owe nothing to a data set
(Naeem et al. 2020, section 4.3).
"""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from threadpoolctl import threadpool_limits

from models.metrics.distances import squared_distances
from models.training.history import DISTANCE

DIVERSITY, NEAR_DUPLICATES = "look_diversity", "look_near_duplicates"
PRECISION, COVERAGE = "look_precision", "look_coverage"
PAIR_DISTANCE = "look_pair_distance"
"""How far, in the same features, each example is from the one that it ought to be, over the mean distance of two."""

NAMES = (DISTANCE, DIVERSITY, NEAR_DUPLICATES, PRECISION, COVERAGE)

SMALLEST_MAP = 4
WIDEST_MAP = 128

NEIGHBOURS_SHARE = 50
"""The neighbourhood of a real example holds one in so many of the others, and at least MIN_NEIGHBOURS."""

MIN_NEIGHBOURS = 3

GROUP = 8
"""Classes of fewer real examples than this are looked at together."""

PART_VALUES = 2**20
"""Values that are generated or looked at in one go: it bounds the memory of the layers."""


class Reference:
    """Real examples, which every look compares with.

    Args:
        real: [n >= 2, r, r, c] images in [-1, 1] or [n, 2] points, float32.
        labels: [n] int, the classes that are asked for; None where the generator takes none. Variety and distance are
            then those within a class: one picture a class is no variety.

    Raises:
        ValueError: there are fewer than 2 examples.
    """

    def __init__(self, real: np.ndarray, labels: np.ndarray | None = None):
        if len(real) < 2:
            raise ValueError(f"a look at samples compares with at least 2 examples; received {len(real)}")
        self._real = _features_of_all(real)
        within = _distances(self._real, self._real)
        self._inside, self._across = _weights(_groups(labels, len(real)))
        self._mean = float((self._inside * within).sum())
        np.fill_diagonal(within, np.inf)
        near = np.sort(within, axis=1)
        self._radii = near[:, min(max(MIN_NEIGHBOURS, len(real) // NEIGHBOURS_SHARE), len(real) - 1) - 1]
        # Over distinct examples: where some stand twice, the percentile would be 0, and copies would be no twins.
        distinct = np.unique(self._real, axis=0, return_index=True)[1]
        apart = within[np.ix_(distinct, distinct)].min(axis=1) if len(distinct) > 1 else np.zeros(1)
        self._twins = np.percentile(apart, 1)

    def pair_distance(self, fake: np.ndarray) -> float:
        """The figure PAIR_DISTANCE of examples, each of which ought to be the real one of its row; NaN as in `look`."""
        if not np.isfinite(fake).all():
            return np.nan
        return float(np.linalg.norm(self._real - _features_of_all(fake), axis=1).mean() / (self._mean or 1.0))

    def look(self, fake: np.ndarray) -> dict[str, float]:
        """Compares generated examples with the real ones.

        Args:
            fake: as many as there are real ones, of their shape, each of its real one's class; float32.

        Returns:
            By NAMES, all NaN where an example is not finite:
            the energy distance 2 E|x-y| - E|x-x'| - E|y-y'|, over E|x-x'| of the real ones: unbiased, so about 0 for
            equal distributions, and 1 or more for one fixed example;
            mean distance of pairs, real = 1;
            share of examples that have another as near as only the nearest 1 % of distinct real ones have, real = 0.01;
            share of generated examples in the neighbourhood of a real one, and of real ones with a generated one in
            theirs; real = about 1.

        Reference: Szekely & Rizzo 2013 for the distance, a maximum mean discrepancy (Sejdinovic et al. 2013);
        Kynkaanniemi et al. 2019 and Naeem et al. 2020 for the shares.
        """
        if not np.isfinite(fake).all():
            return dict.fromkeys(NAMES, np.nan)
        seen = _features_of_all(fake)
        across, within = _distances(self._real, seen), _distances(seen, seen)
        variety = float((self._inside * within).sum())
        np.fill_diagonal(within, np.inf)
        unit = self._mean or 1.0
        values = (
            (2 * (self._across * across).sum() - self._mean - variety) / unit,
            variety / unit,
            (within.min(axis=1) <= self._twins).mean(),
            (across <= self._radii[:, None]).any(axis=0).mean(),
            (across.min(axis=1) <= self._radii).mean(),
        )
        return dict(zip(NAMES, map(float, values), strict=True))


def features(examples: np.ndarray) -> np.ndarray:
    """What a look sees of examples.

    Args:
        examples: [n, r, r, c] images in [-1, 1], r at least 4, or [n, 2] points; float32.

    Returns:
        [n, d] float64, d at most 4 * 4 * WIDEST_MAP: maps of 3x3 convolutions with stride 2, leaky ReLU and He et al.'s
        weights, the same in every process, down to at most 7 pixels a side; points as they are.
    """
    if examples.ndim == 2:
        return examples.astype(np.float64)
    x, channels = tf.convert_to_tensor(examples), 32
    layer = 0
    while x.shape[1] >= 2 * SMALLEST_MAP:
        shape = [3, 3, x.shape[-1], channels]
        weights = tf.random.stateless_normal(shape, [layer, 0], alg="philox") * np.sqrt(2 / np.prod(shape[:3]))
        x = tf.nn.leaky_relu(tf.nn.conv2d(x, weights, 2, "SAME"), 0.2)
        layer, channels = layer + 1, min(2 * channels, WIDEST_MAP)
    return tf.reshape(x, [len(x), -1]).numpy().astype(np.float64)


def parts(examples: np.ndarray) -> Iterator[slice]:
    """Slices of so few examples that what is computed of them stays within the memory of a training step or so."""
    size = max(1, PART_VALUES // max(1, examples[0].size))
    for start in range(0, len(examples), size):
        yield slice(start, min(start + size, len(examples)))


def _features_of_all(examples: np.ndarray) -> np.ndarray:
    return np.concatenate([features(examples[part]) for part in parts(examples)])


def _distances(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    # Threads that wait for each other cost such small products many times their time on a busy machine.
    with threadpool_limits(1, user_api="blas"):
        return np.sqrt(np.concatenate([block for _, block in squared_distances(rows, columns)]))


def _groups(labels: np.ndarray | None, count: int) -> np.ndarray:
    """The group of each example, [count] int: its class, or 0."""
    if labels is None:
        return np.zeros(count, np.int64)
    classes, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.where(sizes[index] >= GROUP, index, len(classes))


def _weights(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of pairs that make means within groups, each group by its size: of different examples, and of all pairs.

    A group of one example has no pair of different ones and counts in neither.
    """
    _, index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    same = (groups[:, None] == groups) & (sizes[index] > 1)
    size = np.maximum(sizes[index], 2)
    total = same.any(axis=1).sum()
    inside = same / (size - 1)
    np.fill_diagonal(inside, 0)
    return inside / total, same / size / total
