"""Mode coverage of stacked digits: 1000 triples, told by a classifier that reads each channel."""

import numpy as np

from models.metrics.estimate import Estimate, check_probabilities, require_samples
from models.metrics.modes import kl_to_uniform


def stacked_modes(fake_probabilities: np.ndarray, *, samples: int = 26_000) -> Estimate:
    """How many of the 1000 triples of digits are drawn.

    Args:
        fake_probabilities: [n >= samples, 3, 10] float: of each digit in each channel. The first `samples` count, as
            more of them reach more triples.
        samples: the protocol's number.

    Returns:
        The count, without uncertainty; 1000 of 26,000 even draws.

    Raises:
        TooFewSamplesError: fewer than `samples`.
        ValueError: another shape, or rows that are no distributions.

    Reference: Metz et al. 2017, section 3.3.1; Lin et al. 2018, section 4.2, for the number of samples.
    """
    modes = (_histogram(fake_probabilities, samples) > 0).sum()
    return Estimate(float(modes), protocol=f"first {samples:,} samples")


def stacked_kl(fake_probabilities: np.ndarray, *, samples: int = 26_000) -> Estimate:
    """KL(triples drawn || uniform): how unevenly the triples are drawn.

    Real data have some of it too: MNIST's digits are not quite even, which makes 0.005, and 26,000 samples of 1000
    classes are not quite even either, which makes 999 / 52,000 = 0.019.

    Args:
        fake_probabilities: as `stacked_modes` takes them.
        samples: the protocol's number.

    Returns:
        The divergence in nats, from 0 to log 1000 = 6.9; uncertainty: see `kl_to_uniform`.

    Raises:
        TooFewSamplesError: fewer than `samples`.
        ValueError: another shape, or rows that are no distributions.

    Reference: as `stacked_modes`.
    """
    value, error = kl_to_uniform(_histogram(fake_probabilities, samples))
    return Estimate(value, error, protocol=f"first {samples:,} samples")


def _histogram(probabilities: np.ndarray, samples: int) -> np.ndarray:
    """Samples by the triple that they are read as, [1000]."""
    if probabilities.shape[1:] != (3, 10):
        raise ValueError(f"probabilities of stacked digits are [samples, 3, 10]; received {list(probabilities.shape)}")
    require_samples("coverage of stacked digits", samples, generated=len(probabilities))
    check_probabilities(probabilities.reshape(-1, 10))
    return np.bincount(probabilities[:samples].argmax(axis=2) @ [100, 10, 1], minlength=1000)
