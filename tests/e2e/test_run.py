"""`ganworks run` as a user meets it: whole runs in processes of their own, and what a second one does not do again.

The runs of one class share a root, in the order of the tests: each stands on what the one before left.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from PIL import Image
from sklearn.datasets import load_digits

pytestmark = pytest.mark.e2e

GANWORKS = Path(sys.executable).with_name("ganworks")
INGEST = ["ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"]
LEARN = ["FeatureTrainer", "GanTrainer"]
LOOKED_UP = {"Baseline"}


def start(root, *arguments, name="tiny"):
    command = [GANWORKS, "run", name, "--root", str(root), *arguments]
    # A test suite in the background ignores Ctrl-C, and what it starts would too. Not by `preexec_fn`, which forks, and
    # what gRPC does then writes errors of its own on the child's stderr now and then.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


def run(root, *arguments, name="tiny"):
    """Runs to the end: exit code, what was printed, and summary.json with the stages as a dict of states."""
    process = start(root, *arguments, name=name)
    process.out, process.err = process.communicate(timeout=600)
    summary = json.loads((root / "summary.json").read_text())
    process.states = {stage["name"]: stage["state"] for stage in summary["stages"]}
    process.summary = summary
    return process


def ask(*arguments):
    """What a command that answers at once prints."""
    command = [GANWORKS, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "200"}
    ).stdout


def with_state(done, state):
    return {name for name, each in done.states.items() if each == state}


def versions(root):
    return sorted(int(each.name) for each in (root / "serving" / "tiny").iterdir())


def wait_for(condition, process, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


class TestOneRoot:
    @pytest.fixture(scope="class")
    def root(self, tmp_path_factory):
        return tmp_path_factory.mktemp("run") / "root"

    def test_the_first_run_ends_with_a_pushed_model(self, root):
        done = run(root)
        assert done.returncode == 0, done.err
        assert with_state(done, "ran") == {*INGEST, *LEARN, "GanEvaluator", "ServingValidator", "Pusher"}
        self.check_the_terminal_stays_quiet_and_the_log_has_the_rest(root, done)
        pushed = Path(done.summary["pushed"])
        assert pushed.parent == root / "serving" / "tiny"
        assert (pushed / "saved_model.pb").exists()
        assert "conditional_accuracy" in (pushed / "MODEL_CARD.md").read_text()
        assert (pushed / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 0
        assert done.summary["served"].startswith("served: ")
        assert Image.open(done.summary["samples"]).size == (524, 524)
        assert "<html" in Path(done.summary["report"]).read_text()
        assert done.summary["blessed"] is True
        assert done.summary["error"] is None
        for shown in ("conditional_accuracy", "at least 0", done.summary["reason"], str(pushed), "report.html"):
            assert shown in done.out.replace(os.path.relpath(root), str(root))

    def check_the_terminal_stays_quiet_and_the_log_has_the_rest(self, root, done):
        assert done.err == ""
        assert not any(word in done.out for word in ("WARNING", "INFO", "absl", "oneDNN"))
        assert "oneDNN" in (root / "logs" / "run.log").read_text()

    def test_a_second_run_does_the_push_alone_and_heals_the_serving_folder(self, root):
        before = versions(root)
        shutil.rmtree(root / "serving")
        done = run(root)
        assert done.returncode == 0
        assert with_state(done, "ran") == {"Pusher"}
        assert with_state(done, "looked up") == LOOKED_UP
        assert versions(root) > before

    def test_report_lineage_and_comparison_know_a_real_run(self, root):
        summary = json.loads((root / "summary.json").read_text())
        assert ask("report", "--root", root) == f"{summary['report']}\n"
        tree = json.loads(ask("lineage", "--json", summary["pushed"]))
        assert tree["model"] == summary["pushed"]
        assert tree["experiment"]["data"] == summary["experiment"]["data"]
        assert len(tree["data"]["fingerprint"]) == 16
        assert tree["step"] == 20
        assert tree["versions"]["tfx"]
        assert tree["verdict"]["reason"] == summary["reason"]
        assert [each["stage"] for each in tree["executions"]] == [
            *("ImageExampleGen", "StatisticsGen", "SchemaGen", "Transform", "GanTrainer")
        ]
        assert all(each["state"] == "complete" for each in tree["executions"])
        assert all(Path(each["path"]).is_dir() for each in tree["artifacts"])
        table = ask("compare", root, summary["pushed"], "--html", root / "compare.html")
        assert "every threshold holds" in table.replace("\n", " ")
        assert "What differs" not in table
        assert (root / "compare.html").read_text().count("data:image/png") == 2

    def test_a_model_that_falls_short_is_not_pushed_and_nothing_is_trained_for_it(self, root):
        before = versions(root)
        done = run(root, "--set", "evaluation.thresholds.conditional_accuracy.at_least=1.1")
        assert done.returncode == 3
        # the examples are asked whether they can carry the new bound
        assert with_state(done, "ran") == {"ExampleValidator", "GanEvaluator", "ServingValidator", "Pusher"}
        assert (done.summary["blessed"], done.summary["pushed"]) == (False, None)
        assert "conditional_accuracy" in done.summary["reason"]
        assert "measured before; judged again" in done.out
        assert done.summary["reason"] in done.out
        assert "conditional_accuracy: train longer" in done.out
        tried = shlex.split(done.out.splitlines()[-1])
        assert tried[1:3] == ["run", "tiny"]
        assert "evaluation.thresholds.conditional_accuracy.at_least=1.1" in tried
        assert versions(root) == before

    def test_a_new_model_is_compared_with_the_one_that_serves(self, root):
        settings = ["--set", "training.seed=1", "--set", "evaluation.thresholds.spread.within_blessed=100"]
        first, second = run(root, *settings), run(root, *settings)
        judged = {"ExampleValidator", "GanEvaluator", "ServingValidator", "Pusher"}
        assert with_state(first, "ran") == {"GanTrainer", *judged}
        assert first.summary["metrics"]["spread"]["baseline"] is not None
        judged = Path(first.summary["report"]).with_name("metrics.json")
        assert json.loads(judged.read_text())["measured"] == ["the model"]
        # Now the candidate is the latest blessed model itself: still the same comparison, so from the cache.
        assert with_state(second, "ran") == {"Pusher"}
        assert second.summary["metrics"] == first.summary["metrics"]

    def test_artifacts_that_were_deleted_are_made_again(self, root):
        shutil.rmtree(root / "artifacts" / "FeatureTrainer")
        done = run(root)
        assert done.returncode == 0, done.err
        assert "FeatureTrainer" in with_state(done, "ran")
        assert with_state(done, "cached") >= {*INGEST, "GanTrainer"}

    def test_stopped_in_training_it_continues(self, root):
        """By Ctrl-C; test_killed.py kills it in each stage."""
        settings = ["--set", "training.steps=2000", "--set", "training.checkpoint_every_steps=50"]
        # In the process that is stopped first the classifier is trained as well: what Keras counts differs later.
        settings += ["--set", "evaluation.extractor_steps=51"]

        def checkpointed(known):
            return lambda: set((root / "checkpoints").rglob("*.index")) - known

        process = start(root, *settings)
        try:
            wait_for(checkpointed(set((root / "checkpoints").rglob("*.index"))), process)
            self.check_another_is_refused(root, process.pid)
            process.send_signal(signal.SIGINT)
            assert process.wait(120) == 130
        finally:
            process.kill()
            process.communicate()
        done = run(root, *settings)
        assert done.returncode == 0, done.err
        assert with_state(done, "ran") == {"GanTrainer", "GanEvaluator", "ServingValidator", "Pusher"}
        assert "resumed at step" in (root / "logs" / "run.log").read_text()
        self.check_nothing_is_half_done(root)

    def check_another_is_refused(self, root, pid):
        other = start(root)
        _, error = other.communicate(timeout=120)
        assert other.returncode == 1
        assert error == f"error: a root takes one run at a time; process {pid} is running in {root}\n"

    def check_nothing_is_half_done(self, root):
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(root / "metadata.sqlite")
        store = metadata_store.MetadataStore(config)
        states = [each.last_known_state for each in store.get_executions()]
        assert metadata_store_pb2.Execution.RUNNING not in states
        assert states.count(metadata_store_pb2.Execution.CANCELED) == 1
        finished = {Path(artifact.uri) for artifact in store.get_artifacts()}
        assert {path for path in (root / "artifacts").glob("GanTrainer/model/*") if path not in finished} == set()


class TestChangedFiles:
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory):
        """Digits as PNG files in class folders."""
        folder = tmp_path_factory.mktemp("images")
        digits = load_digits()
        for i, (image, label) in enumerate(zip(digits.images[:600], digits.target, strict=False)):
            (folder / str(label)).mkdir(exist_ok=True)
            Image.fromarray((image * 15.9).astype(np.uint8)).save(folder / str(label) / f"{i}.png")
        return folder

    def test_change_a_file_and_the_next_run_ingests_again(self, folder, tmp_path):
        root, source = tmp_path / "root", ["--source", f"folder:{folder}", "--set", "evaluation.samples=100"]
        first = run(root, *source)
        assert first.returncode == 0, first.err
        file = folder / "3" / "3.png"
        content, times = file.read_bytes(), (file.stat().st_atime_ns, file.stat().st_mtime_ns)

        file.write_bytes(b"no image")
        broken = run(root, *source)
        assert broken.returncode == 1
        assert broken.states == {}
        assert broken.err.startswith("error: stage ImageExampleGen failed: ")
        assert broken.err.count("\n") == 1
        assert "3.png" in broken.err
        assert broken.summary["error"] in broken.err

        file.write_bytes(content)
        os.utime(file, ns=times)
        assert with_state(run(root, *source), "ran") == {"Pusher"}

    def test_a_wrong_declaration_stops_before_training(self, folder, tmp_path):
        done = run(tmp_path, "--source", f"folder:{folder}", "--set", "data.classes=5")
        assert done.returncode == 1
        assert not done.states
        assert done.err.startswith("error: stage ImageExampleGen failed: data.classes is the number of classes; ")


class TestCollapse:
    # With a weak penalty and equal learning rates the demo's GAN draws one picture a class, which the classifier reads
    # right nearly always: conditional_accuracy alone would bless it.
    WEAK = ("training.steps=1000", "scheme.objective.penalties.r1=0.2", "training.ema_half_life_images=5000")
    RATES = ("generator_optimizer", "discriminator_optimizer")

    def test_a_generator_that_collapsed_in_training_is_refused_and_the_reason_says_so(self, tmp_path):
        rates = [f'training.{player}={{"learning_rate": 5e-4}}' for player in self.RATES]
        sizes = ["scheme.generator.width=32", "scheme.discriminator.width=32"]
        settings = [part for setting in (*self.WEAK, *rates, *sizes) for part in ("--set", setting)]
        done = run(tmp_path, *settings, name="digits-cgan")
        assert done.returncode == 3, done.err
        assert done.summary["metrics"]["conditional_accuracy"]["value"] > 0.95
        assert done.summary["metrics"]["within_class_spread"]["value"] < 0.4
        assert "within_class_spread is 0." in done.summary["reason"]
        assert "mode collapse" in done.summary["reason"]
        assert not (tmp_path / "serving").exists()
