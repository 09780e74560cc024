"""Bounds that the counts cannot carry are named before anything is trained."""

import math

import numpy as np
import pytest
from scipy import stats

from models.config import AtLeast, AtMost, Evaluation, Images, Points, Threshold
from models.metrics.bounds import check_bounds, compares, refusing_errors
from models.metrics.estimate import Estimate
from models.metrics.parts import cut, over_parts, student
from pipeline.experiments.named import EXPERIMENTS

DIGITS = Images(source="digits", resolution=16, classes=10)


def evaluation(name="coverage", threshold=None, **settings):
    return Evaluation(thresholds={name: threshold or Threshold(within_floor=0.05)}, **settings)


def check(data, asked, *, real, task="generate", asked_about=None, **counts):
    """check_bounds, of a model that is asked about as many examples as it is compared with."""
    check_bounds(data, asked, task=task, real=real, asked=real if asked_about is None else asked_about, **counts)


class TestCheckBounds:
    @pytest.mark.parametrize("name", ["digits-cgan", "mnist-dcgan", "fashion-cgan", "tiny"])
    def test_what_is_listed_is_carried_by_its_data(self, name):
        experiment = EXPERIMENTS[name]
        train, real = (1_078, 360) if experiment.data.source == "digits" else (50_000, 10_000)
        check(experiment.data, experiment.evaluation, train=train, real=real)

    @pytest.mark.parametrize(
        ("asked", "train", "real", "message"),
        [
            (
                evaluation(),
                500,
                90,
                "at least 100 held-out and 200 training and generated examples; there are 90, 500 and 20,000: add",
            ),
            (evaluation(samples=10), 1_257, 360, "there are 360, 1,257 and 10: .* raise evaluation.samples"),
            (
                evaluation(),
                400,
                100,
                r"a shortfall of 0.1; of 100 .* it notices 0\.1\d: add examples, or set .*coverage\.resolves=0\.1\d$",
            ),
            (
                evaluation("conditional_accuracy", AtLeast(0.9), samples=60),
                1_257,
                360,
                "60 generated examples it notices 0.15: raise evaluation.samples",
            ),
            (evaluation("memorisation", AtMost(0.05, resolves=0.001)), 1_257, 360, "notice a shortfall of 0.001"),
        ],
    )
    def test_what_it_refuses_is_one_line_that_says_what_to_change(self, asked, train, real, message):
        with pytest.raises(ValueError, match=message) as error:
            check(DIGITS, asked, train=train, real=real)
        assert "\n" not in str(error.value)

    def test_what_is_asked_for_decides(self):
        few = {"train": 400, "real": 100}
        check(DIGITS, evaluation(threshold=Threshold(within_floor=0.05, resolves=0.2)), **few)
        check(DIGITS, evaluation(bluntness=0.2), **few)
        check(DIGITS, evaluation("conditional_accuracy", AtLeast(0)), **few)
        check(DIGITS, Evaluation(), train=1, real=1)

    def test_a_class_of_one_has_no_spread(self):
        asked = evaluation("within_class_spread", AtLeast(0.8))
        check(DIGITS, asked, train=1_257, real=360, of_class=[36] * 9 + [2])
        with pytest.raises(ValueError, match="at least 2 held-out examples of each class; of class 9 there are 1 of 3"):
            check(DIGITS, asked, train=1_257, real=360, of_class=[36] * 9 + [1])

    def test_a_frechet_distance_needs_five_images_a_feature(self):
        asked = evaluation("fd_efficientnet_lite0", AtMost(1), extractor="efficientnet_lite0")
        data = DIGITS.model_copy(update={"labels": 0})
        with pytest.raises(ValueError, match=r"at least 6400 examples of each side; evaluation\.compared is 2000"):
            check(data, asked, train=50_000, real=10_000)
        asked = asked.model_copy(update={"compared": 7_000})
        check(data, asked, train=50_000, real=10_000)
        with pytest.raises(ValueError, match=r"needs at least 6400 held-out .*; there are 3,000"):
            check(data, asked, train=50_000, real=3_000)

    def test_modes_are_counted_on_thousands(self):
        ring = Points(source="mixture:ring", classes=8)
        check(ring, evaluation("modes", AtLeast(8)), train=9_000, real=1_000)
        with pytest.raises(ValueError, match=r"modes needs at least 2,500 generated .* is 99"):
            check(ring, evaluation("modes", AtLeast(8), samples=99), train=9_000, real=1_000)

    def test_metrics_are_those_of_the_task(self):
        """A model that generates has no cycle error, and one that translates reads no class."""
        few = {"train": 100, "real": 19}
        with pytest.raises(ValueError, match="squared_error is no metric of the task generate, but of restore; "):
            check(DIGITS, evaluation("squared_error", AtMost(1), samples=19), **few)
        with pytest.raises(ValueError, match="a bound on squared_error needs at least 20 generated examples"):
            check(DIGITS, evaluation("squared_error", AtMost(1)), task="restore", **few)
        few["real"] = 20
        check(DIGITS, evaluation("squared_error", AtMost(1)), task="restore", **few)
        with pytest.raises(
            ValueError, match="conditional_accuracy is no metric of the task translate, but of generate"
        ):
            check(DIGITS, evaluation("conditional_accuracy", AtLeast(0.9), samples=60), task="translate", **few)

    def test_what_takes_examples_makes_no_more_than_are_held_out(self):
        ring, asked = Points(source="mixture:ring", classes=8), evaluation("modes", AtLeast(8))
        counts = {"task": "translate", "train": 9_000, "real": 3_000}
        check(ring, asked, asked_about=2_500, **counts)
        with pytest.raises(
            ValueError, match=r"made of held-out ones, of which there are 2,499: add examples"
        ) as caught:
            check(ring, asked, asked_about=2_499, **counts)
        assert "raise evaluation.samples" not in str(caught.value)
        few = evaluation("modes", AtLeast(8), samples=99)
        with pytest.raises(ValueError, match=r"evaluation\.samples is 99: raise it"):
            check(ring, few, asked_about=2_500, **counts)
        shares = evaluation("memorisation", AtMost(0.05, resolves=0.001))
        with pytest.raises(ValueError, match=r"9,000 training and 2,500 generated examples .*: add examples, or set"):
            check(ring, shares, asked_about=2_500, **counts)

    def test_which_metrics_compare(self):
        assert compares("coverage")
        assert compares("memorisation")
        assert not compares("conditional_accuracy")


