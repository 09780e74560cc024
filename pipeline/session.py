"""What surrounds a run: one at a time in a root, a quiet terminal, everything else in a log."""

import contextlib
import fcntl
import io
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Holds a root for this process; the system lets go of it when the process ends, however it ends.

    Raises:
        ValueError: another run holds it, or the root cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        file = (root / ".lock").open("a+")
    except OSError as error:
        raise ValueError(f"a run writes to its root; {root} cannot be written: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ValueError(
                f"a root takes one run at a time; process {file.read().strip()} is running in {root}"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextlib.contextmanager
def logged(path: Path) -> Iterator[Console]:
    """Sends what libraries write, in Python or below it, to a log; Python's stdout alone stays the terminal.

    When the reader of stdout leaves, as `head` does, what is still shown goes to the log, and the work goes on.

    Args:
        path: the log; appended to.

    Yields:
        A console on the terminal.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    stdout, saved = sys.stdout, {fd: os.dup(fd) for fd in (1, 2)}
    with path.open("ab") as log, _Terminal(os.dup(1), log.fileno()) as terminal:
        log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} process {os.getpid()}: {' '.join(sys.argv)}\n".encode())
        log.flush()
        for fd in saved:
            os.dup2(log.fileno(), fd)
        sys.stdout = terminal
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(name)s: %(message)s"))
        logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
        try:
            # What is shown may hold brackets, in a path or a message: they are no markup.
            yield Console(file=terminal, highlight=False, markup=False)
        finally:
            sys.stderr.flush()
            sys.stdout = stdout
            for fd, copy in saved.items():
                os.dup2(copy, fd)
                os.close(copy)


class _Terminal(io.TextIOWrapper):
    """Text to a file descriptor, and to another one once nobody reads the first."""

    def __init__(self, shown: int, instead: int) -> None:
        super().__init__(os.fdopen(shown, "wb"), line_buffering=True)
        self._instead = instead

    def write(self, text: str) -> int:
        """Writes a text, and gives its length."""
        with self._kept():
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Passes on what was written."""
        with self._kept():
            super().flush()

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            # what waits in the buffer is written there, too
            os.dup2(self._instead, self.fileno())
            super().flush()


@contextlib.contextmanager
def quiet() -> Iterator[Console]:
    """Like `logged`, for a command that is done at once: what libraries write goes nowhere."""
    with tempfile.TemporaryDirectory(prefix="ganworks-") as work, logged(Path(work, "log")) as console:
        yield console
