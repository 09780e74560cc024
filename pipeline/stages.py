"""What running a pipeline and executing a compiled one share: what is shown, and what is cleared away."""

import contextlib
import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tfx.orchestration import metadata
from tfx.orchestration.portable.mlmd import execution_lib

from pipeline.summary import Stage

log = logging.getLogger(__name__)


class Display:
    """A line a stage that has ended; on a terminal, a spinner for each that goes on."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._ended = console, total, 0
        columns = (TextColumn("{task.description}"), SpinnerColumn(), TimeElapsedColumn())
        self._spinners = Progress(*columns, console=console, transient=True, redirect_stderr=False)
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def shown(self, name: str) -> Iterator[None]:
        """A spinner while a stage goes on; where there is no terminal, nothing."""
        if not self._console.is_terminal:
            yield
            return
        with self._lock:
            spinner = self._spinners.add_task(f"{'':5} {name:<18}", total=None)
            self._spinners.start()
        try:
            yield
        finally:
            with self._lock:
                self._spinners.remove_task(spinner)
                if not self._spinners.task_ids:
                    self._spinners.stop()

    def ended(self, stage: Stage) -> None:
        """Prints its line."""
        with self._lock:
            self._ended += 1
            line = f"{self._ended:>2}/{self._total} {stage.name:<18} {stage.seconds:7.1f} s  {stage.state}"
            self._console.print(line)


def discard_unfinished(handle: metadata.Metadata, artifacts: Path) -> None:
    """Removes what stages left half-written when an earlier run was killed, and marks them as cancelled."""
    stale = [each for each in handle.store.get_executions() if execution_lib.is_execution_active(each)]
    for execution in stale:
        for left in artifacts.glob(f"*/*/{execution.id}"):
            log.info("removing %s, left by a run that was stopped", left)
            shutil.rmtree(left)
        execution.last_known_state = metadata_store_pb2.Execution.CANCELED
    if stale:
        handle.store.put_executions(stale)
