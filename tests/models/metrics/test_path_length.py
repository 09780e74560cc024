import numpy as np
import pytest

from models.metrics.estimate import TooFewSamplesError
from models.metrics.path_length import perceptual_path_length


def test_a_straight_path_by_hand():
    # features move by 3 a unit of t: 9, whatever the step
    start = np.random.default_rng(0).standard_normal((200, 1))
    for epsilon in (1e-4, 0.1):
        estimate = perceptual_path_length(start, start + 3 * epsilon, epsilon=epsilon)
        assert estimate.value == pytest.approx(9, rel=1e-6)
        assert estimate.uncertainty == pytest.approx(0, abs=1e-6)


def test_the_extremes_are_discarded():
    lengths = np.arange(1000.0)
    lengths[-5:] = 1e9
    end = np.sqrt(lengths)[:, None]
    # of 0 to 999, all between the percentiles 1 and 99, ends included as interpolation would cut them: 9 to 990
    estimate = perceptual_path_length(np.zeros((1000, 1)), end, epsilon=1)
    assert estimate.value == pytest.approx(np.arange(9, 991).mean())
    assert estimate.uncertainty == pytest.approx(np.arange(9, 991).std(ddof=1) / np.sqrt(982))
    assert perceptual_path_length(np.zeros((1000, 1)), end, epsilon=1, discard=0).value > 1e6
    assert estimate.protocol == "epsilon = 1, 1 % discarded at either end"


def test_order_does_not_matter_and_rougher_is_longer():
    random = np.random.default_rng(0)
    start, steps = random.standard_normal((2, 300, 4))
    order = random.permutation(300)
    expected = perceptual_path_length(start, start + 1e-3 * steps, epsilon=1e-3).value
    shuffled = perceptual_path_length(start[order], (start + 1e-3 * steps)[order], epsilon=1e-3).value
    assert shuffled == pytest.approx(expected)
    assert perceptual_path_length(start, start + 2e-3 * steps, epsilon=1e-3).value == pytest.approx(4 * expected)


def test_refuses_bad_input():
    features = np.ones((200, 2))
    with pytest.raises(TooFewSamplesError, match="at least 100 generated samples; received 99"):
        perceptual_path_length(features[:99], features[:99])
    with pytest.raises(ValueError, match="of pairs; received 200 and 199"):
        perceptual_path_length(features, features[1:])
    with pytest.raises(ValueError, match=r"epsilon is positive.*received 0 and"):
        perceptual_path_length(features, features, epsilon=0)
    with pytest.raises(ValueError, match=r"received 0\.0001 and 0\.5"):
        perceptual_path_length(features, features, discard=0.5)
    with pytest.raises(ValueError, match="end holds NaN"):
        perceptual_path_length(features, features * np.nan)
