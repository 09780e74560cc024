"""The rules of the judge that need no model: thresholds, figures in words, the training's history, curves."""

import base64
import io
import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from components.gan_evaluator import charts, gate, history, report
from models.config import AtLeast, AtMost, Evaluation, Threshold
from models.metrics.bounds import refusing_errors
from models.metrics.estimate import Estimate

TWO_ERRORS = Evaluation(confidence=0.977249868)
"""A single bound is missed where two standard errors say so."""


def line(value, threshold, *, floor=None, baseline=None, better="higher", missing="", evaluation=TWO_ERRORS):
    """A judged metric; a figure may be a pair of a value and its standard error."""
    estimate, floor, baseline = (
        each
        if each is None or isinstance(each, Estimate)
        else Estimate(*(each if isinstance(each, tuple) else (each,)))
        for each in (value, floor, baseline)
    )
    return gate.judge_metric(
        estimate,
        threshold,
        evaluation=evaluation,
        floor=floor,
        baseline=baseline,
        better=better,
        measures="",
        missing=missing,
    )


class TestThresholds:
    @pytest.mark.parametrize(
        ("value", "threshold", "options", "verdict"),
        [
            (0.6, AtLeast(0.6), {}, "holds"),
            (0.5, AtLeast(0.6), {}, "0.5, must be at least 0.6"),
            (0.5999, AtLeast(0.6), {}, "0.5999, must be at least 0.6"),
            (5, AtMost(5), {}, "holds"),
            (5.1, AtMost(5), {}, "5.1, must be at most 5"),
            (0.93, Threshold(within_floor=0.05), {"floor": 0.97}, "holds"),
            (
                0.91,
                Threshold(within_floor=0.05),
                {"floor": 0.97},
                "0.91, must be at least 0.92 (real against real: 0.97)",
            ),
            (
                6,
                Threshold(within_floor=2),
                {"floor": 3, "better": "lower"},
                "6, must be at most 5 (real against real: 3)",
            ),
            (9, Threshold(within_blessed=0.1), {"baseline": 10}, "holds"),
            (8, Threshold(within_blessed=0.1), {"baseline": 10}, "8, must be at least 9 (latest blessed model: 10)"),
            (11, Threshold(within_blessed=0.1), {"baseline": 10, "better": "lower"}, "holds"),
            # A kernel distance may be below 0: worse is still upwards.
            (-0.95, Threshold(within_blessed=0.1), {"baseline": -1, "better": "lower"}, "holds"),
            (-0.8, Threshold(within_blessed=0.1), {"baseline": -1, "better": "lower"}, "-0.8, must be at most -0.9"),
            (1, Threshold(within_blessed=0.1), {}, "holds"),
            (
                1,
                Threshold(within_floor=0.1),
                {"better": None},
                "1, must be near a value that this metric does not have",
            ),
            (math.nan, AtLeast(0), {}, "cannot be estimated: it is not finite"),
            (None, AtLeast(0), {"missing": "needs labels"}, "cannot be estimated: needs labels"),
            (0.1, None, {}, "no threshold"),
        ],
    )
    def test_verdict(self, value, threshold, options, verdict):
        judged = line(value, threshold, **options)
        assert judged.verdict.startswith(verdict)
        assert judged.holds is (None if threshold is None else verdict == "holds")

    @pytest.mark.parametrize(
        ("value", "baseline", "better", "expected"),
        [
            # an error of 0.01 and one of 0.01: two of the difference are 0.0283
            ((0.909, 0.01), (0.9, 0.01), "higher", "no worse"),
            ((0.891, 0.01), (0.9, 0.01), "higher", "no worse"),
            ((0.872, 0.01), (0.9, 0.01), "higher", "no worse"),
            ((0.871, 0.01), (0.9, 0.01), "higher", "worse"),
            ((0.929, 0.01), (0.9, 0.01), "higher", "better"),
            ((12.0, 0.5), (10.0, 0.5), "lower", "worse"),
            ((8.0, 0.5), (10.0, 0.5), "lower", "better"),
            ((10.1, 0.5), (10.0, 0.5), "lower", "no worse"),
            # One of them has no uncertainty, or both.
            ((0.91, 0.01), 0.9, "higher", "no worse"),
            (7, 8, "higher", "worse"),
            (8, 8, "higher", "no worse"),
        ],
    )
    def test_noise_is_counted_against_the_blessed_model(self, value, baseline, better, expected):
        judged = line(value, Threshold(within_blessed=0), baseline=baseline, better=better)
        assert judged.against_baseline == expected
        assert judged.holds is (expected != "worse")
        # what is not required is compared all the same
        assert line(value, None, baseline=baseline, better=better).against_baseline == expected

    def test_a_worse_model_is_refused_with_the_metric_and_the_noise_named(self):
        judged = line((0.8, 0.01), Threshold(within_blessed=0.05), baseline=(0.9, 0.02))
        assert judged.limits == (pytest.approx(0.9 - 0.045),)
        assert judged.errors == (pytest.approx(math.hypot(0.01, 0.02)),)
        blessed, reason = gate.reason_of({"recall": judged}, {"recall": "much is never drawn"})
        assert not blessed
        assert reason == (
            "refused: recall is 0.8, must be at least 0.855 (latest blessed model: 0.9): much is never drawn"
        )

    @pytest.mark.parametrize(
        ("value", "threshold", "options", "holds"),
        [
            ((0.581, 0.01), AtLeast(0.6), {}, True),
            ((0.579, 0.01), AtLeast(0.6), {}, False),
            ((5.19, 0.1), AtMost(5), {}, True),
            ((5.21, 0.1), AtMost(5), {}, False),
            # the floor has an error, too: two of both are 0.0283
            ((0.823, 0.01), Threshold(within_floor=0.05), {"floor": (0.9, 0.01)}, True),
            ((0.821, 0.01), Threshold(within_floor=0.05), {"floor": (0.9, 0.01)}, False),
            ((0.829, 0.01), Threshold(within_floor=0.05), {"floor": 0.9}, False),
            # a share of 1 in 100 samples would be 0.9 in some: sqrt(0.9 * 0.1 / 100) = 0.03
            (Estimate(0.845, 0.0, trials=100), AtLeast(0.9), {}, True),
            (Estimate(0.835, 0.0, trials=100), AtLeast(0.9), {}, False),
            # a true share of 1 has none that miss
            (Estimate(0.99, 0.01, trials=100), AtLeast(1), {}, False),
        ],
    )
    def test_a_bound_is_missed_where_it_is_shown(self, value, threshold, options, holds):
        judged = line(value, threshold, **options)
        assert judged.holds is holds
        assert (judged.verdict == "holds: what is missing may be chance") is holds

    def test_eight_bounds_share_the_confidence(self):
        names = ("spread", "sharpness", "noise", "coverage")
        eight = Evaluation(thresholds=dict.fromkeys(names, Threshold(at_least=0, within_floor=1)))
        assert refusing_errors(eight) == pytest.approx(3.02, abs=0.005)
        judged = line((0.571, 0.01), AtLeast(0.6), evaluation=eight)
        assert judged.holds
        # 3.02 and 1.645 standard errors
        assert judged.notices == (pytest.approx(0.0466, abs=1e-4),)
        assert not line((0.569, 0.01), AtLeast(0.6), evaluation=eight).holds

    def test_a_blunt_bound_says_what_to_raise(self):
        sharp = line((0.9, 0.02), AtLeast(0.6))
        assert (sharp.blunt, sharp.notices) == ("", (pytest.approx(0.0729, abs=1e-4),))
        blunt = line((0.9, 0.05), AtLeast(0.6))
        assert blunt.blunt.startswith("a shortfall below 0.18 goes unnoticed where 0.1 is to be seen; about 3.3 times")
        assert "evaluation.samples" in blunt.blunt
        assert not line((0.9, 0.05), AtLeast(0.6, resolves=0.2)).blunt
        assert not line((90, 1.5), AtLeast(60)).blunt
        # the noise floor is what is blunt
        floor = line((0.9, 0.01), Threshold(within_floor=0.05), floor=(0.9, 0.05))
        assert "held-out and training examples" in floor.blunt

    def test_a_baseline_without_a_finite_value_is_none(self):
        judged = line(0.5, Threshold(within_blessed=0), baseline=math.nan)
        assert (judged.holds, judged.baseline, judged.against_baseline) == (True, None, None)

    def test_every_bound_has_to_hold(self):
        judged = line(0.5, AtLeast(0.6, within_floor=0.1), floor=0.9)
        assert judged.verdict == "0.5, must be at least 0.6 and at least 0.8 (real against real: 0.9)"
        assert judged.limits == (0.6, pytest.approx(0.8))

    def test_reason_names_every_fault(self):
        lines = {"a": line(0.1, AtLeast(0.5)), "b": line(1, AtLeast(0.5)), "c": line(None, AtLeast(1), missing="none")}
        blessed, reason = gate.reason_of(lines, {"a": "it is small"})
        assert not blessed
        assert reason == (
            "refused: a is 0.1, must be at least 0.5: it is small; c cannot be estimated: none: out of its bounds"
        )

    def test_reason_of_a_blessing_names_what_held(self):
        assert gate.reason_of({"a": line(0.75, AtLeast(0.5)), "b": line(3, None)}, {}) == (
            True,
            "blessed: every threshold holds (a 0.75)",
        )

    def test_json_has_no_nan(self):
        tree = line(math.nan, None, floor=math.inf).to_json()
        assert json.loads(json.dumps(tree, allow_nan=False))["floor"] is tree["value"] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (1234.5, "1234"), (0, "0"), (1.0, "1"), (-0.05, "-0.05"), (2e-7, "2.00e-07"), (None, "-")],
)
def test_figures(value, text):
    assert gate.number(value) == text


