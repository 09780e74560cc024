import math

import numpy as np
import pytest

from models.metrics.classifier_score import classifier_score
from models.metrics.estimate import TooFewSamplesError


def one_hot(labels, classes: int) -> np.ndarray:
    return np.eye(classes)[labels]


class TestClassifierScore:
    def test_sure_and_balanced_is_the_number_of_classes(self):
        estimate = classifier_score(one_hot(np.repeat(np.arange(5), 40), 5), splits=4)
        assert estimate.value == pytest.approx(5)
        assert estimate.uncertainty == pytest.approx(0, abs=1e-12)

    def test_one_class_or_unsure_is_one(self):
        assert classifier_score(one_hot(np.zeros(40, int), 5)).value == pytest.approx(1)
        assert classifier_score(np.full((40, 5), 0.2)).value == pytest.approx(1)

    def test_by_hand(self):
        # marginal (1/2, 1/2); KL of each row to it: 0.9 ln 1.8 + 0.1 ln 0.2
        rows = np.array([[0.9, 0.1], [0.1, 0.9]] * 10)
        assert classifier_score(rows, splits=1).value == pytest.approx(
            math.exp(0.9 * math.log(1.8) + 0.1 * math.log(0.2))
        )

    def test_order_within_a_single_split_does_not_matter(self):
        random = np.random.default_rng(0)
        rows = random.dirichlet(np.ones(4), 100)
        expected = classifier_score(rows, splits=1).value
        assert classifier_score(random.permutation(rows), splits=1).value == pytest.approx(expected)

    def test_falls_as_predictions_blur(self):
        rows = one_hot(np.tile(np.arange(4), 25), 4)
        values = [classifier_score((1 - blur) * rows + blur / 4).value for blur in (0, 0.3, 0.6, 0.9)]
        assert values == sorted(values, reverse=True)

    def test_refuses_bad_input(self):
        with pytest.raises(TooFewSamplesError, match="at least 20 generated samples; received 19"):
            classifier_score(np.full((19, 2), 0.5), splits=10)
        with pytest.raises(ValueError, match="sum to 1"):
            classifier_score(np.full((40, 2), 0.6))
        with pytest.raises(ValueError, match="sum to 1"):
            classifier_score(np.full((40, 2), np.nan))
        with pytest.raises(ValueError, match=r"matrix \[samples, classes >= 2\]; received shape \[40\]"):
            classifier_score(np.ones(40))
