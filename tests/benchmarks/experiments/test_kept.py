"""Best look against last step: the interval of paired differences, and what it is held against."""

import pytest

from benchmarks.experiments import kept


def record(**values):
    better = {"coverage": "higher", "fcd_cnn": "lower"}
    return {"metrics": {name: {"value": value, "better": better[name]} for name, value in values.items()}}


def pairs(best, last, metric="coverage"):
    return [(record(**{metric: left}), record(**{metric: right})) for left, right in zip(best, last, strict=True)]


class TestCompare:
    def test_is_students_interval_of_the_differences(self):
        # by hand: differences 1, 2, 3 have mean 2 and error 1 / sqrt(3); t of 2 degrees at 97.5 % is 4.303
        row = kept.compare("digits-cgan", "coverage", pairs([2, 4, 6], [1, 2, 3]))
        assert (row["best"], row["last"], row["best_minus_last"], row["trainings"]) == (4, 2, 2, 3)
        assert (row["from"], row["to"]) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)

    def test_what_every_training_shares_is_no_noise(self):
        row = kept.compare("digits-cgan", "coverage", pairs([0.5, 0.9], [0.4, 0.8]))
        assert row["from"] == row["to"] == pytest.approx(0.1)

    def test_a_metric_without_a_value_has_no_row(self):
        assert kept.compare("digits-cgan", "coverage", pairs([0.5, None], [0.4, 0.8])) == {}
        assert kept.compare("digits-cgan", "fcd_cnn", pairs([0.5, 0.6], [0.4, 0.8])) == {}
        assert kept.compare("digits-cgan", "coverage", pairs([0.5], [0.4])) == {}


class TestMark:
    @pytest.mark.parametrize(
        ("keeps", "metric", "best", "last", "holds"),
        [
            ("best", "coverage", (0.9, 0.91, 0.92), (0.8, 0.81, 0.83), True),
            ("last", "coverage", (0.9, 0.91, 0.92), (0.8, 0.81, 0.83), False),
            ("best", "fcd_cnn", (0.9, 0.91, 0.92), (0.8, 0.81, 0.83), False),
            ("last", "fcd_cnn", (0.9, 0.91, 0.92), (0.8, 0.81, 0.83), True),
            ("best", "coverage", (0.9, 0.8, 0.7), (0.8, 0.9, 0.8), True),
            ("last", "coverage", (0.9, 0.8, 0.7), (0.8, 0.9, 0.8), True),
        ],
    )
    def test_falls_short_where_what_is_kept_is_shown_to_be_worse(self, monkeypatch, keeps, metric, best, last, holds):
        found = kept.find("digits-cgan").override([f"training.keep={keeps}"])
        monkeypatch.setattr(kept, "find", lambda name: found)
        row = kept.compare("digits-cgan", metric, pairs(best, last, metric))
        assert kept.mark("digits-cgan", [row])["holds"] == holds