class TestHistory:
    def looks(self, distance: float = 0.3, diversity: float = 0.1, **more):
        """Rows of a training, each with a look."""
        look = {"look_distance": distance, "look_diversity": diversity}
        return [{"step": step, "d_auc": 0.8, "d_real_accuracy": step / 10, **look, **more} for step in range(1, 11)]

    def test_health_is_the_monitors_verdict_in_plain_values(self):
        found = history.health(self.looks())
        assert (found["verdict"], found["since_step"]) == ("mode_collapse", 3)
        assert found["evidence"] == {"d_auc": pytest.approx(0.8), "look_distance": 0.3, "look_diversity": 0.1}
        assert history.health(self.looks(distance=0.001))["verdict"] == "healthy"

    def test_health_has_no_nan(self):
        found = history.health(self.looks(g_loss=math.inf))
        assert (found["verdict"], found["evidence"]) == ("diverged", {"g_loss": None})
        json.dumps(found, allow_nan=False)

    def test_nothing_logged(self):
        assert history.health([])["verdict"] == "not_logged"
        assert history.at_the_end([], "d_real_accuracy") is None
        assert history.at_the_end([{"step": 1, "d_loss": 1.0}], "d_real_accuracy") is None

    def test_the_end_is_the_last_fifth(self):
        assert history.at_the_end(self.looks(), "d_real_accuracy").value == pytest.approx(0.95)

    def test_reads_what_a_run_wrote(self, tmp_path):
        assert history.read_history(None) == history.read_history(str(tmp_path)) == []
        rows = self.looks()
        (tmp_path / "history.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
        assert history.read_history(str(tmp_path)) == rows

    def test_refuses_a_file_that_is_no_history(self, tmp_path):
        (tmp_path / "history.jsonl").write_text('{"step": 1}\n{"step": ')
        with pytest.raises(ValueError, match=r"one JSON object a line; .* is not"):
            history.read_history(str(tmp_path))


class TestCharts:
    def test_is_well_formed_and_inside(self):
        curve = [(step, math.sin(step / 100) + 100 * (step == 500)) for step in range(0, 5_000, 10)]
        root = ElementTree.fromstring(charts.line_chart("Loss <&>", {"a": curve, "b": [(0, math.nan), (1, 2)]}))
        assert root.attrib["aria-label"].startswith("Loss <&> over 4,990 steps; a ends at")
        for shape in root.iter("polyline"):
            for point in shape.attrib["points"].split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= charts.WIDTH
                assert 0 <= y <= charts.HEIGHT
            assert len(shape.attrib["points"].split()) <= charts.POINTS

    def test_one_point_is_no_curve(self):
        assert charts.line_chart("Loss", {"a": [(1, 2.0)]}) == charts.line_chart("Loss", {}) == ""

    def test_a_constant_has_a_scale(self):
        assert "polyline" in charts.line_chart("Loss", {"a": [(0, 1.0), (10, 1.0)]})

    @pytest.mark.parametrize(
        ("low", "high", "expected"),
        [
            (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
            (0, 2500, [0, 500, 1000, 1500, 2000, 2500]),
            (-1.2, 3.1, [-1, 0, 1, 2, 3]),
        ],
    )
    def test_ticks_are_round(self, low, high, expected):
        assert charts.ticks(low, high, 5) == pytest.approx(expected)


class TestSheet:
    def test_lays_images_in_rows_with_gaps(self):
        images = np.stack([np.full((2, 3, 1), value, np.uint8) for value in (10, 20, 30, 40)])
        data = report.sheet(images, 2).removeprefix("data:image/png;base64,")
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        assert picture.shape == (5, 7, 4)
        assert [picture[0, 0, 0], picture[0, 4, 0], picture[3, 0, 0], picture[3, 4, 0]] == [10, 20, 30, 40]
        assert not picture[2].any()
        assert not picture[:, 3].any()
