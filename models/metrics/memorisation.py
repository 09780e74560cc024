"""Memorisation: are samples nearer to training data than held-out data are?"""

import numpy as np

from models.metrics.distances import centred, nearest
from models.metrics.estimate import (
    Estimate,
    NoEstimateError,
    check_features,
    require_samples,
    share_of,
    standard_error,
)

PERCENTILE = 1


def memorisation(train_features: np.ndarray, real_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """Share of samples that are as near to a training example as only the nearest 1 % of held-out examples are.

    Args:
        train_features: [t, d] float, of all that the generator was trained on.
        real_features: [n >= 100, d] float, of data held out from it: fewer have no first percentile. Copies of training
            examples do not belong here: their distance of 0 is no measure of what is new.
        fake_features: [m >= 2, d] float.

    Returns:
        The share, 0.01 for samples as new as held-out data, 1 for a generator that returns what it was trained on;
        uncertainty: Wilson's, for these held-out examples.

    Raises:
        TooFewSamplesError: no training example, or fewer than 100 held out or 2 generated.
        ValueError: widths differ, or a feature is not finite.

    Reference: the distance to the nearest training example as Meehan, Chaudhuri & Dasgupta 2020, section 3, compare it,
    by a percentile in the place of their rank test: a share is read without a table.
    """
    held_out, made = _gaps("memorisation", 100, train_features, real_features, fake_features)
    # A tie counts: the nearest thing to a training example is a copy of it.
    near = made <= np.percentile(held_out, PERCENTILE)
    return share_of(near, protocol="1st percentile of held-out to training")


def novelty(train_features: np.ndarray, real_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """Mean distance of samples to the nearest training example, as a ratio to that of held-out data.

    Args:
        train_features: [t, d] float, of all that the generator was trained on.
        real_features: [n >= 2, d] float, of data held out from it.
        fake_features: [m >= 2, d] float.

    Returns:
        The ratio, about 1 for samples as new as held-out data, 0 for a generator that returns what it was trained on;
        noise makes it grow too. Uncertainty: its standard error, for these held-out examples.

    Raises:
        TooFewSamplesError: no training example, or fewer than 2 others.
        NoEstimateError: all held-out data stand in the training data.
        ValueError: widths differ, or a feature is not finite.

    Reference: as `memorisation`.
    """
    held_out, made = _gaps("novelty", 2, train_features, real_features, fake_features)
    if not held_out.any():
        raise NoEstimateError("novelty is a ratio to held-out data; all of them stand in the training data")
    return Estimate(float(made.mean() / held_out.mean()), standard_error(made) / float(held_out.mean()))


def _gaps(
    what: str, needed: int, train: np.ndarray, real: np.ndarray, fake: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distances of held-out and of generated examples to the nearest training example."""
    check_features(train=train, real=real, fake=fake)
    require_samples(what, 1, training=len(train))
    require_samples(what, needed, real=len(real))
    require_samples(what, 2, generated=len(fake))
    train, real, fake = centred(train, real, fake)
    # Measured again for the nearest: the expanded square of `nearest` is not exactly 0 for copies, and copies tie.
    held_out, made = (np.linalg.norm(side - train[nearest(side, train)[0]], axis=1) for side in (real, fake))
    return held_out.astype(np.float64), made.astype(np.float64)
