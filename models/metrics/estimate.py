"""What every metric returns, and the checks that every metric makes."""

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A metric's value.

    Attributes:
        value: the estimate.
        uncertainty: its standard error, so that two estimates compare; None where it has none.
        per_class: the values of class 0, 1, ..., or nothing.
        protocol: the settings without which the value means little, such as "k = 3"; empty where there are none.
        counts: samples that the metric was given, by side: real, fake, train. Filled by who calls it.
        trials: of a share, the examples that it is a share of; None for what is no share.
        freedom: degrees of freedom of the uncertainty where it is told by few parts; None where it is well known.
    """

    value: float
    uncertainty: float | None = None
    per_class: tuple[float, ...] = ()
    protocol: str = ""
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    trials: int | None = None
    freedom: int | None = None

    def error_if(self, value: float) -> float:
        """The standard error if the metric's true value were this one.

        A share of 1 in the samples has no spread of its own; under a true share of 0.9 it would have (Wilson's score
        test). Any other metric has the error that was measured; one without an error counts as exact.
        """
        measured = self.uncertainty or 0.0
        if self.trials is None:
            return measured
        if not 0 < value < 1:
            return 0.0  # where all or none are hits, no sample is otherwise
        return max(measured, math.sqrt(value * (1 - value) / self.trials))


class NoEstimateError(ValueError):
    """The metric has no value for what it was given, though nothing is wrong with it."""


class TooFewSamplesError(NoEstimateError):
    """The estimate needs more samples than it was given."""


def require_samples(what: str, needed: int, **counts: int) -> None:
    """Raises TooFewSamplesError where one of `counts` is below `needed`."""
    for name, count in counts.items():
        if count < needed:
            raise TooFewSamplesError(f"{what} needs at least {needed} {name} samples; received {count}")


def check_features(**features: np.ndarray) -> None:
    """Holds features to be finite matrices of one width.

    Args:
        features: each [n, d], by the name that an error gives it.

    Raises:
        ValueError: an array is no matrix, has another width than the first, or holds NaN or infinity.
    """
    width = None
    for name, array in features.items():
        if array.ndim != 2:
            raise ValueError(f"features are a matrix [samples, width]; received {name} of shape {list(array.shape)}")
        width = array.shape[1] if width is None else width
        if array.shape[1] != width:
            raise ValueError(f"features have one width; received {width} and {array.shape[1]} ({name})")
        if not np.isfinite(array).all():
            raise ValueError(f"features are finite; {name} holds NaN or infinity")


def check_probabilities(fake_probabilities: np.ndarray) -> None:
    """Raises ValueError unless the array is [n, classes >= 2] of distributions."""
    shape = list(fake_probabilities.shape)
    if len(shape) != 2 or shape[1] < 2:
        raise ValueError(f"class probabilities are a matrix [samples, classes >= 2]; received shape {shape}")
    # NaN fails this comparison too.
    if not (np.abs(fake_probabilities.sum(axis=1) - 1) < 1e-3).all() or (fake_probabilities < 0).any():
        raise ValueError("class probabilities are at least 0 and sum to 1; received rows that do not")


def check_images(**images: np.ndarray) -> None:
    """Raises ValueError unless the arrays are uint8 [n, h, w, c] of one size."""
    size = None
    for name, array in images.items():
        if array.ndim != 4 or array.dtype != np.uint8:
            raise ValueError(
                f"images are uint8 [samples, height, width, channels]; received {name} of {array.dtype} "
                f"{list(array.shape)}"
            )
        size = array.shape[1:] if size is None else size
        if array.shape[1:] != size:
            raise ValueError(f"images have one size; received {list(size)} and {list(array.shape[1:])} ({name})")


def standard_error(values: np.ndarray) -> float:
    """The standard error of the mean of independent values, [n >= 2]."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def share_of(hits: np.ndarray, protocol: str = "") -> Estimate:
    """The share of independent samples that are hits, [n >= 1] bool, with the error of Wilson's interval."""
    value = float(hits.mean())
    return Estimate(value, wilson_error(value, len(hits)), protocol=protocol, trials=len(hits))


def wilson_error(share: float, trials: int) -> float:
    """Half the width of Wilson's interval of one standard error: above 0 for a share of 0 or 1, too.

    Reference: Wilson 1927.
    """
    return math.sqrt(share * (1 - share) / trials + 1 / (4 * trials**2)) / (1 + 1 / trials)
