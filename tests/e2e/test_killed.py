"""Every stage in turn is killed at work, in exec and in run: the next start goes on, and reads nothing half done."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from multiprocessing import forkserver
from pathlib import Path

import pytest

from pipeline.compiled import workers
from pipeline.compiled.spec import load
from pipeline.experiments.named import TINY
from pipeline.kubeflow_runner import compile_pipeline
from pipeline.records import STORE
from tests.e2e.executing import STAGES, Executed, Left, checkpoints, ganworks, places, wait_for

pytestmark = pytest.mark.e2e

GANWORKS = Path(sys.executable).with_name("ganworks")
STEPS = 200
OF_TFX = ("StatisticsGen", "SchemaGen", "Transform")


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "tiny.json"
    compile_pipeline(TINY, path, root="gs://bucket", image="image")
    # All processes of this file are forked from one that has imported TFX.
    workers.warm_up(load(path).modules() | {"pipeline.local_runner"})
    return path


def at_work(root, stage):
    """A condition: the stage has made the folders of its outputs; the trainer has saved a checkpoint too."""
    known, saved = places(root, stage), checkpoints(root)
    return lambda: places(root, stage) - known and (stage != "GanTrainer" or checkpoints(root) - saved)


def process_of(task):
    """The forked process whose output goes to the log of a task."""
    server = forkserver._forkserver._forkserver_pid
    for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        try:
            if Path(f"/proc/{child}/fd/1").readlink().name == f"{task}.log":
                return int(child)
        except FileNotFoundError:
            continue
    return None


def check_once(root):
    """Every stage worked to its end once, and nothing is half done."""
    left = Left(root)
    left.check_nothing_is_half_done()
    assert {stage: count for stage, count in left.times_done().items() if stage in STAGES} == dict.fromkeys(STAGES, 1)


class TestExec:
    """A task's process is killed, and once the command itself."""

    @pytest.fixture(scope="class")
    def root(self, tmp_path_factory):
        return tmp_path_factory.mktemp("exec") / "root"

    @pytest.mark.parametrize("stage", [*STAGES[:7], "all", *STAGES[7:]])
    def test_killed_at_work_the_next_start_repeats_that_stage_alone(self, root, spec, stage):
        if stage == "all":
            self.kill_the_command(root, spec)
            return
        ready = at_work(root, stage)
        before = set(Left(root).times_done()) & set(STAGES) if (root / STORE).exists() else set()
        ended = threading.Event()

        def kill():
            process = wait_for(lambda: ended.is_set() or (ready() and process_of(stage)))
            if not ended.is_set():
                os.kill(process, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        done = Executed(spec, root, training_steps=str(STEPS))
        ended.set()
        killer.join()
        assert done.error == f"stage {stage} failed: its process was killed by SIGKILL"
        assert stage not in done.states
        # Only what the last kill had stopped is done again: what was killed, and what went on beside it.
        assert {name for name in before if name in done.states} <= done.with_state("cached")
        Left(root).check_nothing_is_half_done()

    def kill_the_command(self, root, spec):
        """It has no chance to end its tasks, which end all the same."""
        ready = at_work(root, "GanTrainer")
        command = [GANWORKS, "exec", spec, "--root", root, "--parameter", f"training_steps={STEPS}"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            wait_for(lambda: ready() or process.poll() is not None)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        wait_for(lambda: not writers(root / "logs" / "GanTrainer.log"), seconds=10)

    def test_at_last_it_ends_with_a_pushed_model_and_nothing_was_done_twice(self, root, spec):
        done = Executed(spec, root, training_steps=str(STEPS))
        assert done.error == ""
        assert done.with_state("ran") == {"Pusher"}
        assert done.summary.exit_code == 0
        assert (done.summary.pushed / "saved_model.pb").exists()
        assert (root / "logs" / "GanTrainer.log").read_text().count("resumed at step") >= 2
        check_once(root)


def writers(file):
    """The processes whose output goes to a file."""
    found = []
    for output in Path("/proc").glob("[0-9]*/fd/1"):
        try:
            if output.readlink() == file:
                found.append(output)
        except OSError:
            continue
    return found


class TestRun:
    """The process of `ganworks run`, which is all of its stages, is killed."""

    @pytest.fixture(scope="class")
    def root(self, tmp_path_factory):
        return tmp_path_factory.mktemp("run") / "root"

    def start(self, root):
        arguments = ("run", "tiny", "--root", str(root), "--set", f"training.steps={STEPS}")
        process = multiprocessing.get_context("forkserver").Process(target=ganworks, args=(root, *arguments))
        process.start()
        return process

    # Those that are TFX's own are killed in exec: what they write, they write in the same way.
    @pytest.mark.parametrize("stage", [stage for stage in STAGES if stage not in OF_TFX])
    def test_killed_at_work_the_next_start_repeats_that_stage_alone(self, root, spec, stage):
        ready = at_work(root, stage)
        process = self.start(root)
        wait_for(lambda: ready() or process.exitcode is not None)
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL, root.with_suffix(".out").read_text()
        ran = [line.split()[1] for line in root.with_suffix(".out").read_text().splitlines() if line.endswith(" ran")]
        killed = [each for each in STAGES if each not in OF_TFX]
        # Only what the last kill had stopped is done again, and what comes after it until this stage.
        last = killed[killed.index(stage) - 1] if stage != killed[0] else STAGES[0]
        assert ran == list(STAGES[STAGES.index(last) : STAGES.index(stage)])

    def test_at_last_it_ends_with_a_pushed_model_and_nothing_was_done_twice(self, root, spec):
        process = self.start(root)
        process.join()
        assert process.exitcode == 0, root.with_suffix(".out").read_text()
        summary = json.loads((root / "summary.json").read_text())
        assert [each["name"] for each in summary["stages"] if each["state"] == "ran"] == ["Pusher"]
        assert (Path(summary["pushed"]) / "saved_model.pb").exists()
        assert "resumed at step" in (root / "logs" / "run.log").read_text()
        check_once(root)
