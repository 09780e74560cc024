import shutil

import pytest

from pipeline import records
from tests.runs import Root, pick


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path / "root")


def stages(executions):
    return [each.stage for each in executions]


class TestRecords:
    def test_a_model_is_made_by_what_had_a_part_in_it(self, root):
        made = root.run()
        known = records.read(root.root)
        assert stages(known.makers(made["model"])) == ["ImageExampleGen", "Transform", "GanTrainer"]
        assert stages(known.makers(made["evaluation"])) == [
            *("ImageExampleGen", "Transform", "FeatureTrainer", "GanTrainer", "GanEvaluator")
        ]

    def test_an_execution_has_what_the_store_has(self, root):
        made = root.run(fingerprint="f7")
        trainer = records.read(root.root).maker(made["model"])
        assert (trainer.stage, trainer.state) == ("GanTrainer", "complete")
        assert trainer.inputs == {"examples": (made["transformed"],)}
        assert trainer.outputs == {"model": (made["model"],), "model_run": (made["model_run"],)}
        ingest, transform, _ = records.read(root.root).makers(made["model"])
        assert ingest.properties == {"fingerprint": "f7", "source": "c0"}
        assert 0.05 <= transform.seconds < 5

    def test_what_the_cache_gave_was_made_before(self, root):
        made = root.run()
        root.execute("ImageExampleGen", outputs=pick(made, "examples"), state="CACHED")
        root.execute("GanTrainer", {"examples": made["transformed"]}, pick(made, "model"), state="CACHED")
        known = records.read(root.root)
        assert known.maker(made["model"]).state == "complete"
        assert known.latest("GanTrainer", "model").id == made["model"]

    def test_the_latest_is_that_of_the_last_run_though_an_older_one(self, root):
        first, second = root.run(), root.run()
        assert records.read(root.root).latest("GanTrainer", "model").id == second["model"]
        root.execute("GanTrainer", {"examples": first["transformed"]}, pick(first, "model"), state="CACHED")
        assert records.read(root.root).latest("GanTrainer", "model").id == first["model"]

    def test_what_failed_made_nothing(self, root):
        made = root.run()
        root.execute("GanTrainer", {"examples": made["transformed"]}, state="FAILED")
        assert records.read(root.root).latest("GanTrainer", "model").id == made["model"]
        assert records.read(root.root).latest("Sampler", "pictures") is None

    def test_the_baseline_of_a_judgement_can_be_left_out(self, root):
        first, second = root.run(), root.run()
        inputs = {"baseline_model": first["model"], **pick(second, "model")}
        evaluation = root.execute("GanEvaluator", inputs, {"evaluation": "ModelEvaluation"})["evaluation"]
        known = records.read(root.root)
        assert stages(known.makers(evaluation)).count("GanTrainer") == 2
        assert stages(known.makers(evaluation, without=("baseline_model",))).count("GanTrainer") == 1


class TestLocate:
    def test_a_root_an_artifact_and_a_pushed_model(self, root):
        made = root.run()
        model = root.path(made["model"])
        assert records.locate(root.root)[1] is None
        for path in (model, model / "Format-Serving", made["destination"]):
            assert records.locate(path)[1].id == made["model"]

    def test_a_root_that_was_moved(self, root, tmp_path):
        made = root.run()
        moved = tmp_path / "moved"
        shutil.move(root.root, moved)
        known, artifact = records.locate(moved / made["destination"].relative_to(root.root))
        assert artifact.id == made["model"]
        assert known.path(artifact) == moved / "artifacts" / artifact.name
        assert known.path(artifact).is_dir()

    def test_what_no_run_made(self, root, tmp_path):
        root.run()
        with pytest.raises(ValueError, match=r"holds metadata.sqlite; there is none in .*elsewhere or above it"):
            records.locate(tmp_path / "elsewhere")
        for strange in ("artifacts/GanTrainer/model/99", "artifacts", "serving/tiny/7", "logs"):
            with pytest.raises(ValueError, match=f"the run in {root.root} does not know {root.root / strange}"):
                records.locate(root.root / strange)

    def test_a_store_that_cannot_be_read(self, tmp_path):
        (tmp_path / "metadata.sqlite").write_text("no database")
        with pytest.raises(ValueError, match=r"metadata.sqlite holds the ML Metadata of a run; it cannot be read") as e:
            records.locate(tmp_path)
        assert "\n" not in str(e.value)
