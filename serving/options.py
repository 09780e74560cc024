"""What a server is told, checked before anything heavy is done."""

import socket
from dataclasses import dataclass, field
from pathlib import Path

from serving import model_config
from serving.model_config import ModelServerConfig, VersionPolicy
from serving.wire.answers import Limits

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Tls:
    """PEM files of an encrypted server.

    Args:
        certificate: the server's, followed by those that signed it.
        key: of the certificate, without a password.
        client_ca: clients have to show a certificate that this one signed; None asks for none.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def __post_init__(self) -> None:
        for name in ("certificate", "key", "client_ca"):
            path = getattr(self, name)
            if path and not path.is_file():
                raise ValueError(f"the TLS {name.replace('_', ' ')} {path} is no file")


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """What to serve and how.

    Args:
        models: what is served, as `find` or `model_config.read` gives it.
        host: the address to listen at.
        grpc_port: of both gRPC services; 0 picks a free one.
        rest_port: of the REST API, the page and the metrics; 0 picks a free one.
        batching_parameters_file: TF Serving's; None batches no requests across clients.
        poll_seconds: between looks for new versions; 0 looks once.
        tls: for both ports; None is plain text.
        limits: of requests.
        threads: that answer requests, of each port.
        max_connections: and requests under way, of each port; more are refused.
        head_seconds: in which the head of an HTTP request has to arrive, and the pause between two.
        body_seconds: in which its body has to arrive.
        drain_seconds: that requests under way get when the server stops.

    Raises:
        ValueError: a value is out of range, or both ports are the same.
    """

    models: ModelServerConfig
    host: str = LOOPBACK
    grpc_port: int = 8500
    rest_port: int = 8501
    batching_parameters_file: Path | None = None
    poll_seconds: float = 1
    tls: Tls | None = None
    limits: Limits = field(default_factory=Limits)
    threads: int = 64
    max_connections: int = 1000
    head_seconds: float = 30
    body_seconds: float = 30
    drain_seconds: float = 30

    def __post_init__(self) -> None:
        for name in ("grpc_port", "rest_port"):
            if not 0 <= getattr(self, name) <= 65535:
                raise ValueError(f"{name} is 0 to 65535; received {getattr(self, name)}")
        if self.grpc_port and self.grpc_port == self.rest_port:
            raise ValueError(f"gRPC and REST need a port each; received {self.grpc_port} for both")
        if self.poll_seconds < 0:
            raise ValueError(f"poll_seconds is at least 0; received {self.poll_seconds}")
        for name in ("threads", "max_connections", "head_seconds", "body_seconds", "drain_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is positive; received {getattr(self, name)}")


def find(directory: Path, *, name: str | None = None, policy: VersionPolicy | None = None) -> ModelServerConfig:
    """The model that a directory holds.

    Args:
        directory: a model's base path, whose folders are versions; one of these; or the root of a run with one model.
        name: it is served as; that of the base path by default.
        policy: which versions; the latest by default. A single version folder has none but itself.

    Raises:
        ValueError: the directory holds no model, or several.
    """
    directory = directory.resolve()
    if _is_version(directory):
        if policy:
            raise ValueError(f"a version policy chooses among versions; {directory} is one")
        if not directory.name.isdecimal():
            raise ValueError(f"the folder of a version is named by its number; received {directory}")
        policy = model_config.policy(f"specific:{int(directory.name)}")
        directory = directory.parent
    elif not _is_base_path(directory):
        directory = _of_run(directory)
    return model_config.single(name or directory.name, str(directory), policy or model_config.policy("latest"))


def _of_run(root: Path) -> Path:
    found = sorted(each for each in root.glob("serving/*") if _is_base_path(each))
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"{root} holds several models; name one: {', '.join(map(str, found))}")
    raise ValueError(
        f"{root} holds no pushed model; a model is ROOT/serving/NAME with a folder for each version, one of these "
        "folders, or the root of a run that pushed one"
    )


def _is_version(directory: Path) -> bool:
    return any((directory / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt"))


def _is_base_path(directory: Path) -> bool:
    return directory.is_dir() and any(each.name.isdecimal() and _is_version(each) for each in directory.iterdir())


def bound(host: str, port: int) -> socket.socket:
    """A socket at an address, not yet listening.

    Raises:
        ValueError: the address cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise ValueError(f"the host {host} is not known: {error.strerror}") from None
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(address)
    except OSError as error:
        made.close()
        raise ValueError(f"port {port} of {host} cannot be used: {error.strerror}") from None
    return made
