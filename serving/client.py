"""A client of TF Serving, by gRPC or REST: deadlines, retries, arrays in and out."""

import base64
import dataclasses
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from models.export.interface import INTERFACE, Interface, TensorInfo, derived

RETRIED = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
"""A server that is not there yet or has too much to do: the only errors that a second try may mend."""

FIRST_WAIT_SECONDS = 0.1
MOST_WAIT_SECONDS = 5.0

HTTP_STATUS = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED"}
HTTP_STATUS |= {501: "UNIMPLEMENTED", 502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


class ServingError(RuntimeError):
    """What a server answered in the place of a result.

    Attributes:
        status: the gRPC status' name, such as INVALID_ARGUMENT; of REST, what its HTTP status stands for.
    """

    def __init__(self, status: str, message: str):
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclasses.dataclass(frozen=True)
class Signature:
    """What a model answers under a name: its inputs and outputs."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


class Client:
    """Asks one model of a server that speaks TF Serving's protocol.

    Args:
        server: `HOST:PORT`, of gRPC or of REST.
        model: its name there.
        version: a version's number, or a label; None for the newest.
        api: which of the two the port speaks.
        timeout_seconds: deadline of a call, its retries and waits included.
        retries: of a call that fails for want of a server or of room.
        certificate: file of the authority that signed the server's certificate; None for a server without TLS.
        most_bytes: largest answer.

    Raises:
        ValueError: an argument out of range, or a certificate that cannot be read.
    """

    def __init__(
        self,
        server: str,
        model: str,
        *,
        version: int | str | None = None,
        api: Literal["grpc", "rest"] = "grpc",
        timeout_seconds: float = 30,
        retries: int = 4,
        certificate: str | None = None,
        most_bytes: int = 256 << 20,
    ):
        host, _, port = server.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"a server is HOST:PORT; received {server}")
        if timeout_seconds <= 0 or retries < 0:
            raise ValueError(f"a timeout is above 0 and retries are not below; received {timeout_seconds}, {retries}")
        if certificate and not Path(certificate).is_file():
            raise ValueError(f"a certificate is a file; there is none at {certificate}")
        self.server, self.model, self.version = server, model, version
        self._timeout, self._retries = timeout_seconds, retries
        transport = _Grpc if api == "grpc" else _Rest
        self._transport: _Grpc | _Rest = transport(server, model, version, certificate, most_bytes)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def predict(
        self, inputs: Mapping[str, Any], signature: str = "serving_default", outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Asks a signature.

        Args:
            inputs: name -> array, the batch first; bytes as objects.
            signature: its name.
            outputs: which ones to bring; all by default.

        Returns:
            name -> array; bytes as an object array.

        Raises:
            ServingError: the server refused, or did not answer in time; UNAVAILABLE where there is none.
        """
        arrays = {name: np.asarray(value) for name, value in inputs.items()}
        answer = self._tried(lambda seconds: self._transport.predict(arrays, signature, outputs, seconds))
        return {name: value for name, value in answer.items() if not outputs or name in outputs}

    def signatures(self) -> dict[str, Signature]:
        """What the model answers. Raises ServingError like `predict`."""
        found: dict[str, Signature] = self._tried(self._transport.signatures)
        # TensorFlow notes its own beginnings among the signatures
        return {name: each for name, each in found.items() if not name.startswith("__saved_model")}

    def interface(self) -> Interface:
        """What the model takes and gives: as it says itself, or as the signatures of an older or other model suggest.

        Raises:
            ServingError: like `predict`.
            ValueError: the model is of a newer ganworks; one line.
        """
        found = self.signatures()
        if INTERFACE in found and INTERFACE in found[INTERFACE].outputs:
            answer = self.predict({"row": np.zeros(1, np.int64)}, INTERFACE)
            return Interface.from_json(answer[INTERFACE][0])
        return derived({name: (each.inputs, each.outputs) for name, each in found.items()})

    def _tried(self, call: Callable[[float], Any]) -> Any:
        """The result of a call that is given the seconds that are left."""
        end = time.monotonic() + self._timeout
        for attempt in range(self._retries + 1):
            try:
                return call(max(end - time.monotonic(), 0.001))
            except ServingError as error:
                # doubled each time, and not the same for all clients that a server turned away at once
                wait = min(FIRST_WAIT_SECONDS * 2**attempt, MOST_WAIT_SECONDS) * random.uniform(0.5, 1)  # noqa: S311
                if error.status not in RETRIED or attempt == self._retries or time.monotonic() + wait > end:
                    raise
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")


class _Grpc:
    """PredictionService by its stock stubs."""

    def __init__(self, server: str, model: str, version: int | str | None, certificate: str | None, most_bytes: int):
        import grpc
        from tensorflow_serving.apis import model_pb2, prediction_service_pb2_grpc

        options = [("grpc.max_receive_message_length", most_bytes), ("grpc.max_send_message_length", most_bytes)]
        if certificate:
            credentials = grpc.ssl_channel_credentials(Path(certificate).read_bytes())
            self._channel = grpc.secure_channel(server, credentials, options)
        else:
            self._channel = grpc.insecure_channel(server, options)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._spec = model_pb2.ModelSpec(name=model)
        if isinstance(version, int):
            self._spec.version.value = version
        elif version is not None:
            self._spec.version_label = version

    def close(self) -> None:
        self._channel.close()

    def predict(
        self, inputs: Mapping[str, np.ndarray], signature: str, outputs: Sequence[str], seconds: float
    ) -> dict[str, np.ndarray]:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest(model_spec=self._spec, output_filter=outputs)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer = self._call(self._stub.Predict, request, seconds)
        return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}

    def signatures(self, seconds: float) -> dict[str, Signature]:
        from tensorflow.core.framework import types_pb2
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self._spec, metadata_field=["signature_def"]
        )
        answer = self._call(self._stub.GetModelMetadata, request, seconds)
        found = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)

        def described(infos: Any) -> dict[str, TensorInfo]:
            dtypes = {name: _dtype(types_pb2.DataType.Name(info.dtype)) for name, info in infos.items()}
            shapes = {name: _shape(dim.size for dim in info.tensor_shape.dim) for name, info in infos.items()}
            return {name: TensorInfo(dtypes[name], shapes[name]) for name in infos}

        return {
            name: Signature(described(each.inputs), described(each.outputs))
            for name, each in found.signature_def.items()
        }

    @staticmethod
    def _call(method: Callable[..., Any], request: Any, seconds: float) -> Any:
        import grpc

        try:
            return method(request, timeout=seconds)
        except grpc.RpcError as error:
            raise ServingError(error.code().name, error.details() or "") from None


