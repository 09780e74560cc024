"""How surely a model has to miss a bound to be refused, and which shortfall a bound has to notice."""

from statistics import NormalDist

from models.config import Evaluation, Threshold

NOTICED = NormalDist().inv_cdf(0.95)
"""Standard errors more than `refusing_errors` by which a model that is refused with 95 % probability falls short."""


def refusing_errors(evaluation: Evaluation) -> float:
    """Standard errors by which a bound has to be missed, so that `confidence` holds for all bounds together.

    One-sided, by Sidak's correction: 3.02 for eight bounds at 0.99.
    """
    count = sum(len(threshold.bounds) for threshold in evaluation.thresholds.values())
    return NormalDist().inv_cdf(evaluation.confidence ** (1 / max(1, count)))


def shortfall_to_notice(evaluation: Evaluation, threshold: Threshold, limit: float) -> float:
    """The shortfall from a limit of this threshold that has to be noticed; see `Evaluation.bluntness`."""
    return threshold.resolves or evaluation.bluntness * max(1.0, abs(limit))
