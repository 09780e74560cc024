"""Tens of thousands of requests: none fails, and memory stays where it is. `ganworks bench serving` sends 100,000."""

import os
import threading
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serving import saved
from tests.serving.asking import predict_request

CLIENTS = 8
OVER_REST = 5
"""One request in so many; they take longer."""

ROUNDS = 4
"""A leak grows in each of them; an allocator that takes a thread's arena does so once."""


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
@pytest.mark.parametrize(("batching", "requests"), [(False, 8_000), (True, 40_000)])
def test_no_error_and_no_growth(toys, tmp_path, batching, requests):
    file = tmp_path / "batching.config"
    file.write_text("max_batch_size { value: 32 } max_enqueued_batches { value: 100 }")
    failed: list[Exception] = []

    def ask(client: saved.Client, count: int) -> None:
        request = predict_request("half_plus_two", x=np.zeros(4, np.float32))
        with (
            grpc.insecure_channel(f"127.0.0.1:{client.server.grpc_port}") as channel,
            httpx.Client(base_url=f"http://127.0.0.1:{client.server.rest_port}", timeout=60) as http,
        ):
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

    def together(client: saved.Client, count: int) -> None:
        threads = [threading.Thread(target=ask, args=(client, count // CLIENTS)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with saved.serving(toys, batching_parameters_file=file if batching else None) as client:
        together(client, requests // 10)
        resident = [resident_mib()]
        for _ in range(ROUNDS):
            together(client, requests // ROUNDS)
            resident.append(resident_mib())
    assert not failed
    assert min(np.diff(resident)) < 10 / ROUNDS
