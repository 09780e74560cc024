"""Parts of equal size: metrics whose value depends on the number of samples are taken part by part.

The real examples stay the same for all parts. So the deviation over the parts is that of this generator against this
held-out set, which is what a judgement is about.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.metrics.estimate import Estimate, standard_error, wilson_error

DISJOINT = 10
"""Fewest disjoint parts: the deviation of fewer is hardly known."""

DRAWN = 20
"""Parts that are drawn where there are fewer disjoint ones."""


class Parts(NamedTuple):
    """How a set is cut.

    Attributes:
        rows: of each part, all of one size.
        share: of the set that a part holds; 0 where parts are disjoint.
    """

    rows: list[np.ndarray]
    share: float

    @property
    def words(self) -> str:
        """The cut in words, for a metric's protocol."""
        kind = "that overlap" if self.share else "that share none"
        return f"{len(self.rows)} parts of {len(self.rows[0]):,} {kind}"


def part_size(*, real: int, generated: int, train: int, compared: int) -> int:
    """The size of a part, which is also the number of real examples in a comparison.

    Args:
        real: held-out examples.
        generated: generated examples.
        train: training examples, of which parts make the noise floor.
        compared: the most that may be compared with each other.

    Returns:
        At most `real` and `compared`, and at most half of the others: parts of a set have to differ. At least 1.
    """
    return max(1, min(real, compared, generated // 2, train // 2))


def cut(count: int, size: int, seed: int) -> Parts:
    """Cuts a set whose order is random.

    Args:
        count: examples, at least `size`.
        size: of a part.
        seed: of the drawing, where there is any.

    Returns:
        Disjoint parts where there are at least DISJOINT, what is left over dropped; else DRAWN subsets, each without
        replacement, since an example that is twice in a set is its own nearest neighbour.
    """
    if count // size >= DISJOINT:
        return Parts([np.arange(start, start + size) for start in range(0, count - size + 1, size)], 0)
    random = np.random.default_rng([seed, count])
    return Parts([np.sort(random.choice(count, size, replace=False)) for _ in range(DRAWN)], size / count)


def over_parts(estimates: Sequence[Estimate], parts: Parts, count: int, *, share: bool) -> Estimate:
    """One estimate of those of all parts.

    Args:
        estimates: of each part.
        parts: how the set was cut.
        count: examples of the whole set.
        share: whether the metric is a share of a part's examples.

    Returns:
        The mean. Uncertainty: the standard deviation over disjoint parts over the root of their number; for parts that
        overlap by the delete-d jackknife, the deviation times sqrt(s / (1 - s) + 1 / parts) with s the share of the set
        that a part holds: rather too large than too small.

    Reference: Shao & Wu 1989 for the jackknife; Hoeffding 1948, section 5, for its side.
    """
    values = np.array([each.value for each in estimates])
    value, error = float(values.mean()), standard_error(values)
    if parts.share:
        error = float(values.std(ddof=1)) * math.sqrt(parts.share / (1 - parts.share) + 1 / len(values))
    trials = (count if parts.share else len(values) * len(parts.rows[0])) if share else None
    if trials is not None:
        error = max(error, wilson_error(value, trials))
    protocol = ", ".join(filter(None, (estimates[0].protocol, parts.words)))
    return Estimate(value, error, protocol=protocol, trials=trials, freedom=len(values) - 1)


def student(z: float, freedom: float) -> float:
    """The quantile of Student's distribution where the normal one has `z`: errors of few parts are not well known.

    Args:
        z: a quantile of the standard normal distribution, at most about 5.
        freedom: degrees of freedom, at least 5; infinite where the error is known.

    Reference: Abramowitz & Stegun 1964, equation 26.7.5.
    """
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
