"""Compiled pipelines executed here: the models that they push, the gate, the cache, conditions."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from pipeline.compiled import workers
from pipeline.compiled.runner import Runner
from pipeline.compiled.spec import load
from pipeline.experiments.named import TINY
from pipeline.kubeflow_runner import compile_pipeline
from pipeline.summary import Summary
from tests import graphs
from tests.e2e.executing import INGEST, JUDGE, LEARN, LOOKED_UP, Executed

pytestmark = pytest.mark.e2e

GANWORKS = Path(sys.executable).with_name("ganworks")


@pytest.fixture(scope="module")
def specs(tmp_path_factory):
    """`tiny` in both versions."""
    folder = tmp_path_factory.mktemp("specs")
    for version in ("2.0", "2.1"):
        compile_pipeline(TINY, folder / f"{version}.yaml", root="gs://bucket", image="image", spec=version)
    return {version: folder / f"{version}.yaml" for version in ("2.0", "2.1")}


def weights(model):
    """Every number that a saved model holds, by its name."""
    reader = tf.train.load_checkpoint(str(model / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if not name.startswith("_")]
    return {name: reader.get_tensor(name) for name in sorted(names)}


def assert_same_model(one, other):
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


class TestTiny:
    """One root, in the order of the tests: each stands on what the one before left."""

    @pytest.fixture(scope="class")
    def root(self, tmp_path_factory):
        return tmp_path_factory.mktemp("exec") / "root"

    def test_ends_with_a_pushed_model(self, root, specs):
        done = Executed(specs["2.1"], root)
        assert done.error == ""
        assert done.with_state("ran") == {*INGEST, *LEARN, *JUDGE, "Pusher"}
        assert done.with_state("looked up") == LOOKED_UP
        assert done.summary.exit_code == 0
        assert done.summary.pushed.parent == root / "serving" / "tiny"
        assert done.summary.served.startswith("served: ")
        lines = done.out.splitlines()
        assert lines[0].startswith(" 1/12 ImageExampleGen ")
        assert lines[-1].startswith("12/12 Pusher ")
        assert not list((root / "artifacts").rglob("executor_output.json"))

    def test_it_is_the_model_that_the_local_runner_makes(self, root, tmp_path):
        from pipeline import local_runner

        local = Summary(TINY, tmp_path)
        local_runner.run(local, Console(file=io.StringIO()))
        (pushed,) = (root / "serving" / "tiny").iterdir()
        assert_same_model(pushed, local.pushed)

    def test_a_second_takes_all_but_the_push_from_its_cache(self, root, specs):
        done = Executed(specs["2.1"], root)
        assert done.with_state("cached") == {*INGEST, *LEARN, *JUDGE}
        assert done.with_state("ran") == {"Pusher"}
        assert done.summary.exit_code == 0

    def test_the_gate_refuses(self, root, specs):
        given = json.dumps({"conditional_accuracy": {"at_least": 1.1}})
        done = Executed(specs["2.1"], root, thresholds=given)
        # the examples are asked whether they can carry the new bound
        assert done.with_state("ran") == {"ExampleValidator", *JUDGE, "Pusher"}
        assert done.summary.exit_code == 3
        assert done.summary.pushed is None
        assert "conditional_accuracy" in done.summary.judgement["reason"]
        assert done.summary.served == "not served: only a blessed model is"

    def test_other_steps_make_another_model_which_is_compared_with_the_blessed_one(self, root, specs):
        given = json.dumps({"spread": {"within_blessed": 100}})
        first, second = (Executed(specs["2.1"], root, training_steps="10", thresholds=given) for _ in range(2))
        assert first.with_state("ran") == {"ExampleValidator", "GanTrainer", *JUDGE, "Pusher"}
        assert first.summary.judgement["metrics"]["spread"]["baseline"] is not None
        assert first.summary.experiment.training.steps == 10
        saved = json.loads((first.summary.pushed / "assets.extra" / "experiment.json").read_text())
        assert saved["training"]["steps"] == 10
        # Now it is blessed itself, and still no baseline of its own.
        assert second.with_state("ran") == {"Pusher"}

    def test_lineage_and_report_know_it(self, root):
        def ask(*arguments):
            return subprocess.run([GANWORKS, *arguments], capture_output=True, text=True, check=True).stdout

        summary = json.loads((root / "summary.json").read_text())
        assert ask("report", "--root", root) == f"{summary['report']}\n"
        tree = json.loads(ask("lineage", "--json", summary["pushed"]))
        assert [each["stage"] for each in tree["executions"]] == [
            *("ImageExampleGen", "StatisticsGen", "SchemaGen", "Transform", "GanTrainer")
        ]
        assert len(tree["data"]["fingerprint"]) == 16
        assert tree["verdict"]["blessed"] is True

    def test_a_source_that_changed_is_ingested_again(self, specs, tmp_path):
        from tests.components.images import write_classes

        write_classes(tmp_path / "images", dict.fromkeys("abcdefghij", 5))
        spec = load(specs["2.1"])
        alone = type(spec)(
            spec.name, spec.version, {"ImageExampleGen": spec.tasks["ImageExampleGen"]}, spec.types, spec.defaults
        )
        values = spec.values({"data_source": f"folder:{tmp_path / 'images'}"})
        for state in ("ran", "cached", "ran"):
            summary = Summary(TINY, tmp_path / "root")
            summary.root.mkdir(exist_ok=True)
            Runner(alone, values, summary, Console(file=io.StringIO())).run()
            assert [stage.state for stage in summary.stages] == [state]
            if state == "cached":
                (tmp_path / "images" / "a" / "3.png").unlink()

    def test_version_2_0_makes_the_same(self, root, specs, tmp_path):
        done = Executed(specs["2.0"], tmp_path / "root")
        assert done.error == ""
        assert done.summary.exit_code == 0
        assert_same_model(min((root / "serving" / "tiny").iterdir()), done.summary.pushed)


@pytest.mark.parametrize("version", ["2.0", "2.1"])
class TestGraph:
    @pytest.fixture
    def graph(self, tmp_path, version):
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "weights").write_text("w")
        graphs.compile_graph(tmp_path / "graph.json", tmp_path / "model", version)
        return load(tmp_path / "graph.json")

    @pytest.fixture
    def run(self, graph, tmp_path):
        def run(**given):
            workers.warm_up(graph.modules())
            summary = Summary(TINY, tmp_path / "root")
            summary.root.mkdir(exist_ok=True)
            Runner(graph, graph.values(given), summary, Console(file=io.StringIO())).run()
            return summary, {stage.name: stage.state for stage in summary.stages}

        return run

    def test_a_condition_that_holds_and_one_that_does_not(self, run, graph):
        assert graph.tasks["Push"].spec.trigger_policy.condition
        summary, states = run()
        assert states == {
            "Imported": "imported",
            "Judge": "ran",
            "Push": "ran",
            "Announce": "ran",
            "Earlier": "looked up",
        }
        assert (summary.uri("Announce", "model") / "weights").read_text() == "w!"
        assert summary.outputs["Imported"]["result"][0].get_string_custom_property("origin") == "here"
        assert summary.outputs["Earlier"]["latest"] == []

        refused, states = run(score=2)
        assert (states["Judge"], states["Push"], states["Announce"]) == ("ran", "skipped", "skipped")
        (earlier,) = refused.outputs["Earlier"]["latest"]
        assert earlier.uri == str(summary.uri("Push", "pushed"))
        # An import that is not to be done again has the name that it had, so all comes from the cache.
        assert run()[1]["Push"] == "cached"

    def test_an_import_of_nothing_names_the_task(self, run, tmp_path):
        (tmp_path / "model" / "weights").unlink()
        (tmp_path / "model").rmdir()
        with pytest.raises(
            ValueError, match=r"^stage Imported failed: it imports .*model, which does not exist on this"
        ):
            run()
