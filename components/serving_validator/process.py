"""A server in a process of its own, for as long as it is needed."""

import contextlib
import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

START_SECONDS = 300
"""In which the process has to import TensorFlow, load the model and warm it up."""


class Ports(NamedTuple):
    """Where a server listens, on loopback."""

    grpc: int
    rest: int


@contextlib.contextmanager
def serving(directory: Path) -> Iterator[Ports]:
    """Serves a folder of versions by the embedded server, in a fresh process.

    Args:
        directory: named as the model, with a folder a version.

    Raises:
        ValueError: the model cannot be served, and why.
    """
    # a fresh interpreter: nothing of the pipeline, and nothing that it loaded, helps the model there
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(str(directory), theirs), name="serving", daemon=True)
    process.start()
    theirs.close()
    try:
        yield _ports(ours, process)
    finally:
        ours.close()  # which is how it is told to stop
        process.join(30)
        if process.is_alive():
            process.kill()
            process.join()


def _ports(ours: Connection, process: multiprocessing.process.BaseProcess) -> Ports:
    if not ours.poll(START_SECONDS):
        raise ValueError(f"a server has to load the model within {START_SECONDS} s; it has not")
    try:
        told = ours.recv()
    except EOFError:
        process.join(30)
        raise ValueError(f"the server ended while it loaded the model, with exit code {process.exitcode}") from None
    if isinstance(told, str):
        raise ValueError(told)
    return Ports(*told)


def _serve(directory: str, parent: Connection) -> None:
    """In the process: serves until the other end of the pipe is closed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from serving.options import ServerOptions, find
    from serving.server import EmbeddedServer

    try:
        options = ServerOptions(models=find(Path(directory)), grpc_port=0, rest_port=0, poll_seconds=0)
        with EmbeddedServer(options) as server:
            parent.send((server.grpc_port, server.rest_port))
            with contextlib.suppress(EOFError):
                parent.recv()
    except ValueError as error:
        parent.send(str(error))
