"""The embedded server: both ports, from the first model's load to the last request's answer."""

import contextlib
import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
import uvicorn
from fastapi import APIRouter
from starlette.types import ASGIApp
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving import batching_parameters
from serving.batching import Batcher
from serving.loading import Loader
from serving.manager import Manager
from serving.metrics import Metrics
from serving.options import ServerOptions, Tls, bound
from serving.wire.errors import ServingError
from serving.wire.grpc_service import ModelService, PredictionService
from serving.wire.http_protocol import PatientProtocol
from serving.wire.rest import Rest, build_app

log = logging.getLogger(__name__)


class EmbeddedServer:
    """A server in this process; a context manager that stops it.

    Args:
        options: what to serve and how.
        routers: further routes beside the REST API, such as a page's.
        mounts: path -> application beside the REST API, such as static files.

    Attributes:
        grpc_port, rest_port: where it listens, once started.

    Raises:
        ValueError: the batching file or a TLS file cannot be used, a port is taken, or a model does not load.
    """

    def __init__(
        self,
        options: ServerOptions,
        *,
        routers: Sequence[APIRouter] = (),
        mounts: Mapping[str, ASGIApp] | None = None,
    ):
        self.options = options
        self._routers, self._mounts = routers, mounts
        self._stops = contextlib.ExitStack()
        self._grpc: Any = None
        self.grpc_port = self.rest_port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Loads the models, then listens. What was begun is undone where it fails."""
        with contextlib.ExitStack() as stops:
            options, self.metrics = self.options, Metrics()
            rest_socket = stops.enter_context(bound(options.host, options.rest_port))
            self.rest_port = rest_socket.getsockname()[1]
            # gRPC binds by itself; a port that is taken is told before models are loaded
            with bound(options.host, options.grpc_port) as probe:
                grpc_port = probe.getsockname()[1]
            batcher = None
            if options.batching_parameters_file:
                batcher = Batcher(batching_parameters.read(options.batching_parameters_file), self.metrics)
                stops.callback(batcher.close)
            loader = Loader(options.limits, self.metrics, batcher)
            self.manager = Manager(loader, self.metrics, poll_seconds=options.poll_seconds)
            stops.callback(self.manager.close)
            try:
                self.manager.reload(options.models)
            except ServingError as error:
                raise ValueError(error.message) from None
            self._start_grpc(grpc_port, stops)
            self._start_rest(rest_socket, stops)
            self.manager.start()
            self._stops = stops.pop_all()

    def stop(self) -> None:
        """Takes no more requests, answers those under way, and unloads the models."""
        log.info("draining")
        if self._grpc:
            # both ports refuse from now on; what follows waits for each in turn
            self._grpc.stop(self.options.drain_seconds)
        self._stops.close()
        log.info("stopped")

    def _start_grpc(self, port: int, stops: contextlib.ExitStack) -> None:
        options = self.options
        server = grpc.server(
            ThreadPoolExecutor(options.threads, "grpc"),
            maximum_concurrent_rpcs=options.max_connections,
            options=[
                ("grpc.max_receive_message_length", options.limits.max_message_bytes),
                ("grpc.max_send_message_length", -1),
                # without this a second server would take half of the first one's connections
                ("grpc.so_reuseport", 0),
            ],
        )
        service = PredictionService(self.manager, self.metrics, options.limits)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(self.manager), server)
        host = f"[{options.host}]" if ":" in options.host else options.host
        try:
            if options.tls:
                self.grpc_port = server.add_secure_port(f"{host}:{port}", _credentials(options.tls))
            else:
                self.grpc_port = server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise ValueError(f"gRPC cannot listen at {host}:{port}: {error}") from None
        server.start()
        self._grpc = server
        stops.callback(lambda: server.stop(options.drain_seconds).wait())

    def _start_rest(self, sock: Any, stops: contextlib.ExitStack) -> None:
        options, tls = self.options, self.options.tls
        executor = ThreadPoolExecutor(options.threads, "rest")
        stops.callback(executor.shutdown)
        rest = Rest(self.manager, self.metrics, options.limits, executor, options.body_seconds)
        config = uvicorn.Config(
            build_app(rest, self._routers, self._mounts),
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=options.head_seconds,  # type: ignore[arg-type] # a float does as well
            timeout_graceful_shutdown=options.drain_seconds,  # type: ignore[arg-type]
            limit_concurrency=options.max_connections,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
            ssl_ca_certs=str(tls.client_ca) if tls and tls.client_ca else None,
            ssl_cert_reqs=2 if tls and tls.client_ca else 0,
        )
        try:
            config.load()
        except OSError as error:
            raise ValueError(f"the TLS files cannot be used: {error}") from None
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="rest", daemon=True)
        sock.listen(config.backlog)
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join()

        stops.callback(stop)


def _credentials(tls: Tls) -> Any:
    client_ca = tls.client_ca.read_bytes() if tls.client_ca else None
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    return grpc.ssl_server_credentials([pair], client_ca, require_client_auth=bool(client_ca))
