"""A process a task, each forked from one that has imported TFX: that alone takes ten seconds and more."""

import contextlib
import importlib.util
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path

from pipeline.faults import one_line

_PYTHON = ("python", "python3")


def warm_up(modules: Iterable[str]) -> None:
    """Starts the process that all others are forked from, and lets it import these modules while we go on."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(sorted(modules))
    forkserver.ensure_running()


class Workers:
    """Runs commands, those of Python modules in forked processes; use as a context, whose end ends all of them."""

    def __init__(self, logs: Path) -> None:
        """Prepares; `logs` is a folder, where the output of a task goes to `TASK.log`."""
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._context = multiprocessing.get_context("forkserver")
        self._processes: set[int] = set()
        self._stopped = False
        self._lock = threading.Lock()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        """Kills what is still at work, with all that it started."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                # one that has just begun leads no group yet
                for kill in (os.killpg, os.kill):
                    with contextlib.suppress(ProcessLookupError):
                        kill(process, signal.SIGKILL)

    def run(self, task: str, command: Sequence[str]) -> None:
        """Runs a command to its end; `python` is this interpreter, whatever image the task names.

        Raises:
            ValueError: it failed, was killed, or cannot be run on this machine; one line.
        """
        path = self._logs / f"{task}.log"
        if command[:1] and command[0] in _PYTHON and command[1:2] == ["-m"]:
            if _missing(command[2]):
                raise ValueError(f"it runs {command[2]}, which is not installed here")
            self._forked(command[2:], path)
        else:
            self._plain(command, path)

    def _forked(self, command: Sequence[str], path: Path) -> None:
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_run_module, args=(list(command), str(path), theirs))
        with self._lock:
            if self._stopped:
                raise ValueError("it was stopped")
            process.start()
            self._processes.add(process.pid or 0)
        theirs.close()
        reason = ""
        with contextlib.suppress(EOFError):
            reason = ours.recv()
        process.join()
        self._ended(process.pid or 0, process.exitcode or 0, reason)

    def _plain(self, command: Sequence[str], path: Path) -> None:
        with path.open("ab") as output, self._lock:
            if self._stopped:
                raise ValueError("it was stopped")
            try:
                process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)  # noqa: S603 - as asked
            except OSError as error:
                raise ValueError(f"its command {command[0]} cannot be run here: {error.strerror}") from None
            self._processes.add(process.pid)
        self._ended(process.pid, process.wait(), "")

    def _ended(self, pid: int, code: int, reason: str) -> None:
        with self._lock:
            self._processes.discard(pid)
        if code < 0:
            raise ValueError(f"its process was killed by {signal.Signals(-code).name}")
        if code or reason:
            raise ValueError(reason or f"its process ended with code {code}")


def _missing(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is None
    except ModuleNotFoundError:
        return True


def _run_module(command: list[str], path: str, result: Connection) -> None:
    """The life of a forked process: what `python -m` would do, with its output in a log."""
    os.setpgid(0, 0)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with Path(path).open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.argv = command
    try:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        if stop.code:
            result.send(f"its process ended with {stop.code}")
            raise
    except BaseException as error:  # noqa: BLE001 - all that the log shows, the command line shall say
        traceback.print_exc()
        result.send(one_line(error))
        sys.exit(1)


def _die_with_parent() -> None:
    """Ends this process, with all that it started, when the one that wanted it is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)
