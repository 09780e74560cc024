import numpy as np
import pytest
from scipy.stats import entropy

from models.metrics.estimate import TooFewSamplesError
from models.metrics.stacked import stacked_kl, stacked_modes


def sure(labels, certainty=0.91):
    """Probabilities of a classifier that reads these triples."""
    digits = np.stack([labels // 100, labels // 10 % 10, labels % 10], axis=1)
    return np.eye(10)[digits] * (certainty - 0.01) + (1.01 - certainty) / 10


def test_every_triple_evenly():
    probabilities = sure(np.arange(26_000) % 1000)
    assert stacked_modes(probabilities).value == 1000
    assert stacked_kl(probabilities).value == pytest.approx(0, abs=1e-12)


def test_an_even_draw_has_the_bias_that_is_stated():
    labels = np.random.default_rng(0).integers(1000, size=26_000)
    assert stacked_modes(sure(labels)).value == 1000
    assert stacked_kl(sure(labels)).value == pytest.approx(999 / 52_000, rel=0.15)


def test_collapsed_channels_by_hand():
    # the first channel is always 7, the others even: 100 triples, log 10 nats
    labels = 700 + np.arange(26_000) % 100
    assert stacked_modes(sure(labels)).value == 100
    assert stacked_kl(sure(labels)).value == pytest.approx(np.log(10))


def test_uneven_triples_equal_scipy():
    labels = np.minimum(np.random.default_rng(0).geometric(0.01, 26_000), 999)
    shares = np.bincount(labels, minlength=1000)
    assert stacked_modes(sure(labels)).value == (shares > 0).sum()
    assert stacked_kl(sure(labels)).value == pytest.approx(entropy(shares, np.ones(1000)))


@pytest.mark.parametrize("metric", [stacked_modes, stacked_kl])
def test_the_first_samples_count_and_fewer_are_refused(metric):
    probabilities = sure(np.arange(300) % 7)
    assert metric(probabilities, samples=100) == metric(probabilities[:100], samples=100)
    with pytest.raises(TooFewSamplesError, match="at least 26000 generated samples; received 300"):
        metric(probabilities)
    with pytest.raises(ValueError, match=r"\[samples, 3, 10\]; received \[300, 30\]"):
        metric(probabilities.reshape(300, 30), samples=100)
    with pytest.raises(ValueError, match="sum to 1"):
        metric(probabilities * 2, samples=100)
