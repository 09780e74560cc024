"""`ganworks serve`: the binary where it is installed, else the embedded server, until a signal ends it."""

import gc
import shutil
import signal
import threading
from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter
from starlette.types import ASGIApp

from serving import logs, model_server
from serving.options import ServerOptions
from serving.server import EmbeddedServer


def serve(
    options: ServerOptions,
    *,
    embedded: bool = False,
    routers: Sequence[APIRouter] = (),
    mounts: Mapping[str, ASGIApp] | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Serves until SIGTERM or SIGINT; what is under way is then answered.

    Args:
        options: what to serve and how.
        embedded: does not look for TF Serving's binary on PATH.
        routers: further routes of the embedded server's REST port.
        mounts: path -> application at that port.
        say: is told a line about each port, once it answers.

    Returns:
        The exit code: 0, or that of the binary.

    Raises:
        ValueError: in one line, why nothing can be served.
    """
    binary = None if embedded else shutil.which(model_server.BINARY)
    if binary:
        return model_server.run(binary, options, say)
    ended = threading.Event()

    def end(number: int, _: object) -> None:
        ended.set()
        # a second one ends the process at once
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    logs.configure()
    with EmbeddedServer(options, routers=routers, mounts=mounts) as server:
        # a full collection would go through all of TensorFlow's modules, in the midst of a request
        gc.collect()
        gc.freeze()
        secure = "s" if options.tls else ""
        say(f"gRPC  {options.host}:{server.grpc_port}")
        say(f"REST  http{secure}://{options.host}:{server.rest_port}")
        ended.wait()
    return 0
