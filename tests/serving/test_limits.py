"""What a server refuses before it computes: sizes, slow clients, strangers; and what it is told wrongly."""

import datetime
import ipaddress
import json
import logging
import socket
import ssl
import time
from pathlib import Path

import grpc
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import APIRouter
from starlette.staticfiles import StaticFiles
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving import logs, options
from serving.options import ServerOptions, Tls
from serving.server import EmbeddedServer
from serving.wire.answers import Limits
from tests.serving import saved
from tests.serving.asking import predict_request

PREDICT = "/v1/models/half_plus_two:predict"


class TestSlowClients:
    @pytest.fixture(scope="class")
    def hasty(self, toys):
        with saved.serving(toys, head_seconds=0.5, body_seconds=0.5) as client:
            yield client

    def connect(self, client: saved.Client) -> socket.socket:
        return socket.create_connection(("127.0.0.1", client.server.rest_port), timeout=10)

    @pytest.mark.parametrize("sent", [b"", b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: x\r\n"])
    def test_a_head_that_does_not_come(self, hasty, sent):
        with self.connect(hasty) as connection:
            started = time.monotonic()
            connection.sendall(sent)
            assert connection.recv(100) == b""
            assert time.monotonic() - started < 3

    def test_a_head_byte_by_byte(self, hasty):
        with self.connect(hasty) as connection:
            closed = False
            for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\nSlow: " + b"x" * 100:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    closed = True
                    break
                time.sleep(0.02)
            assert closed

    def test_a_second_head_that_does_not_come(self, hasty):
        with self.connect(hasty) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert received(connection, until=b'{"status": "alive"}').startswith(b"HTTP/1.1 200")
            connection.sendall(b"GET /healthz HTTP/1.1\r\n")
            assert connection.recv(1000) == b""

    def test_a_body_that_does_not_come(self, hasty):
        with self.connect(hasty) as connection:
            connection.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
            answer = received(connection)
            assert answer.startswith(b"HTTP/1.1 408")
            assert answer.endswith(b'{"error": "the body has to arrive within 0.5 seconds"}')

    def test_a_request_in_time_is_answered_on_the_same_connection(self, hasty):
        for _ in range(3):
            assert hasty.post(PREDICT, {"instances": [1]}).status_code == 200
            time.sleep(0.3)


def received(connection: socket.socket, until: bytes | None = None) -> bytes:
    """What comes until the connection is closed, or until these bytes have come."""
    answer = b""
    while part := connection.recv(1000):
        answer += part
        if until and answer.endswith(until):
            break
    return answer


class TestSizes:
    def test_a_body_over_the_limit(self, client):
        answer = client.post(PREDICT, b" " * 1_000_001)
        assert (answer.status_code, answer.json()) == (
            413,
            {"error": "the body has at most 1000000 bytes; received more"},
        )

    def test_a_body_of_unknown_length_over_the_limit(self, client):
        answer = client.http.post(PREDICT, content=(b" " * 100_000 for _ in range(20)))
        assert answer.status_code == 413

    def test_a_body_at_the_limit(self, client):
        body = b'{"instances": [1]}'
        assert client.post(PREDICT, b" " * (1_000_000 - len(body)) + body).status_code == 200

    def test_heads_over_the_limit(self, client):
        answer = client.http.get("/healthz", headers={"x": "y" * 1_000_000})
        assert answer.status_code in (400, 431)

    def test_more_connections_than_allowed(self, toys):
        with saved.serving(toys, max_connections=2) as client:
            held = [socket.create_connection(("127.0.0.1", client.server.rest_port)) for _ in range(2)]
            time.sleep(0.2)
            assert client.http.get("/healthz").status_code == 503
            for each in held:
                each.close()
            time.sleep(0.2)
            assert client.http.get("/healthz").status_code == 200


class TestTls:
    @pytest.fixture(scope="class")
    def pems(self, tmp_path_factory) -> dict[str, Path]:
        """A certificate of 127.0.0.1 and its key, which signed itself."""
        folder = tmp_path_factory.mktemp("tls")
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ganworks test")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        files = {"certificate": folder / "certificate.pem", "key": folder / "key.pem"}
        files["certificate"].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files["key"].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    def ask(self, server: EmbeddedServer, pems: dict[str, Path], *, shows: bool) -> tuple[float, float]:
        """The answers over gRPC and REST, with or without a client's certificate."""
        root, key = pems["certificate"].read_bytes(), pems["key"].read_bytes()
        credentials = grpc.ssl_channel_credentials(root, *((key, root) if shows else ()))
        with grpc.secure_channel(f"127.0.0.1:{server.grpc_port}", credentials) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            by_grpc = stub.Predict(predict_request("half_plus_two", x=[1.0]), timeout=10).outputs["y"].float_val[0]
        context = ssl.create_default_context(cafile=str(pems["certificate"]))
        if shows:
            context.load_cert_chain(pems["certificate"], pems["key"])
        answer = httpx.post(f"https://127.0.0.1:{server.rest_port}{PREDICT}", json={"instances": [1.0]}, verify=context)
        return by_grpc, answer.json()["predictions"][0]

    def test_both_ports(self, toys, pems):
        with EmbeddedServer(ServerOptions(models=toys, grpc_port=0, rest_port=0, tls=Tls(**pems))) as server:
            assert self.ask(server, pems, shows=False) == (2.5, 2.5)
            with pytest.raises(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{server.rest_port}/healthz")

    def test_clients_have_to_show_a_certificate(self, toys, pems):
        tls = Tls(**pems, client_ca=pems["certificate"])
        with EmbeddedServer(ServerOptions(models=toys, grpc_port=0, rest_port=0, tls=tls)) as server:
            assert self.ask(server, pems, shows=True) == (2.5, 2.5)
            with pytest.raises(grpc.RpcError):
                self.ask(server, pems, shows=False)
            context = ssl.create_default_context(cafile=str(pems["certificate"]))
            with pytest.raises(httpx.HTTPError):
                httpx.get(f"https://127.0.0.1:{server.rest_port}/healthz", verify=context)

    def test_a_file_that_is_missing(self, pems, tmp_path):
        with pytest.raises(ValueError, match=r"the TLS key .*/key\.pem is no file"):
            Tls(certificate=pems["certificate"], key=tmp_path / "key.pem")

    def test_a_file_of_something_else(self, toys, pems, tmp_path):
        other = tmp_path / "other.pem"
        other.write_text("no key")
        tls = Tls(certificate=pems["certificate"], key=other)
        with pytest.raises(ValueError, match=r"TLS|listen") as caught:
            EmbeddedServer(ServerOptions(models=toys, grpc_port=0, rest_port=0, tls=tls)).start()
        assert "\n" not in str(caught.value)


class TestPorts:
    @pytest.mark.parametrize("port", ["grpc_port", "rest_port"])
    def test_one_that_is_taken(self, client, toys, port):
        taken = getattr(client.server, port)
        chosen = ServerOptions(models=toys, **{"grpc_port": 0, "rest_port": 0, port: taken})
        with pytest.raises(ValueError, match=rf"port {taken} of 127\.0\.0\.1 cannot be used: Address already in use"):
            EmbeddedServer(chosen).start()

    def test_a_host_that_nobody_knows(self, toys):
        chosen = ServerOptions(models=toys, grpc_port=0, rest_port=0, host="no.such.host.invalid")
        with pytest.raises(ValueError, match=r"the host no\.such\.host\.invalid is not known"):
            EmbeddedServer(chosen).start()

    @pytest.mark.parametrize(
        ("wrong", "fault"),
        [
            ({"grpc_port": 70000}, "grpc_port is 0 to 65535; received 70000"),
            ({"grpc_port": 8501}, "gRPC and REST need a port each; received 8501 for both"),
            ({"poll_seconds": -1}, "poll_seconds is at least 0; received -1"),
            ({"threads": 0}, "threads is positive; received 0"),
        ],
    )
    def test_options_that_are_refused(self, toys, wrong, fault):
        with pytest.raises(ValueError, match=fault):
            ServerOptions(models=toys, **wrong)


class TestFind:
    @pytest.fixture
    def root(self, tmp_path) -> Path:
        for version in ("5", "17"):
            (tmp_path / "serving/gan" / version).mkdir(parents=True)
            (tmp_path / "serving/gan" / version / "saved_model.pb").touch()
        return tmp_path

    def test_a_base_path_and_a_root(self, root):
        for directory in (root, root / "serving/gan"):
            (model,) = options.find(directory).model_config_list.config
            assert (model.name, model.base_path) == ("gan", str(root / "serving/gan"))
            assert model.model_version_policy.latest.num_versions == 1

    def test_one_version_under_another_name(self, root):
        (model,) = options.find(root / "serving/gan/5", name="mine").model_config_list.config
        assert (model.name, model.base_path) == ("mine", str(root / "serving/gan"))
        assert list(model.model_version_policy.specific.versions) == [5]

    def test_several_models(self, root):
        (root / "serving/gan").rename(root / "serving/a")
        (root / "serving/b/1").mkdir(parents=True)
        (root / "serving/b/1/saved_model.pb").touch()
        with pytest.raises(ValueError, match=r"holds several models; name one: .*/serving/a, .*/serving/b"):
            options.find(root)

    @pytest.mark.parametrize("place", ["", "serving", "nowhere", "serving/gan/5/variables"])
    def test_what_is_no_model(self, root, place):
        (root / "serving/gan").rename(root / "elsewhere")
        with pytest.raises(ValueError, match="holds no pushed model; a model is ROOT/serving/NAME"):
            options.find(root / place)

    def test_a_version_that_has_no_number(self, root):
        (root / "serving/gan/5").rename(root / "serving/gan/five")
        with pytest.raises(ValueError, match=r"the folder of a version is named by its number; received .*/five"):
            options.find(root / "serving/gan/five")


class TestPage:
    def test_routes_and_files_beside_the_api(self, toys, tmp_path):
        (tmp_path / "index.html").write_text("<p>gallery")
        router = APIRouter()

        @router.get("/page/info")
        async def info() -> dict:
            return {"page": 1}

        chosen = ServerOptions(models=toys, grpc_port=0, rest_port=0)
        mounts = {"/": StaticFiles(directory=tmp_path, html=True)}
        with (
            EmbeddedServer(chosen, routers=[router], mounts=mounts) as server,
            httpx.Client(base_url=f"http://127.0.0.1:{server.rest_port}") as http,
        ):
            assert http.get("/").text == "<p>gallery"
            assert http.get("/page/info").json() == {"page": 1}
            assert http.post(PREDICT, json={"instances": [1]}).json() == {"predictions": [2.5]}
            assert http.get("/v1/nothing").json() == {"error": "Malformed request: GET /v1/nothing"}
            assert http.get("/none.css").status_code == 404


class TestLog:
    def test_lines_are_json_without_what_requests_hold(self, toys, tmp_path):
        file = tmp_path / "log"
        with file.open("w") as stream:
            logs.configure(stream)
            try:
                with saved.serving(toys, limits=vars(Limits())) as client:
                    client.post(PREDICT, {"instances": ["a secret"]})
                    client.post("/v1/models/many:predict", {"signature_name": "look_up", "instances": [31337]})
            finally:
                for name in logs.LOGGERS:
                    as_before(name)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert {"loading", "available", "draining", "unloaded", "stopped"} <= {line["message"] for line in lines}
        (available,) = [line for line in lines if line["message"] == "available" and line["model"] == "many"]
        assert (available["version"], available["level"], available["logger"]) == (1, "info", "serving.manager")
        assert "secret" not in file.read_text()
        assert "31337" not in file.read_text()


def as_before(name: str) -> None:

    logger = logging.getLogger(name)
    logger.handlers, logger.propagate = [], True
    logger.setLevel(logging.NOTSET)
