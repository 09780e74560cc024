"""Memorisation: are samples nearer to training data than held-out data are?"""

import numpy as np

from models.metrics.distances import centred, nearest
from models.metrics.estimate import (
    Estimate,
    NoEstimateError,
    check_features,
    ratio_error,
    require_samples,
    standard_error,
)

PERCENTILE = 1


def memorisation(train_features: np.ndarray, real_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """Share of samples that are nearer to a training example than all but the nearest 1 % of held-out examples are.

    Args:
        train_features: [t, d] float, of all that the generator was trained on.
        real_features: [n >= 100, d] float, of data held out from it: fewer have no first percentile.
        fake_features: [m >= 2, d] float.

    Returns:
        The share, 0.01 for samples as new as held-out data, 1 for a generator that returns what it was trained on;
        uncertainty: its binomial standard error, that of the percentile included.

    Raises:
        TooFewSamplesError: no training example, or fewer than 100 held out or 2 generated.
        ValueError: widths differ, or a feature is not finite.

    Reference: the distance to the nearest training example as Meehan, Chaudhuri & Dasgupta 2020, section 3, compare it,
    by a percentile in the place of their rank test: a share is read without a table.
    """
    held_out, made = _gaps("memorisation", 100, train_features, real_features, fake_features)
    near = made < np.percentile(held_out, PERCENTILE)
    share, expected = float(near.mean()), PERCENTILE / 100
    error = np.hypot(
        np.sqrt(share * (1 - share) / len(near)),
        # The percentile is one of few held-out distances: its own share is that uncertain.
        np.sqrt(expected * (1 - expected) / len(held_out)),
    )
    return Estimate(share, float(error), protocol="1st percentile of held-out to training")


def novelty(train_features: np.ndarray, real_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """Mean distance of samples to the nearest training example, as a ratio to that of held-out data.

    Args:
        train_features: [t, d] float, of all that the generator was trained on.
        real_features: [n >= 2, d] float, of data held out from it.
        fake_features: [m >= 2, d] float.

    Returns:
        The ratio, about 1 for samples as new as held-out data, 0 for a generator that returns what it was trained on;
        noise makes it grow too. Uncertainty: its standard error.

    Raises:
        TooFewSamplesError: no training example, or fewer than 2 others.
        NoEstimateError: all held-out data stand in the training data.
        ValueError: widths differ, or a feature is not finite.

    Reference: as `memorisation`.
    """
    held_out, made = _gaps("novelty", 2, train_features, real_features, fake_features)
    if not held_out.any():
        raise NoEstimateError("novelty is a ratio to held-out data; all of them stand in the training data")
    value = float(made.mean() / held_out.mean())
    parts = [(float(gaps.mean()) or 1.0, standard_error(gaps)) for gaps in (made, held_out)]
    return Estimate(value, ratio_error(value, *parts))


def _gaps(
    what: str, needed: int, train: np.ndarray, real: np.ndarray, fake: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distances of held-out and of generated examples to the nearest training example."""
    check_features(train=train, real=real, fake=fake)
    require_samples(what, 1, training=len(train))
    require_samples(what, needed, real=len(real))
    require_samples(what, 2, generated=len(fake))
    train, real, fake = centred(train, real, fake)
    held_out, made = (np.sqrt(nearest(side, train)[1].astype(np.float64)) for side in (real, fake))
    return held_out, made
