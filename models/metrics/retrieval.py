"""Retrieval: the rank at which a translation finds its true partner among all held-out ones."""

import numpy as np

from models.metrics.distances import centred, squared_distances
from models.metrics.estimate import Estimate, check_features, require_samples, standard_error


def retrieval(true_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """Mean reciprocal rank of the true partner, where each output asks for its nearest truth by Euclidean distance.

    An output that shows what its input shows is nearest to its own partner, whatever of its style is amiss; one that
    draws a fine picture of something else is not. A pixel error sees neither.

    Args:
        true_features: [n >= 2, d] float, of what the outputs ought to be: the candidates.
        fake_features: [n, d] float, row by row.

    Returns:
        The mean of 1 / rank, in (0, 1]: 1 where each finds its partner first. A rank counts the truths that are nearer,
        and half of the others that are as near, so that outputs which are all alike gain nothing by it. By chance it is
        about (ln n + 0.58) / n, and so only values of equal n compare: the protocol says it. Uncertainty: the standard
        error, of independent outputs among given candidates.

    Raises:
        TooFewSamplesError: fewer than 2 pairs.
        ValueError: shapes differ, or a feature is not finite.

    Reference: Voorhees 1999 for the measure.
    """
    check_features(real=true_features, translated=fake_features)
    if len(true_features) != len(fake_features):
        raise ValueError(
            f"retrieval is of pairs; received {len(true_features)} true and {len(fake_features)} translated"
        )
    require_samples("retrieval", 2, real=len(true_features))
    found = 1 / ranks(*centred(true_features, fake_features))
    return Estimate(float(found.mean()), standard_error(found), protocol=f"among {len(found):,}")


def ranks(truth: np.ndarray, made: np.ndarray) -> np.ndarray:
    """The rank of each row's truth among all, by the distance from what was made.

    Args:
        truth: [n, d] float.
        made: [n, d] of the same dtype, row by row.

    Returns:
        [n] float64, 1 for the nearest; others as near count half. Equal truths are as near as one another.
    """
    _, same = np.unique(truth, axis=0, return_inverse=True)
    found = np.empty(len(made))
    for block, distances in squared_distances(made, truth):
        rows = np.arange(block.start, block.stop)
        own = distances[np.arange(len(rows)), rows][:, None]
        tied = (distances == own) | (same == same[rows][:, None])
        found[block] = 1 + ((distances < own) & ~tied).sum(axis=1) + (tied.sum(axis=1) - 1) / 2
    return found
