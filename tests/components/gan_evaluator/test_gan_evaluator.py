"""The component: what it hands to the judge, and what it leaves for Pusher."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.util import model_utils
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.types import channel_utils, standard_artifacts

from components.gan_evaluator.component import GanEvaluator
from components.gan_evaluator.executor import Executor
from tests import judging


def artifacts(house, tmp_path, model: str):
    """Inputs and outputs as TFX hands them to an executor."""

    def artifact(kind, uri, number):
        made = kind()
        made.uri, made.id = str(uri), number
        return made

    examples = artifact(standard_artifacts.Examples, house / "examples", 1)
    examples.split_names = '["train", "eval"]'
    inputs = {
        "model": [artifact(standard_artifacts.Model, house / model, 7)],
        "examples": [examples],
        "feature_model": [artifact(standard_artifacts.Model, house / "extractor", 2)],
        "model_run": [artifact(standard_artifacts.ModelRun, tmp_path, 3)],
    }
    for name in ("evaluation", "blessing"):
        (tmp_path / name).mkdir()
    outputs = {
        "evaluation": [artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation", 8)],
        "blessing": [artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing", 9)],
    }
    return inputs, outputs


def properties(experiment, tmp_path):
    """The exec properties of a run whose root this is."""
    root = str(tmp_path / "measurements")
    return {"experiment": experiment.to_json(), "source": "", "measurements_root": root, "measuring_source": ""}


class TestExecutor:
    def run(self, house, tmp_path, model: str, **more):
        inputs, outputs = artifacts(house, tmp_path, model)
        inputs |= more
        Executor().Do(inputs, outputs, properties(judging.experiment(), tmp_path))
        return inputs, outputs["blessing"][0]

    def test_refused(self, house, tmp_path):
        inputs, blessing = self.run(house, tmp_path, "collapsed")
        assert not model_utils.is_model_blessed(blessing)
        assert [file.name for file in (tmp_path / "blessing").iterdir()] == ["NOT_BLESSED"]
        assert "mode collapse" in blessing.get_string_custom_property("blessing_message")
        strategy = LatestBlessedModelStrategy()
        found = strategy.resolve_artifacts(None, {"model": inputs["model"], "model_blessing": [blessing]})
        assert found["model"] == []

    def test_blessed_against_a_baseline(self, house, tmp_path):
        baseline = standard_artifacts.Model()
        baseline.uri, baseline.id = str(house / "collapsed"), 5
        inputs, blessing = self.run(house, tmp_path, "honest", baseline_model=[baseline])
        assert model_utils.is_model_blessed(blessing)
        assert [file.name for file in (tmp_path / "blessing").iterdir()] == ["BLESSED"]
        assert blessing.get_int_custom_property("current_model_id") == 7
        assert blessing.get_string_custom_property("current_model") == str(house / "honest")
        assert blessing.get_int_custom_property("baseline_model_id") == 5
        strategy = LatestBlessedModelStrategy()
        found = strategy.resolve_artifacts(None, {"model": inputs["model"], "model_blessing": [blessing]})
        assert [model.id for model in found["model"]] == [7]

    def test_what_was_done_to_the_files_is_told(self, house, tmp_path):
        """If this fails, a judgement is silent about images that were dropped, cut or converted."""
        examples = standard_artifacts.Examples()
        examples.uri = str(tmp_path / "ingested")
        (tmp_path / "ingested").mkdir()
        report = {"counts": {"train": 3}, "bad": 0, "faults": [], "by_class": {}}
        report |= {"notes": {"cropped": [1, ["x/<b>wide.png to 7 %"]]}}
        (tmp_path / "ingested" / "ingest.json").write_text(json.dumps(report))
        self.run(house, tmp_path, "collapsed", ingested=[examples])
        told = ["cropped more than a third of the area of 1 image (x/<b>wide.png to 7 %)"]
        (kept,) = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())["protocol"]["ingested"]
        assert kept["told"] == told
        page = (tmp_path / "evaluation" / "report.html").read_text()
        assert "Cropped more than a third of the area of 1 image (x/&lt;b&gt;wide.png to 7 %)." in page

    def test_metrics_are_plain_json(self, house, tmp_path):
        self.run(house, tmp_path, "honest")
        text = (tmp_path / "evaluation/metrics.json").read_text()
        tree = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        assert tree["blessed"] is True
        assert tree["metrics"]["within_class_spread"]["threshold"] == {"at_least": 0.6}
        assert tree["metrics"]["coverage"]["limits"] == [pytest.approx(tree["metrics"]["coverage"]["floor"] - 0.05)]
        assert tree["metrics"]["fcd_cnn"]["holds"] is None
        assert tree["metrics"]["coverage"]["protocol"] == "k = 5, 10 parts of 360 that share none"
        assert tree["metrics"]["coverage"]["counts"] == {"real": 360, "fake": 3600}
        assert tree["metrics"]["memorisation"]["counts"] == {"train": 1437, "real": 360, "fake": 3600}
        assert 0 < tree["metrics"]["coverage"]["notices"][0] < 0.05
        assert tree["protocol"]["standard_errors"] == pytest.approx(2.71, abs=0.01)
        assert tree["warnings"] == []
        assert tree["protocol"]["extractor"]["eval_accuracy"] > 0.9
        read = {each["role"]: each["id"] for each in tree["protocol"]["lineage"]}
        assert read == {"model": 7, "examples": 1, "feature_model": 2, "model_run": 3}
        assert f"<code>{house / 'honest'}</code>" in (tmp_path / "evaluation/report.html").read_text()
        assert (tmp_path / "evaluation/report.html").read_text().startswith("<!doctype html>")

    @pytest.mark.parametrize(
        ("broken", "message"),
        [
            ("nan", "finite"),
            ("range", r"lie in \[0, 1\]"),
            ("extractor", "a feature extractor is a SavedModel"),
            ("class", "there are none of class 3"),
        ],
    )
    def test_nothing_is_blessed_of_bad_input(self, house, tmp_path, broken, message):
        inputs, outputs = artifacts(house, tmp_path, "honest")
        if broken in ("nan", "range"):
            value = np.nan if broken == "nan" else 2.0
            picture = tf.constant(value, tf.float32, [1, 16, 16, 1])
            judging.save_generator(
                tmp_path / "broken/Format-Serving", lambda z, label: tf.repeat(picture, tf.shape(z)[0], 0)
            )
            inputs["model"][0].uri = str(tmp_path / "broken")
        elif broken == "extractor":
            inputs["feature_model"][0].uri = str(tmp_path / "nothing")
        else:
            images, labels = judging.digits()["eval"]
            judging.write_split(tmp_path / "examples/Split-eval", images[labels != 3], labels[labels != 3])
            (tmp_path / "examples/Split-train").symlink_to(house / "examples/Split-train")
            inputs["examples"][0].uri = str(tmp_path / "examples")
        with pytest.raises(ValueError, match=message):
            Executor().Do(inputs, outputs, properties(judging.experiment(), tmp_path))
        assert not model_utils.is_model_blessed(outputs["blessing"][0])
        assert not list((tmp_path / "blessing").iterdir()) + list((tmp_path / "evaluation").iterdir())


def test_component_wires_its_channels():
    def channel(kind):
        return channel_utils.as_channel([kind()])

    component = GanEvaluator(
        model=channel(standard_artifacts.Model),
        examples=channel(standard_artifacts.Examples),
        feature_model=channel(standard_artifacts.Model),
        model_run=channel(standard_artifacts.ModelRun),
        experiment="{}",
        source="hash",
        measurements_root="measurements",
        measuring_source="other hash",
    )
    assert set(component.inputs) == {"model", "examples", "feature_model", "model_run"}
    assert component.outputs["evaluation"].type == standard_artifacts.ModelEvaluation
    assert component.outputs["blessing"].type == standard_artifacts.ModelBlessing
    given = {name: value for name, value in component.spec.exec_properties.items() if value is not None}
    assert given == {
        "experiment": "{}",
        "source": "hash",
        "measurements_root": "measurements",
        "measuring_source": "other hash",
    }
