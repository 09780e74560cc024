"""Whatever is sent, the answer is a refusal or a result, never 500, and the server stays as it was."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from tests.serving import saved

FEW, MANY = 100, 5_000

SIGNATURES = ["serving_default", "types", "look_up", "bytes", "half", "total", "any_shape", "classes", "", "x"]
NAMES = ["x", "label", "text", "tag", "signal", "sensor", "inputs", "b64", *saved.TYPES]

texts = st.text(max_size=20)
encoded = st.binary(max_size=9).map(lambda value: {"b64": base64.b64encode(value).decode()})
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.integers(-3, 3)
    | st.floats()
    | texts
    | encoded
    | st.just({"b64": "?"})
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=4),
    max_leaves=12,
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": st.sampled_from(SIGNATURES) | values,
        "instances": values,
        "inputs": values,
        "examples": values,
        "context": values,
    },
)
whole = (documents | values).map(lambda document: json.dumps(document).encode())
valid = st.sampled_from(
    [
        {"instances": [{"tag": "a", "signal": [1, 2, 3], "sensor": [[1, 2], [3, 4]]}]},
        {"signature_name": "look_up", "inputs": {"label": [0, 1, 2]}},
        {"signature_name": "bytes", "instances": [{"b64": "YWJj"}, "d"]},
        {"signature_name": "classes", "examples": [{"x": [1.5, 2]}]},
    ]
).map(lambda document: json.dumps(document).encode())


@st.composite
def damaged(draw) -> bytes:
    """A valid body of which a part is replaced by something else."""
    body = draw(valid)
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 4)))
    other = draw(
        st.binary(max_size=3) | st.sampled_from([b'"', b"[" * 2000, b"{", b"}", b"1e999", b"\\ud800", b"null"])
    )
    return body[:start] + other + body[end:]


bodies = st.binary(max_size=60) | whole | damaged()
paths = st.builds(
    "{}{}{}".format,
    st.sampled_from(["/v1/models/many", "/v1/models/half_plus_two", "/v1/models/..%2f..%2fetc", "/v1/models/", "/v1"]),
    st.sampled_from(["", "", "", "/versions/1", "/versions/-1", f"/versions/{10**30}", "/labels/x", "/../.."]),
    st.sampled_from([":predict", ":predict", ":predict", ":classify", ":regress", ":", "", "/metadata"]),
)

shapes = st.lists(st.sampled_from([0, 1, 2, 3, -1, 7, 10**12, 2**63 - 1]), max_size=4)
tensors = st.builds(
    lambda dtype, shape, content, fields: tensor_pb2.TensorProto(
        dtype=dtype, tensor_shape={"dim": [{"size": size} for size in shape]}, tensor_content=content, **fields
    ),
    st.integers(0, 25) | st.sampled_from([1, 3, 7, 9, 101]),
    shapes,
    st.binary(max_size=32),
    st.fixed_dictionaries(
        {},
        optional={
            "float_val": st.lists(st.floats(width=32), max_size=4),
            "int64_val": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
            "int_val": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
            "string_val": st.lists(st.binary(max_size=5), max_size=4),
        },
    ),
)
requests = st.builds(
    lambda spec, inputs, outputs: predict_pb2.PredictRequest(model_spec=spec, inputs=inputs, output_filter=outputs),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["many", "half_plus_two", "", "../x"])},
        optional={
            "signature_name": st.sampled_from(SIGNATURES),
            "version_label": texts,
        },
    ),
    st.dictionaries(st.sampled_from(NAMES) | texts, tensors, max_size=3),
    st.lists(st.sampled_from(["y", "tag", "value", ""]), max_size=2),
)


def repeated(count: int, **strategies: st.SearchStrategy) -> Callable:
    """Runs a check with as many examples."""

    def decorate(check: Callable) -> Callable:
        chosen = settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
        return chosen(given(**strategies)(check))

    return decorate


def check_rest(client: saved.Client, path: str, body: bytes) -> None:
    answer = client.http.post(path, content=body)
    assert answer.status_code != 500, answer.text
    assert answer.status_code == 200 or set(answer.json()) == {"error"}


def check_grpc(client: saved.Client, request: predict_pb2.PredictRequest) -> None:
    call = client.prediction.Predict.future(request, timeout=30)
    call.exception()
    assert call.code() not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), call.details()


class TestFew:
    @repeated(FEW, path=paths, body=bodies)
    def test_rest(self, client, path, body):
        check_rest(client, path, body)

    @repeated(FEW, request=requests)
    def test_grpc(self, client, request):
        check_grpc(client, request)

    def test_bytes_that_are_no_message(self, client):
        call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        for body in (b"\xff" * 100, b"\x0a\xff", b"no message"):
            with pytest.raises(grpc.RpcError):
                call(body, timeout=10)
        assert client.http.get("/readyz").status_code == 200


@pytest.mark.slow
class TestManyWithoutGrowing:
    @pytest.fixture(autouse=True)
    def flat(self, client):
        for _ in range(500):
            check_rest(client, "/v1/models/many:predict", b'{"signature_name": "look_up", "instances": [1]}')
        before = _resident()
        yield
        assert client.http.get("/readyz").status_code == 200
        # the examples that hypothesis keeps are in it
        assert _resident() - before < 200 * 2**20

    @repeated(MANY, path=paths, body=bodies)
    def test_rest(self, client, path, body):
        check_rest(client, path, body)

    @repeated(MANY, request=requests)
    def test_grpc(self, client, request):
        check_grpc(client, request)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
