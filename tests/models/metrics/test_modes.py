import numpy as np
import pytest
from scipy.stats import entropy

from models import mixtures
from models.metrics.estimate import TooFewSamplesError
from models.metrics.modes import high_quality, kl_to_uniform, modes, nearest_modes, reverse_kl

RING, GRID = mixtures.ring(), mixtures.grid()
ALL = [modes, high_quality, reverse_kl]


def at(mixture, shares, count=2_500, far=0.0):
    """Points of modes 0, 1, ... in these shares, a share `far` of them between the modes."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(shares)), np.rint(np.array(shares) * count).astype(int))
    points = mixture.centres[labels] + mixture.sigma * random.uniform(-1, 1, (len(labels), 2))
    points[random.permutation(len(points))[: int(far * len(points))]] = mixture.centres[:2].mean(axis=0)
    return random.permutation(points).astype(np.float32)


class TestTheMixtureItself:
    @pytest.mark.parametrize("mixture", [RING, GRID])
    def test_has_every_mode_evenly(self, mixture):
        points, _ = mixtures.sample(mixture, 2_500, 0)
        assert modes(points, mixture).value == len(mixture.centres)
        assert reverse_kl(points, mixture).value < 2 * len(mixture.centres) / (2 * 2_500)

    @pytest.mark.parametrize("mixture", [RING, GRID])
    def test_has_the_quality_of_a_rayleigh_tail(self, mixture):
        points, _ = mixtures.sample(mixture, 100_000, 0)
        estimate = high_quality(points, mixture, samples=100_000)
        assert estimate.value == pytest.approx(1 - np.exp(-9 / 2), abs=4 * estimate.uncertainty)


class TestByHand:
    def test_shares(self):
        shares = np.array([0.5, 0.25, 0.25, 0, 0, 0, 0, 0])
        points = at(RING, shares)
        assert modes(points, RING).value == 3
        assert high_quality(points, RING).value == 1
        # KL against uniform of 8: sum p log(8 p) = 0.5 log 4 + 0.5 log 2 = 1.5 log 2
        assert reverse_kl(points, RING).value == pytest.approx(1.5 * np.log(2))
        assert reverse_kl(points, RING).value == pytest.approx(entropy(shares, np.full(8, 1 / 8)))

    def test_points_between_the_modes_count_for_none(self):
        shares = [0.6, 0.4] + [0] * 6
        clean, dirty = at(RING, shares), at(RING, shares, far=0.2)
        assert high_quality(dirty, RING).value == 0.8
        assert high_quality(dirty, RING).uncertainty == pytest.approx(np.sqrt(0.8 * 0.2 / 2_500), rel=1e-3)
        assert reverse_kl(dirty, RING).value == pytest.approx(reverse_kl(clean, RING).value, abs=0.02)

    def test_three_deviations_are_the_limit(self):
        away = np.array([[2.99, 0], [0, 3.01], [-2, 2], [2.2, 2.2]]) * GRID.sigma
        nearest, near = nearest_modes(GRID.centres[[7, 7, 8, 8]] + away, GRID)
        assert nearest.tolist() == [7, 7, 8, 8]
        assert near.tolist() == [True, False, True, False]

    def test_one_mode_is_the_worst(self):
        points = at(GRID, [1.0])
        assert modes(points, GRID).value == 1
        assert reverse_kl(points, GRID).value == pytest.approx(np.log(25))


class TestProtocol:
    @pytest.mark.parametrize("metric", ALL)
    def test_more_samples_change_nothing(self, metric):
        points, _ = mixtures.sample(GRID, 4_000, 0)
        assert metric(points, GRID) == metric(points[:2_500], GRID)

    @pytest.mark.parametrize("metric", ALL)
    def test_refuses_too_few_and_bad_points(self, metric):
        points, _ = mixtures.sample(RING, 2_500, 0)
        with pytest.raises(TooFewSamplesError, match="at least 2500 generated samples; received 2499"):
            metric(points[1:], RING)
        with pytest.raises(ValueError, match=r"points are \[samples, 2\]; received shape \[2500, 1\]"):
            metric(points[:, :1], RING)
        points[3, 1] = np.nan
        with pytest.raises(ValueError, match="points are finite; 1 of 2500 are not"):
            metric(points, RING)

    def test_without_any_of_high_quality_there_is_no_divergence(self):
        points = np.zeros((2_500, 2), np.float32)
        assert (modes(points, RING).value, high_quality(points, RING).value) == (0, 0)
        with pytest.raises(TooFewSamplesError, match="needs a sample that belongs to one; none does"):
            reverse_kl(points, RING)


def test_kl_to_uniform_equals_scipy():
    counts = np.random.default_rng(0).integers(0, 9, 40)
    assert kl_to_uniform(counts)[0] == pytest.approx(entropy(counts, np.ones(40)))
    assert kl_to_uniform(np.full(7, 3)) == (0, 0)


def test_the_error_of_a_divergence_is_that_of_repeated_draws():
    random = np.random.default_rng(0)
    drawn = [kl_to_uniform(random.multinomial(2_000, [0.4, 0.3, 0.2, 0.1])) for _ in range(300)]
    values, errors = np.transpose(drawn)
    assert errors.mean() == pytest.approx(values.std(ddof=1), rel=0.15)
