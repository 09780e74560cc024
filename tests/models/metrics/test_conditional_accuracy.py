import numpy as np
import pytest

from models.metrics.conditional_accuracy import conditional_accuracy
from models.metrics.estimate import TooFewSamplesError


class TestConditionalAccuracy:
    def test_by_hand(self):
        read = np.eye(3)[[0, 0, 1, 1]]
        estimate = conditional_accuracy(read, np.array([0, 1, 1, 1]))
        assert estimate.value == 0.75
        # half of Wilson's interval for z = 1: sqrt(0.75 * 0.25 / 4 + 1 / 64) / (1 + 1 / 4)
        assert estimate.uncertainty == pytest.approx(0.2)
        assert estimate.trials == 4
        assert estimate.per_class[:2] == (1.0, pytest.approx(2 / 3))
        assert np.isnan(estimate.per_class[2])

    def test_all_right_is_not_without_error(self):
        estimate = conditional_accuracy(np.eye(2)[[0, 1, 0, 1]], np.array([0, 1, 0, 1]))
        assert estimate.value == 1
        assert estimate.uncertainty == pytest.approx(0.1)  # 1 / (2 * 4) / (1 + 1 / 4)

    def test_order_does_not_matter(self):
        random = np.random.default_rng(0)
        rows, labels = random.dirichlet(np.ones(4), 200), random.integers(4, size=200)
        order = random.permutation(200)
        assert conditional_accuracy(rows[order], labels[order]) == conditional_accuracy(rows, labels)

    def test_chance_when_labels_are_unrelated(self):
        random = np.random.default_rng(0)
        rows, labels = np.eye(5)[random.integers(5, size=5000)], random.integers(5, size=5000)
        estimate = conditional_accuracy(rows, labels)
        assert abs(estimate.value - 0.2) < 4 * estimate.uncertainty

    def test_refuses_bad_input(self):
        rows = np.full((4, 2), 0.5)
        with pytest.raises(ValueError, match="4 images and 3 labels"):
            conditional_accuracy(rows, np.zeros(3, int))
        with pytest.raises(ValueError, match="labels are 0 to 1; received 0 to 2"):
            conditional_accuracy(rows, np.array([0, 1, 2, 0]))
        with pytest.raises(TooFewSamplesError, match="at least 1"):
            conditional_accuracy(rows[:0], np.zeros(0, int))
        with pytest.raises(ValueError, match="sum to 1"):
            conditional_accuracy(rows * np.nan, np.zeros(4, int))
