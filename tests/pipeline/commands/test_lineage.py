import io
import json
import shutil

import pytest
from rich.console import Console

from pipeline.commands import lineage
from pipeline.experiments.named import RING_TO_SQUARE, TINY
from tests.runs import Root, save_model


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path / "root")


class TestLineage:
    def test_names_data_code_config_seed_versions_and_parents(self, root):
        made = root.run(TINY.override(["training.seed=5"]))
        tree = lineage.lineage(root.root)
        assert tree["model"] == str(root.path(made["model"]) / "Format-Serving")
        assert tree["data"] == {"source": "digits", "fingerprint": "f0", "examples": "e0"}
        assert tree["code"] == {"ImageExampleGen": "c0", "Transform": "c1", "GanTrainer": "c2"}
        assert tree["experiment"]["training"]["steps"] == 20
        assert (tree["seed"], tree["step"]) == (5, 10)
        assert tree["versions"] == {"python": "3.11.7", "tensorflow": "2.21.0", "tfx": "1.21.0"}
        assert tree["verdict"]["reason"] == "blessed: every threshold holds"
        assert tree["pushed"] == [str(made["destination"])]
        assert [each["stage"] for each in tree["executions"]] == ["ImageExampleGen", "Transform", "GanTrainer"]
        kinds = {each["id"]: each["kind"] for each in tree["artifacts"]}
        assert kinds[made["model"]] == "Model"
        assert kinds[made["transformed"]] == "Examples"
        assert json.loads(json.dumps(tree))["seed"] == 5

    def test_a_pushed_model_is_matched_to_its_run(self, root):
        first, _ = root.run(), root.run(TINY.override(["training.seed=5"]))
        tree = lineage.lineage(first["destination"])
        assert tree["model"] == str(first["destination"])
        assert tree["seed"] == 0
        assert tree["executions"][-1]["outputs"]["model"] == (first["model"],)

    def test_a_saved_model_alone_tells_its_record(self, root, tmp_path):
        made = root.run()
        shutil.copytree(made["destination"], tmp_path / "alone")
        tree = lineage.lineage(tmp_path / "alone")
        assert tree["root"] is None
        assert tree["data"] == {"source": "digits", "fingerprint": None, "examples": "e0"}
        assert tree["code"] == {"models": "m0"}
        assert (tree["step"], tree["executions"]) == (10, [])

    def test_of_two_domains_the_first_is_the_source(self, tmp_path):
        save_model(tmp_path / "alone", RING_TO_SQUARE)
        assert lineage.lineage(tmp_path / "alone")["data"]["source"] == "mixture:ring"

    def test_an_experiment_of_an_earlier_format_is_given_as_it_was_told(self, root):
        told = {"name": "old", "network": {"name": "dcgan"}, "data": {"source": "idx:a"}, "training": {"steps": 3}}
        root.execute("GanTrainer", outputs={"model": "Model"}, experiment=json.dumps(told))
        tree = lineage.lineage(root.root)
        assert tree["experiment"] == told
        assert tree["data"]["source"] == "idx:a"

    def test_a_model_that_was_refused(self, root):
        root.run(blessed=False)
        tree = lineage.lineage(root.root)
        assert tree["verdict"]["blessed"] is False
        assert tree["pushed"] == []

    def test_a_run_without_a_model(self, root):
        root.execute("ImageExampleGen", outputs={"examples": "Examples"})
        root.execute("Transform", state="FAILED")
        with pytest.raises(ValueError, match=r"that of its model; the last run in .* ended in Transform, failed"):
            lineage.lineage(root.root)

    def test_a_store_without_a_run(self, root):
        with pytest.raises(ValueError, match="began nothing"):
            lineage.lineage(root.root)


class TestShow:
    def shown(self, tree):
        text = io.StringIO()
        lineage.show(tree, Console(file=text, width=150, markup=False, highlight=False))
        return [" ".join(line.split()) for line in text.getvalue().splitlines()]

    def test_what_is_printed(self, root):
        made = root.run()
        lines = self.shown(lineage.lineage(root.root))
        assert "data source digits" in lines
        assert "fingerprint f0" in lines
        assert "training.steps=20" in lines
        assert "seed 0" in lines
        # what stands at its default is left out
        assert "scheme.generator.latent.size=16" in lines
        assert not any("auxiliary_weight" in line or "description" in line for line in lines)
        trainer = next(line for line in lines if "GanTrainer" in line and "examples" in line)
        assert trainer.endswith(f"examples {made['transformed']} model {made['model']}, model_run {made['model_run']}")

    def test_of_a_model_alone_there_are_no_parents(self, root, tmp_path):
        shutil.copytree(root.run()["destination"], tmp_path / "alone")
        lines = self.shown(lineage.lineage(tmp_path / "alone"))
        assert "code models m0" in lines
        assert not any("execution" in line for line in lines)
