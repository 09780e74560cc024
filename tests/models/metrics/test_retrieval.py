import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.metrics import distances
from models.metrics.estimate import TooFewSamplesError
from models.metrics.retrieval import ranks, retrieval


def column(*values):
    return np.array(values, np.float64)[:, None]


class TestRetrieval:
    def test_by_hand(self):
        """From 0.9 the truths 0, 1, 3 have ranks 2, 1, 3; from 1.2 they have 2, 1, 3; from 2.9 they have 3, 2, 1.

        So the partners 0, 1, 3 have the ranks 2, 1, 1: a mean of (1/2 + 1 + 1) / 3, whose standard error is that of
        three numbers, sqrt(1/12 / 3) = 1/6.
        """
        found = retrieval(column(0, 1, 3), column(0.9, 1.2, 2.9))
        assert_allclose((found.value, found.uncertainty), (5 / 6, 1 / 6), rtol=1e-6)
        assert found.protocol == "among 3"

    def test_the_truth_finds_itself(self):
        truth = np.random.default_rng(0).normal(size=[50, 8])
        assert (retrieval(truth, truth).value, retrieval(truth, truth).uncertainty) == (1, 0)

    def test_a_shift_of_all_loses_little(self):
        """If this fails, features far from 0 lose the digits that tell neighbours apart."""
        truth = np.random.default_rng(0).normal(size=[50, 8]) + 1e4
        assert retrieval(truth, truth + 1e-3).value == 1

    def test_one_output_for_all_is_chance(self):
        """If this fails, a collapse is rewarded. By hand: the ranks are 1 to n, once each, whatever the output."""
        found = retrieval(column(1, 2, 4, 8), column(3.1, 3.1, 3.1, 3.1))
        assert_allclose(found.value, (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)

    def test_of_noise_is_chance(self):
        """H_200 / 200 = 0.0294, within 4 standard errors of it."""
        random = np.random.default_rng(1)
        found = retrieval(random.normal(size=[200, 4]), random.normal(size=[200, 4]))
        assert abs(found.value - sum(1 / rank for rank in range(1, 201)) / 200) < 4 * found.uncertainty

    def test_equal_truths_share_their_ranks(self):
        """By hand: three truths that are one have rank (1 + 2 + 3) / 3 = 2 each, and the fourth 1."""
        assert_allclose(ranks(column(5, 5, 5, 7), column(5.5, 5, 4, 7)), [2, 2, 2, 1])

    def test_in_blocks(self, monkeypatch):
        """If this fails, a row of a later block is held against another's truth."""
        random = np.random.default_rng(2)
        truth = random.normal(size=[40, 3]).astype(np.float32)
        made = (truth + 0.3 * random.normal(size=[40, 3])).astype(np.float32)
        whole = ranks(truth, made)
        monkeypatch.setattr(distances, "BLOCK_BYTES", 7 * 40 * 4)
        np.testing.assert_array_equal(ranks(truth, made), whole)
        apart = ((made[:, None].astype(np.float64) - truth) ** 2).sum(axis=2)
        np.testing.assert_array_equal(whole, 1 + (apart < np.diag(apart)[:, None]).sum(axis=1))

    def test_refuses(self):
        with pytest.raises(TooFewSamplesError):
            retrieval(column(1), column(1))
        with pytest.raises(ValueError, match="retrieval is of pairs; received 3 true and 2 translated"):
            retrieval(column(1, 2, 3), column(1, 2))
        with pytest.raises(ValueError, match="finite"):
            retrieval(column(1, np.nan), column(1, 2))