class TestEvaluation:
    @pytest.mark.parametrize("confidence", [0.5, 1.0, 0.3, 1.1, math.nan])
    def test_a_confidence_is_above_a_half_and_below_one(self, confidence):
        with pytest.raises(ValueError, match="confidence"):
            Evaluation(confidence=confidence)

    def test_more_bounds_need_more_errors_each(self):
        one, many = evaluation(), Evaluation(thresholds={"coverage": AtLeast(0.5, at_most=1, within_floor=1)})
        assert refusing_errors(one) == pytest.approx(2.326, abs=1e-3)
        assert refusing_errors(many) == pytest.approx(2.711, abs=1e-3)
        assert refusing_errors(Evaluation(confidence=0.95)) == pytest.approx(1.645, abs=1e-3)


class TestParts:
    def test_disjoint_where_there_are_ten(self):
        parts = cut(105, 10, 0)
        assert parts.share == 0
        assert np.concatenate(parts.rows).tolist() == list(range(100))

    def test_drawn_without_replacement_where_there_are_fewer(self):
        parts = cut(95, 10, 0)
        assert parts.share == pytest.approx(10 / 95)
        assert len(parts.rows) == 20
        assert all(len(np.unique(rows)) == 10 for rows in parts.rows)

    @pytest.mark.parametrize("count", [400, 60])
    def test_the_error_is_that_of_repeated_draws(self, count):
        random = np.random.default_rng(0)
        found = []
        for seed in range(400):
            values, parts = random.standard_normal(count), cut(count, 20, seed)
            estimates = [Estimate(float(values[rows].mean())) for rows in parts.rows]
            found.append(over_parts(estimates, parts, count, share=False))
        deviation = np.std([each.value for each in found], ddof=1)
        assert np.sqrt(np.mean([each.uncertainty**2 for each in found])) == pytest.approx(deviation, rel=0.15)

    def test_a_share_of_one_in_all_parts_has_an_error(self):
        found = over_parts([Estimate(1.0)] * 10, cut(200, 20, 0), 200, share=True)
        assert found.uncertainty == pytest.approx(1 / 402)
        assert found.trials == 200

    @pytest.mark.parametrize("freedom", [9, 19, 54])
    @pytest.mark.parametrize("z", [1.645, 2.326, 3.02, 3.5])
    def test_students_quantile_is_scipys(self, z, freedom):
        assert student(z, freedom) == pytest.approx(stats.t.ppf(stats.norm.cdf(z), freedom), rel=0.01)
        assert student(z, math.inf) == z
