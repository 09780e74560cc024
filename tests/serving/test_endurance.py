"""Tens of thousands of requests: none fails, and memory stays where it is. `ganworks bench serving` sends 100,000."""

import threading

import grpc
import httpx
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serving import saved
from tests.serving.asking import predict_request
from tests.serving.process import Process

CLIENTS = 8
OVER_REST = 5
"""One request in so many; they take longer."""

ROUNDS = 4
"""A leak grows in each of them; an allocator that takes a thread's arena does so once."""


@pytest.fixture(params=[False, True], ids=["one by one", "batched"])
def process(request, tmp_path):
    """A server in a process of its own, whose memory has nothing of its clients."""
    saved.half_plus(tmp_path / "serving/half_plus_two/1", 2)
    file = tmp_path / "batching.config"
    file.write_text("max_batch_size { value: 32 } max_enqueued_batches { value: 100 }")
    batching = ("--batching-parameters-file", str(file)) if request.param else ()
    process = Process(str(tmp_path), "--embedded", "--grpc-port", "0", "--rest-port", "0", *batching)
    yield process
    process.popen.kill()
    process.popen.communicate()


@pytest.mark.slow
def test_no_error_and_no_growth(process):
    requests = 20_000
    grpc_address, url = (process.line().split()[1] for _ in range(2))
    failed: list[Exception] = []

    def ask(count: int) -> None:
        request = predict_request("half_plus_two", x=np.zeros(4, np.float32))
        with grpc.insecure_channel(grpc_address) as channel, httpx.Client(base_url=url, timeout=60) as http:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            for number in range(count):
                try:
                    if number % OVER_REST:
                        assert stub.Predict(request, timeout=60).outputs["y"].float_val[:] == [2, 2, 2, 2]
                    else:
                        answer = http.post("/v1/models/half_plus_two:predict", json={"instances": [0.0]})
                        assert answer.json() == {"predictions": [2.0]}
                except Exception as error:  # noqa: BLE001 - every one of them is a failure
                    failed.append(error)

    def together(count: int) -> None:
        threads = [threading.Thread(target=ask, args=(count // CLIENTS,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    together(requests // 5)
    resident = [process.resident_mib()]
    for _ in range(ROUNDS):
        together(requests // ROUNDS)
        resident.append(process.resident_mib())
    assert not failed
    assert min(np.diff(resident)) < 1, resident
