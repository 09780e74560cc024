"""The processes of whole runs: their cores, their end with the benchmark, and whose records are whose."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from benchmarks.experiments import pipelines
from models import config
from pipeline.experiments.named import TINY

SLEEPS = ("-c", "import os, time; print(os.getpid(), flush=True); time.sleep(100)")


def when_started(output, act):
    """Acts once what writes to a file has written its process's id."""

    def wait():
        while not (output.exists() and output.read_text().endswith("\n")):
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def is_running(output):
    try:
        os.kill(int(output.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


class TestProcesses:
    def test_gives_cores_and_brings_the_exit_code(self, tmp_path):
        core = min(os.sched_getaffinity(0))
        with pipelines.Processes() as processes:
            # it starts on all cores of this process, and is moved at once
            text = "import os, sys, time; time.sleep(0.5); print(os.sched_getaffinity(0)); sys.exit(3)"
            assert processes.call(["-c", text], [core], tmp_path / "logs" / "output").code == 3
        assert (tmp_path / "logs" / "output").read_text() == f"{{{core}}}\n"

    def test_memory_is_the_most_that_one_had(self, tmp_path):
        """Processes of 300 MiB, of 1, and one that starts another of 300: a stage in its own process is of the run.

        If this fails, a table says another's memory. Who asks is small, as a benchmark is: the system counts it too.
        """
        most = [
            "b'x' * (300 << 20)",
            "b'x' * (1 << 20)",
            "import subprocess, sys; subprocess.run([sys.executable, '-c', \"b'x' * (300 << 20)\"])",
        ]
        asks = [
            "import os, sys, pathlib",
            "from benchmarks.experiments import pipelines",
            "with pipelines.Processes() as processes:",
            "    for text in sys.argv[2:]:",
            "        arguments = ['-c', text], sorted(os.sched_getaffinity(0)), pathlib.Path(sys.argv[1])",
            "        print(processes.call(*arguments).peak_bytes / 2**20)",
        ]
        output = subprocess.check_output(
            [sys.executable, "-c", "\n".join(asks), str(tmp_path / "out"), *most], text=True
        )
        large, small, around = map(float, output.split())
        assert 300 < large < 500
        assert small < 200
        assert 300 < around < 500

    def test_run_our_code_and_not_what_lies_in_the_current_folder(self, tmp_path, monkeypatch):
        (tmp_path / "models.py").write_text("")
        monkeypatch.chdir(tmp_path)
        with pipelines.Processes() as processes:
            output = tmp_path / "output"
            processes.call(
                ["-c", "import models.config as ours; print(ours.__file__)"], sorted(os.sched_getaffinity(0)), output
            )
        assert output.read_text().strip() == config.__file__

    def test_end_with_the_benchmark_that_is_stopped(self, tmp_path):
        output, before = tmp_path / "output", signal.getsignal(signal.SIGTERM)
        with pipelines.Processes() as processes:
            thread = when_started(output, lambda: os.kill(os.getpid(), signal.SIGTERM))
            with pytest.raises(KeyboardInterrupt):
                processes.call(SLEEPS, sorted(os.sched_getaffinity(0)), output)
            thread.join()
            assert not is_running(output)
        assert signal.getsignal(signal.SIGTERM) is before

    def test_of_another_thread_end_too_and_none_begins_after(self, tmp_path):
        output, later, codes = tmp_path / "output", tmp_path / "later", []
        with pipelines.Processes() as processes:
            thread = when_started(output, processes.kill)
            codes.append(processes.call(SLEEPS, sorted(os.sched_getaffinity(0)), output).code)
            thread.join()
            codes.append(processes.call(SLEEPS, sorted(os.sched_getaffinity(0)), later).code)
        assert codes == [-signal.SIGKILL] * 2
        assert not is_running(output)


class TestRecords:
    def test_a_record_is_of_one_experiment(self, tmp_path):
        one, other = (pipelines.Run("tiny-0", "tiny", (), TINY.override([f"training.steps={n}"])) for n in (2, 3))
        assert pipelines.record_of(one, tmp_path) != pipelines.record_of(other, tmp_path)
        assert pipelines.record_of(one, tmp_path) == pipelines.record_of(one, tmp_path)

    def test_a_training_that_diverged_is_refused_and_another_error_ends_the_benchmark(self, tmp_path):
        run = pipelines.Run("tiny-0", "tiny", (), TINY)
        (tmp_path / "summary.json").write_text(
            '{"error": "stage GanTrainer failed: training diverged before step 5: x"}'
        )
        outcome = pipelines._outcome(run, tmp_path, 1)
        assert (outcome["blessed"], outcome["metrics"]) == (False, {})
        assert "diverged before step 5" in outcome["reason"]
        (tmp_path / "summary.json").write_text('{"error": "the disk is full"}')
        with pytest.raises(ValueError, match="tiny-0 ended with exit code 1: the disk is full; see "):
            pipelines._outcome(run, tmp_path, 1)

    def test_a_model_that_could_not_be_served_is_not_blessed(self, tmp_path):
        (tmp_path / "summary.json").write_text(
            '{"blessed": true, "reason": "blessed", "served": "too slow", "error": null}'
        )
        outcome = pipelines._outcome(pipelines.Run("tiny-0", "tiny", (), TINY), tmp_path, 3)
        assert (outcome["blessed"], outcome["reason"]) == (False, "too slow")
