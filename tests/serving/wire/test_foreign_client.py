"""A client of TensorFlow Serving that is not ours, with its own stubs, protobuf and interpreter: min-tfs-client."""

import json
import subprocess
import sys

import pytest

PACKAGES = ("min-tfs-client==1.0.2", "protobuf==3.20.3", "grpcio>=1.67,<2", "numpy<2")
"""Its stubs are of TensorFlow 2.1, and are read by no protobuf after 3.20."""

ASKS = """
import json, sys
import grpc
import numpy as np
from min_tfs_client.requests import TensorServingClient
from min_tfs_client.tensors import tensor_proto_to_ndarray

client = TensorServingClient("127.0.0.1", int(sys.argv[1]))
x = np.array([1, 2, 5], np.float32)
answers = {}
for version in (None, 123, 124):
    outputs = client.predict_request("half_plus_three", {"x": x}, model_version=version).outputs
    answers[version or "newest"] = tensor_proto_to_ndarray(outputs["y"]).tolist()
several = {
    "tag": np.array(["red", "blue"]), "signal": np.ones([2, 3], np.float32), "sensor": np.ones([2, 2, 2], np.int32)
}
for name, proto in client.predict_request("many", several).outputs.items():
    value = tensor_proto_to_ndarray(proto).tolist()
    answers[name] = [each.decode() if isinstance(each, bytes) else each for each in value]
try:
    client.predict_request("nobody", {"x": x})
except grpc.RpcError as error:
    answers["refused"] = [error.code().name, error.details()]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter that has the client, and nothing of ours."""
    folder = tmp_path_factory.mktemp("foreign")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
    subprocess.run(pip, check=True)
    return str(folder / "bin" / "python")


@pytest.mark.data
def test_it_gets_the_models_answers(client, python):
    answered = subprocess.run(
        [python, "-c", ASKS, str(client.server.grpc_port)], check=True, capture_output=True, text=True, env={}
    )
    answers = json.loads(answered.stdout)
    # x / 2 + 3 and x / 2 + 3.5 by hand
    assert answers["123"] == [3.5, 4, 5.5]
    assert answers["124"] == answers["newest"] == [4, 4.5, 6]
    assert answers["tag"] == ["red", "blue"]
    assert answers["total"] == [3, 3]
    assert answers["trace"] == [2, 2]
    assert answers["refused"] == ["NOT_FOUND", "Servable not found for request: Latest(nobody)"]