class _Rest:
    """The REST API, in its column format."""

    def __init__(self, server: str, model: str, version: int | str | None, certificate: str | None, most_bytes: int):
        import ssl

        import httpx

        part = {int: "versions", str: "labels"}.get(type(version))
        self._path = f"/v1/models/{model}" + (f"/{part}/{version}" if part else "")
        trusted = ssl.create_default_context(cafile=certificate) if certificate else True
        self._http = httpx.Client(base_url=f"http{'s' if certificate else ''}://{server}", verify=trusted)
        self._most_bytes = most_bytes
        self._known: Mapping[str, Signature] = {}

    def close(self) -> None:
        self._http.close()

    def predict(
        self, inputs: Mapping[str, np.ndarray], signature: str, outputs: Sequence[str], seconds: float
    ) -> dict[str, np.ndarray]:
        del outputs  # the API has no filter
        body = {"signature_name": signature, "inputs": {name: _plain(value) for name, value in inputs.items()}}
        found = self._call("POST", f"{self._path}:predict", seconds, body)["outputs"]
        if isinstance(found, dict) and "b64" not in found:
            return {name: _array(value) for name, value in found.items()}
        # a signature with one output leaves its name out
        if signature not in self._known:
            self._known = self.signatures(seconds)
        return {next(iter(self._known[signature].outputs)): _array(found)}

    def signatures(self, seconds: float) -> dict[str, Signature]:
        tree = self._call("GET", f"{self._path}/metadata", seconds)["metadata"]["signature_def"]["signature_def"]

        def described(infos: Mapping[str, Any]) -> dict[str, TensorInfo]:
            return {name: _described(info) for name, info in infos.items()}

        return {name: Signature(described(each["inputs"]), described(each["outputs"])) for name, each in tree.items()}

    def _call(self, method: str, path: str, seconds: float, body: Any = None) -> Any:
        import json

        import httpx

        try:
            sent = None if body is None else json.dumps(body)  # with NaN and Infinity, which the API takes
            with self._http.stream(method, path, content=sent, timeout=seconds) as answer:
                content = b"".join(self._bounded(answer.iter_bytes()))
        except httpx.TimeoutException:
            raise ServingError("DEADLINE_EXCEEDED", f"no answer within {seconds:.1f} s") from None
        except httpx.TransportError as error:
            raise ServingError("UNAVAILABLE", str(error) or type(error).__name__) from None
        try:
            tree = json.loads(content)
        except ValueError:
            tree = {"error": content[:200].decode(errors="replace")}
        if answer.status_code != 200:
            message = tree.get("error", "") if isinstance(tree, dict) else str(tree)
            raise ServingError(HTTP_STATUS.get(answer.status_code, "INTERNAL"), str(message))
        return tree

    def _bounded(self, parts: Any) -> Any:
        received = 0
        for part in parts:
            received += len(part)
            if received > self._most_bytes:
                raise ServingError("OUT_OF_RANGE", f"the answer is larger than {self._most_bytes:,} bytes")
            yield part


def _shape(sizes: Any) -> tuple[int | None, ...]:
    return tuple(None if int(size) < 0 else int(size) for size in sizes)


def _described(info: Mapping[str, Any]) -> TensorInfo:
    """REST's description of a tensor, whose sizes are text."""
    return TensorInfo(_dtype(info["dtype"]), _shape(dim["size"] for dim in info["tensor_shape"].get("dim", [])))


def _dtype(name: str) -> str:
    """A dtype of the protocol, such as DT_FLOAT, as NumPy calls it."""
    names = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}
    return names.get(name, name.removeprefix("DT_").lower())


def _plain(value: np.ndarray) -> Any:
    """An array as JSON has it: bytes in base64."""
    return _encoded(value.tolist()) if value.dtype.kind in "OS" else value.tolist()


def _encoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_encoded(each) for each in value]
    return {"b64": base64.b64encode(value.encode() if isinstance(value, str) else value).decode()}


def _array(value: Any) -> np.ndarray:
    """An array of what JSON has."""
    first = value
    while isinstance(first, list) and first:
        first = first[0]
    if not isinstance(first, dict | str):
        found = np.asarray(value)
        return found.astype(np.float32) if found.dtype == np.float64 else found
    decode = np.vectorize(lambda each: base64.b64decode(each["b64"]) if isinstance(each, dict) else each.encode(), "O")
    return np.asarray(decode(np.array(value, dtype=object)), dtype=object)
