"""The judge on generators whose faults are known."""

import re

import pytest
import tensorflow as tf

from models.config import AtLeast, AtMost, Threshold
from tests import judging
from tests.judging import judge_in


class TestVerdict:
    def test_honest_generator_is_blessed(self, honest):
        assert honest.blessed
        assert re.match(r"blessed: every threshold holds \(conditional_accuracy .*coverage", honest.reason)
        assert honest.lines["within_class_spread"].value == pytest.approx(1, abs=0.1)

    def test_collapsed_generator_is_refused_for_its_fault(self, collapsed):
        assert not collapsed.blessed
        # A perfect class accuracy must not hide it.
        assert collapsed.lines["conditional_accuracy"].holds
        assert collapsed.lines["within_class_spread"].value == 0
        assert (
            "within_class_spread is 0, must be at least 0.6: the pictures of one class are nearly the same "
            "(mode collapse)" in collapsed.reason
        )

    def test_every_metric_tells_variety_or_distance_apart(self, honest, collapsed):
        for name in ("spread", "coverage", "recall"):
            assert collapsed.lines[name].value < honest.lines[name].value
        for name in ("fcd_cnn", "kid_cnn", "near_duplicates"):
            assert collapsed.lines[name].value > honest.lines[name].value

    def test_same_model_has_the_same_figures(self, house, honest):
        again = judge_in(house, "honest")
        assert again.lines == honest.lines
        assert again.html == honest.html

    def test_another_seed_draws_other_images(self, house, honest):
        other = judge_in(house, "honest", judging.experiment(seed=1))
        assert other.lines["fcd_cnn"].value != honest.lines["fcd_cnn"].value

    def test_floor_is_real_against_real(self, honest):
        assert honest.lines["conditional_accuracy"].floor > 0.95
        assert honest.lines["coverage"].floor == pytest.approx(1 - 2**-5, abs=0.03)
        counts = {"generated": 3600, "real": 360, "noise_floor": 1437, "train": 1437, "eval": 360}
        assert honest.counts == counts | {"held_out_copies": 0, "equal_to_held_out": 0}
        assert honest.lines["coverage"].protocol == "k = 5, 10 parts of 360 that share none"
        assert honest.lines["coverage"].floor_uncertainty > 0

    def test_ten_samples_carry_no_metric(self, house):
        # They had coverage and recall of 1 ± 0.
        thresholds = {"coverage": AtLeast(0.9), "recall": AtLeast(0.5)}
        verdict = judge_in(house, "honest", judging.experiment(thresholds, samples=10))
        assert not verdict.blessed
        assert verdict.lines["coverage"].value is None
        assert (
            "coverage cannot be estimated: needs at least 100 held-out, 200 generated and 200 training examples; "
            "received 360 held-out, 10 generated, 1,437 training" in verdict.reason
        )
        assert "needs at least 20 generated examples; received 10" in verdict.lines["conditional_accuracy"].verdict
        assert [name for name, line in verdict.lines.items() if line.value is not None] == []

    def test_fewer_samples_are_compared_with_fewer_real_ones(self, house):
        experiment = judging.experiment(thresholds={"fcd_cnn": AtMost(100)}, samples=120)
        verdict = judge_in(house, "honest", experiment)
        assert verdict.counts["real"] == 60
        assert not verdict.blessed
        assert "fcd_cnn cannot be estimated: a Frechet distance needs at least 65 real samples" in verdict.reason
        assert verdict.lines["spread"].protocol == "20 parts of 60 that overlap"

    def test_unconditional_generator(self, house):
        verdict = judge_in(house, "unconditional", judging.experiment(thresholds={"spread": AtLeast(0.8)}))
        assert verdict.blessed
        assert verdict.lines["within_class_spread"].verdict == "cannot be estimated: needs fake labels"
        assert verdict.lines["coverage"].value > 0.8


class TestBaseline:
    RELATIVE = judging.experiment(thresholds={"within_class_spread": Threshold(within_blessed=0.02)})

    def test_equal_model_holds(self, house):
        verdict = judge_in(house, "honest", self.RELATIVE, baseline="honest")
        assert verdict.blessed
        line = verdict.lines["within_class_spread"]
        assert (line.baseline, line.baseline_uncertainty) == (line.value, line.uncertainty)
        assert {line.against_baseline for line in verdict.lines.values() if line.baseline is not None} == {"no worse"}

    def test_worse_model_is_refused(self, house):
        verdict = judge_in(house, "collapsed", self.RELATIVE, baseline="honest")
        assert not verdict.blessed
        assert re.search(r"within_class_spread is 0, must be at least .* \(latest blessed model: ", verdict.reason)
        assert verdict.lines["recall"].against_baseline == "worse"

    def test_better_model_holds(self, house):
        assert judge_in(house, "honest", self.RELATIVE, baseline="collapsed").blessed

    def test_first_model_has_nothing_to_beat(self, house):
        verdict = judge_in(house, "collapsed", self.RELATIVE)
        assert verdict.blessed
        assert verdict.protocol["baseline"] == "no model was blessed before"

    def test_blessed_model_of_other_images_is_no_baseline(self, house):
        judging.save_generator(house / "larger/Format-Serving", lambda z, label: tf.zeros([tf.shape(z)[0], 28, 28, 1]))
        verdict = judge_in(house, "honest", self.RELATIVE, baseline="larger")
        assert verdict.blessed
        assert "not comparable: generated images are float32 [100, 16, 16, 1]" in verdict.protocol["baseline"]
