"""Processes of tasks: real ones, forked and plain, that end well, fail, are killed, or outlive their parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.compiled.workers import Workers

MODULES = {
    "well": "import sys, os; print('said', sys.argv[1], os.getpid())",
    "fails": "raise ValueError('the rule; received this\\nand more')",
    "exits": "import sys; sys.exit(4)",
    "sleeps": "import pathlib, os, sys, subprocess, time\n"
    "child = subprocess.Popen(['sleep', '300'])\n"
    "pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()} {child.pid}')\n"
    "time.sleep(300)",
}


@pytest.fixture
def workers(tmp_path, monkeypatch):
    for name, text in MODULES.items():
        (tmp_path / f"task_{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with Workers(tmp_path / "logs") as made:
        yield made


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def pids(file):
    wait_for(lambda: file.exists() and len(file.read_text().split()) == 2)
    return [int(each) for each in file.read_text().split()]


class TestForked:
    def test_runs_a_module_in_a_process_of_its_own(self, workers, tmp_path):
        workers.run("A", ["python", "-m", "task_well", "this"])
        _, word, pid = (tmp_path / "logs" / "A.log").read_text().split()
        assert word == "this"
        assert int(pid) != os.getpid()

    @pytest.mark.parametrize(
        ("command", "message"),
        [
            (["python", "-m", "task_fails"], "^the rule; received this$"),
            (["python", "-m", "task_exits"], "^its process ended with 4$"),
            (["python", "-m", "task_nowhere"], "^it runs task_nowhere, which is not installed here$"),
            (["sh", "-c", "exit 3"], "^its process ended with code 3$"),
            (["/no/such/command"], "^its command /no/such/command cannot be run here: No such file or directory$"),
        ],
    )
    def test_a_failure_is_one_line(self, workers, command, message):
        with pytest.raises(ValueError, match=message):
            workers.run("A", command)

    def test_the_traceback_is_in_the_log(self, workers, tmp_path):
        with pytest.raises(ValueError, match="the rule"):
            workers.run("A", ["python", "-m", "task_fails"])
        assert "Traceback" in (tmp_path / "logs" / "A.log").read_text()

    def test_a_plain_command_runs_as_it_is(self, workers, tmp_path):
        workers.run("A", ["sh", "-c", "echo said"])
        assert (tmp_path / "logs" / "A.log").read_text() == "said\n"

    def test_one_that_is_killed_is_said_to_be(self, workers, tmp_path):
        def kill():
            os.kill(pids(tmp_path / "pids")[0], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(ValueError, match=r"^its process was killed by SIGKILL$"):
            workers.run("A", ["python", "-m", "task_sleeps", str(tmp_path / "pids")])
        killer.join()


class TestTheEnd:
    def test_of_the_context_is_that_of_all_tasks_and_of_what_they_started(self, workers, tmp_path):
        with ThreadPoolExecutor() as threads:
            done = threads.submit(workers.run, "A", ["python", "-m", "task_sleeps", str(tmp_path / "pids")])
            started = pids(tmp_path / "pids")
            workers.__exit__()
            with pytest.raises(ValueError, match="its process was killed by SIGKILL"):
                done.result(20)
        wait_for(lambda: not any(map(alive, started)))
        with pytest.raises(ValueError, match="it was stopped"):
            workers.run("A", ["python", "-m", "task_well", "this"])

    def test_of_a_killed_parent_is_that_of_its_tasks(self, workers, tmp_path):
        code = "import sys; from pathlib import Path; from pipeline.compiled.workers import Workers\n"
        code += "Workers(Path(sys.argv[1])).run('A', ['python', '-m', 'task_sleeps', sys.argv[2]])"
        command = [sys.executable, "-c", code, str(tmp_path / "logs"), str(tmp_path / "pids")]
        path = os.pathsep.join([str(tmp_path), str(Path.cwd())])
        with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}) as parent:
            started = pids(tmp_path / "pids")
            parent.send_signal(signal.SIGKILL)
        wait_for(lambda: not any(map(alive, started)))
