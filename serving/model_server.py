"""TF Serving's own binary as a child process, told the same as the embedded server."""

import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from google.protobuf import text_format

from serving import metrics
from serving.options import ServerOptions, bound

BINARY = "tensorflow_model_server"
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound


def run(binary: str, options: ServerOptions, say: Callable[[str], None]) -> int:
    """Runs the binary until it ends; SIGTERM and SIGINT are passed on to it.

    Args:
        binary: its path.
        options: limits, threads and times are the binary's own.
        say: is told a line about each port.

    Returns:
        The binary's exit code; 0 where it was ended by a signal that was passed on.

    Raises:
        ValueError: TLS is asked for, which the binary has for gRPC alone; a port is taken.
    """
    if options.tls:
        raise ValueError(f"{BINARY} has no TLS at its REST port; --embedded has it at both")
    with bound(options.host, options.grpc_port) as grpc_probe, bound(options.host, options.rest_port) as rest_probe:
        grpc_port, rest_port = grpc_probe.getsockname()[1], rest_probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="ganworks-serve-") as folder:
        child = subprocess.Popen([binary, *arguments(options, grpc_port, rest_port, Path(folder))])  # noqa: S603
        passed = []

        def pass_on(number: int, _: object) -> None:
            passed.append(number)
            child.send_signal(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, pass_on)
        if options.host not in ANY_ADDRESS:
            say(f"{BINARY} has no option for the host: it listens at every address of this machine")
        say(f"gRPC  {options.host}:{grpc_port}  ({binary})")
        say(f"REST  http://{options.host}:{rest_port}  ({binary})")
        code = child.wait()
        return 0 if -code in passed else code


def arguments(options: ServerOptions, grpc_port: int, rest_port: int, folder: Path) -> list[str]:
    """The binary's flags; the files that they name are written into a folder."""
    models, monitoring = folder / "models.config", folder / "monitoring.config"
    models.write_text(text_format.MessageToString(options.models))
    monitoring.write_text(f'prometheus_config {{ enable: true path: "{metrics.PATH}" }}\n')
    flags = {
        "port": grpc_port,
        "rest_api_port": rest_port,
        "model_config_file": models,
        "monitoring_config_file": monitoring,
        # whole seconds, and not 0, which would mean once, for a part of one
        "file_system_poll_wait_seconds": max(1, round(options.poll_seconds)) if options.poll_seconds else 0,
    }
    if options.batching_parameters_file:
        flags |= {"enable_batching": "true", "batching_parameters_file": options.batching_parameters_file.resolve()}
    return [f"--{name}={value}" for name, value in flags.items()]
