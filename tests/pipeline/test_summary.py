import io
import json

import pytest
from rich.console import Console

from pipeline.experiments.named import TINY
from pipeline.summary import Stage, Summary, metrics_table


class Artifact:
    """What a summary reads of a TFX artifact, without the ten seconds of TFX's import."""

    def __init__(self, uri, **properties):
        self.uri, self.properties = str(uri), properties

    def get_int_custom_property(self, name):
        return self.properties.get(name, 0)

    def get_string_custom_property(self, name):
        return self.properties.get(name, "")


METRIC = {
    "value": 0.4321,
    "uncertainty": 0.01,
    "floor": 0.97,
    "better": "higher",
    "threshold": {"at_least": 0.6, "at_most": None},
    "holds": False,
    "verdict": "0.432, must be at least 0.6",
}


HEALTHY = {"verdict": "healthy", "meaning": "all is well", "since_step": 0, "evidence": {}}
COLLAPSED = {"verdict": "mode_collapse", "meaning": "samples are alike", "since_step": 1500, "evidence": {}}


@pytest.fixture
def judged(tmp_path):
    """Fills a summary as a run that ended does; the root's name looks like markup."""

    def judged(blessed, health=HEALTHY):
        root = tmp_path / "[bold]root"
        evaluation = root / "evaluation"
        evaluation.mkdir(parents=True, exist_ok=True)
        metrics = {"coverage": METRIC | {"holds": blessed}}
        judgement = {"blessed": blessed, "reason": "because [of] it", "metrics": metrics}
        judgement["protocol"] = {"health": health}
        (evaluation / "metrics.json").write_text(json.dumps(judgement))
        summary = Summary(TINY, root)
        summary.add(Stage("GanEvaluator", 1.234, "ran"))
        summary.add(Stage("Transform", 0.1, "cached"))
        summary.outputs["GanEvaluator"] = {"evaluation": [Artifact(evaluation)]}
        pushed = Artifact("archive", pushed=int(blessed), pushed_destination=str(root / "serving" / "1"))
        summary.outputs["Pusher"] = {"pushed_model": [pushed]}
        return summary

    return judged


@pytest.mark.parametrize(
    ("measured", "state", "told"),
    [([], "ran", True), ([], "cached", False), (["the model"], "ran", False), (None, "ran", False)],
)
def test_says_that_only_the_gate_ran(judged, measured, state, told):
    summary = judged(True)
    summary.stages[0] = Stage("GanEvaluator", 1.234, state)
    file = summary.root / "evaluation" / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | ({} if measured is None else {"measured": measured})))
    shown = io.StringIO()
    summary.print(Console(file=shown, width=200, markup=False))
    assert ("figures  measured before; judged again" in shown.getvalue()) == told


@pytest.mark.parametrize(("blessed", "code"), [(True, 0), (False, 3)])
def test_exit_code(judged, blessed, code):
    assert judged(blessed).exit_code == code


def test_json(judged):
    summary = judged(True)
    summary.save()
    tree = json.loads((summary.root / "summary.json").read_text())
    assert tree["stages"][0] == {"name": "GanEvaluator", "seconds": 1.23, "state": "ran"}
    assert (tree["blessed"], tree["reason"], tree["error"]) == (True, "because [of] it", None)
    assert tree["metrics"] == {"coverage": METRIC | {"holds": True}}
    assert tree["health"] == HEALTHY
    assert tree["pushed"] == str(summary.root / "serving" / "1")
    assert tree["report"] == str(summary.root / "evaluation" / "report.html")
    assert tree["experiment"]["training"]["steps"] == TINY.training.steps


@pytest.fixture
def cropped(judged):
    """A run whose report of ingestion has something to say."""
    summary = judged(True)
    examples = summary.root / "examples"
    examples.mkdir()
    report = {"counts": {"train": 5}, "bad": 1, "faults": [["x/bad.png", "is no image", 1]], "by_class": {}}
    report |= {"depths": {"1": 5, "3": 1}, "notes": {"cropped": [1, ["x/wide.png to 7 %"]]}}
    (examples / "ingest.json").write_text(json.dumps(report))
    summary.outputs["ImageExampleGen"] = {"examples": [Artifact(examples)]}
    return summary


def test_what_was_done_to_files_is_kept_and_shown(cropped):
    """If this fails, images are dropped, cut or converted without a word."""
    told = [
        "dropped 1 that cannot be used (x/bad.png)",
        "converted 1 image from colour to grey",
        "cropped more than a third of the area of 1 image (x/wide.png to 7 %)",
    ]
    (kept,) = cropped.tree()["ingested"]
    assert (kept["source"], kept["bad"], kept["told"]) == ("digits", 1, told)
    assert kept["notes"] == {"cropped": {"files": 1, "names": ("x/wide.png to 7 %",)}}
    shown = io.StringIO()
    cropped.print(Console(file=shown, width=200, markup=False))
    assert [line for line in shown.getvalue().splitlines() if line.startswith("data ")] == [
        f"data     {line}" for line in told
    ]


def test_json_of_a_run_that_failed_early(tmp_path):
    Summary(TINY, tmp_path, error="stage Transform failed: no").save()
    tree = json.loads((tmp_path / "summary.json").read_text())
    assert tree["error"] == "stage Transform failed: no"
    assert (tree["stages"], tree["metrics"], tree["pushed"], tree["report"]) == ([], {}, None, None)
    assert tree["health"] is None


def test_what_is_shown(judged):
    shown = io.StringIO()
    judged(False).print(Console(file=shown, width=200, markup=False))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert "coverage ↑ 0.4321 0.01 0.97 at least 0.6 falls short" in lines
    assert "because [of] it" in lines
    assert "pushed nothing: only a blessed model that could be served is pushed" in lines
    assert any(line.startswith("stages 2 in") and line.endswith("1 of them cached") for line in lines)
    assert any("[bold]root" in line for line in lines)


def test_a_refusal_ends_with_what_to_try(judged):
    def last(blessed, again):
        shown = io.StringIO()
        summary = judged(blessed)
        summary.print(Console(file=shown, width=40), again)
        return shown.getvalue().splitlines()[-1].strip()

    assert last(False, "ganworks run tiny").startswith("ganworks run tiny --set ")
    assert last(True, "ganworks run tiny").startswith("summary ")


@pytest.mark.parametrize(
    ("health", "line"),
    [
        (HEALTHY, None),
        (COLLAPSED, "training: mode_collapse since step 1500: samples are alike"),
        ({"verdict": "not_logged", "meaning": "there is no history", "evidence": {}}, None),
    ],
)
def test_an_alarm_of_the_training_is_shown(judged, health, line):
    shown = io.StringIO()
    judged(True, health).print(Console(file=shown, width=200))
    found = [each for each in shown.getvalue().splitlines() if each.startswith("training:")]
    assert found == ([line] if line else [])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"value": None, "uncertainty": None, "verdict": "cannot be estimated: needs labels"},
            "↑ 0.97 at least 0.6 cannot be estimated",
        ),
        ({"holds": True, "verdict": "holds: what is missing may be chance"}, "at least 0.6 holds, perhaps by chance"),
        ({"better": "lower", "floor": None, "threshold": None, "holds": None}, "coverage ↓ 0.4321 0.01"),
    ],
)
def test_the_table_says_direction_reference_and_why_a_figure_is_missing(change, line):
    shown = io.StringIO()
    Console(file=shown, width=200).print(metrics_table({"coverage": METRIC | change}))
    assert any(line in " ".join(each.split()) for each in shown.getvalue().splitlines())
    assert "training images in the place of generated ones" in " ".join(shown.getvalue().split())
