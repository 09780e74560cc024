import numpy as np
import pytest
from scipy.spatial.distance import cdist

from models.metrics.estimate import NoEstimateError, TooFewSamplesError
from models.metrics.memorisation import memorisation, novelty


@pytest.fixture
def sets():
    random = np.random.default_rng(0)
    return tuple(random.standard_normal((count, 8)) for count in (1_500, 1_000, 800))


class TestMemorisation:
    def test_by_the_definition(self, sets):
        train, real, fake = sets
        limit = np.percentile(cdist(real, train).min(axis=1), 1)
        fake = np.concatenate([fake, train[:50] + 0.01])
        share = (cdist(fake, train).min(axis=1) <= limit).mean()
        assert share > 0.05
        assert memorisation(train, real, fake).value == pytest.approx(share)

    def test_new_samples_have_the_percentile(self, sets):
        estimate = memorisation(*sets)
        # the percentile is that of 1,000 held-out examples, which has an error of its own of 0.003
        assert abs(estimate.value - 0.01) < 2.5 * np.hypot(estimate.uncertainty, 0.003) < 0.015

    def test_training_data_are_all_memorised(self, sets):
        train, real, _ = sets
        assert memorisation(train, real, train[:300]).value == 1

    def test_a_tie_counts(self, sets):
        # More than one in a hundred held-out examples is a copy: the percentile is 0, and so is the distance of a copy.
        train, real, fake = sets
        real = np.concatenate([real[:970], train[:30]])
        assert memorisation(train, real, train[:300]).value == 1
        assert memorisation(train, real, fake).value == 0

    def test_grows_with_the_copies(self, sets):
        train, real, fake = sets
        shares = [memorisation(train, real, np.concatenate([train[:n], fake[n:]])).value for n in (0, 200, 400)]
        assert shares == pytest.approx([shares[0], shares[0] + 0.25, shares[0] + 0.5], abs=0.02)

    def test_refuses_too_few_to_have_a_percentile(self, sets):
        train, real, fake = sets
        with pytest.raises(TooFewSamplesError, match="at least 100 real samples; received 99"):
            memorisation(train, real[:99], fake)


class TestNovelty:
    def test_by_the_definition(self, sets):
        train, real, fake = sets
        held_out, made = (cdist(side, train).min(axis=1) for side in (real, fake))
        estimate = novelty(*sets)
        assert estimate.value == pytest.approx(made.mean() / held_out.mean(), rel=1e-5)
        # the held-out examples are fixed: what judges does not vary
        assert estimate.uncertainty == pytest.approx(made.std(ddof=1) / np.sqrt(800) / held_out.mean(), rel=1e-4)

    def test_new_is_one_and_copies_are_zero(self, sets):
        train, real, fake = sets
        estimate = novelty(train, real, fake)
        assert abs(estimate.value - 1) < 3 * estimate.uncertainty
        assert novelty(train, real, train[:300]).value == pytest.approx(0, abs=1e-3)

    def test_noise_moves_samples_away(self, sets):
        train, real, _ = sets
        noise = np.random.default_rng(1).standard_normal((300, 8))
        values = [novelty(train, real, train[:300] + scale * noise).value for scale in (0, 0.1, 0.5, 2)]
        assert values == sorted(values)

    def test_refuses_held_out_data_that_are_training_data(self, sets):
        fake = sets[2]
        with pytest.raises(NoEstimateError, match="all of them stand in the training data"):
            novelty(np.ones((5, 2)), np.ones((3, 2)), fake[:, :2])


@pytest.mark.parametrize("metric", [memorisation, novelty])
def test_both(metric, sets):
    train, real, fake = sets
    random = np.random.default_rng(0)
    shuffled = metric(random.permutation(train), random.permutation(real), random.permutation(fake))
    assert shuffled.value == pytest.approx(metric(train, real, fake).value, rel=1e-5)
    with pytest.raises(TooFewSamplesError, match="at least 1 training samples; received 0"):
        metric(train[:0], real, fake)
    with pytest.raises(ValueError, match=r"one width; received 8 and 7 \(fake\)"):
        metric(train, real, fake[:, 1:])
    with pytest.raises(ValueError, match="train holds NaN"):
        metric(train * np.nan, real, fake)
