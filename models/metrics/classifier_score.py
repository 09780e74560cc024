"""Classifier score: the Inception score's formula with any classifier."""

import numpy as np

from models.metrics.estimate import Estimate, check_probabilities, require_samples, standard_error


def classifier_score(fake_probabilities: np.ndarray, *, splits: int = 1) -> Estimate:
    """exp(E KL(p(y|x) || p(y))): high when single images are sure of a class and all classes are drawn.

    Args:
        fake_probabilities: [n >= 2 * splits, classes] float, each row a distribution.
        splits: parts over which mean and deviation are taken; part i holds rows i, i + splits, ..., so that an order by
            class does no harm. A judgement cuts the samples itself; papers have 10.

    Returns:
        Mean over the parts, in [1, classes]; uncertainty: its standard error over the parts, none for one. Papers
        print the standard deviation over the parts, which is sqrt(splits) times as much.

    Raises:
        TooFewSamplesError: fewer than 2 samples a part.
        ValueError: rows are no distributions.

    Reference: Salimans et al. 2016, section 4. It is the Inception score only with Inception's classes.
    """
    check_probabilities(fake_probabilities)
    what = f"a classifier score of {splits} splits" if splits > 1 else "a classifier score"
    require_samples(what, 2 * splits, generated=len(fake_probabilities))
    scores = np.array([_score(fake_probabilities[part::splits].astype(np.float64)) for part in range(splits)])
    error = standard_error(scores) if splits > 1 else None
    return Estimate(float(scores.mean()), error, protocol=f"{splits} splits" if splits > 1 else "")


def inception_score(fake_inception_probabilities: np.ndarray) -> Estimate:
    """The classifier score by Inception's 1000 classes, in [1, 1000]; all else as there."""
    return classifier_score(fake_inception_probabilities)


def _score(probabilities: np.ndarray) -> float:
    tiny = np.finfo(np.float64).tiny  # 0 log 0 is 0
    marginal = probabilities.mean(axis=0)
    divergence = probabilities * (np.log(np.maximum(probabilities, tiny)) - np.log(np.maximum(marginal, tiny)))
    return float(np.exp(divergence.sum(axis=1).mean()))
