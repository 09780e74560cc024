import os
import signal
import subprocess
import sys

import pytest

from pipeline.session import locked

HOLD = "import sys, time; from pathlib import Path; from pipeline.session import locked\n"
HOLD += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"

NOISE = """
import logging, os, sys
from pathlib import Path
from pipeline.session import logged
with logged(Path(sys.argv[1])) as console:
    logging.getLogger("lib").info("from python")
    print("warned", file=sys.stderr)
    os.write(1, b"from below, 1\\n")
    os.write(2, b"from below, 2\\n")
    console.print("for the user")
    print("progress")
print("after")
os.write(2, b"after, 2\\n")
if len(sys.argv) > 2:
    with logged(Path(sys.argv[1])):
        os.abort()
"""

LEFT = """
import sys
from pathlib import Path
from pipeline.session import logged
with logged(Path(sys.argv[1])) as console:
    console.print("first")
    sys.stdin.readline()
    for number in range(3):
        console.print(f"line {number}")
        print(f"printed {number}")
Path(sys.argv[1]).with_name("done").touch()
"""


class TestLocked:
    def test_a_second_run_is_refused_and_names_the_first(self, tmp_path):
        with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as holder:
            try:
                assert holder.stdout.readline() == "held\n"
                with pytest.raises(ValueError, match=f"one run at a time; process {holder.pid} is running"):
                    locked(tmp_path).__enter__()
            finally:
                holder.send_signal(signal.SIGKILL)
        # The holder was killed without a chance to clean up: its lock went with it.
        with locked(tmp_path):
            assert (tmp_path / ".lock").read_text() == str(os.getpid())

    def test_one_after_the_other(self, tmp_path):
        for _ in range(2):
            with locked(tmp_path):
                pass


class TestLogged:
    def test_the_terminal_gets_what_is_for_the_user_alone(self, tmp_path):
        log = tmp_path / "logs" / "run.log"
        done = subprocess.run([sys.executable, "-c", NOISE, log], capture_output=True, text=True, check=True)
        assert done.stdout == "for the user\nprogress\nafter\n"
        assert done.stderr == "after, 2\n"
        text = log.read_text()
        for line in ("from python", "warned", "from below, 1", "from below, 2"):
            assert line in text

    def test_goes_on_when_its_reader_leaves(self, tmp_path):
        """If this fails, `ganworks run ... | head` stops the run."""
        log = tmp_path / "run.log"
        command = [sys.executable, "-c", LEFT, str(log)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            assert run.stdout.readline() == b"first\n"
            run.stdout.close()
            run.stdin.write(b"go on\n")
            run.stdin.close()
            assert run.stderr.read() == b""
            assert run.wait() == 0
        assert (tmp_path / "done").exists()
        shown = [line for line in log.read_text().splitlines() if line.startswith(("line", "printed"))]
        assert shown == [f"{word} {number}" for number in range(3) for word in ("line", "printed")]

    def test_nothing_is_lost_when_the_process_dies(self, tmp_path):
        log = tmp_path / "run.log"
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", NOISE, log, "die"], capture_output=True, check=False
        )
        assert done.returncode == -signal.SIGABRT
        assert "Fatal Python error: Aborted" in log.read_text()
        assert log.read_text().count("--- ") == 2
