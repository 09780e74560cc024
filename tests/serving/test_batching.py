"""Requests that run together, and get back what is theirs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

from serving import batching_parameters
from serving.batching import Batcher
from serving.batching_parameters import BatchingParameters
from serving.metrics import Metrics
from serving.wire.errors import ServingError, invalid
from tests.serving import saved
from tests.serving.asking import predict_request, refused


class Model:
    """Doubles `x`; keeps the sizes of its batches, and waits at a gate."""

    def __init__(self, *, open_: bool = True):
        self.sizes: list[int] = []
        self.entered, self.gate = threading.Semaphore(0), threading.Event()
        if open_:
            self.gate.set()

    def __call__(self, inputs: dict) -> dict:
        self.sizes.append(len(inputs["x"]))
        self.entered.release()
        assert self.gate.wait(30)
        if (inputs["x"] < 0).any():
            raise invalid(f"{inputs['x'].min()} is negative")
        return {"y": inputs["x"] * 2}


@pytest.fixture
def batcher():
    made = []

    def make(**parameters) -> Batcher:
        made.append(Batcher(BatchingParameters(**{"num_batch_threads": 1} | parameters), Metrics()))
        return made[-1]

    yield make
    for each in made:
        each.close()


def x(*values: float) -> dict:
    return {"x": np.array(values, np.float32)}


class TestBatcher:
    def test_rows_go_back_to_whom_they_belong(self, batcher):
        model, made = Model(), batcher(max_batch_size=8, batch_timeout_micros=2000)
        rng = np.random.default_rng(0)
        requests = [rng.random(rng.integers(1, 5), np.float32) for _ in range(200)]
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda each: made.submit("m", {"x": each}, model)["y"], requests))
        for request, answer in zip(requests, answers, strict=True):
            np.testing.assert_array_equal(answer, request * 2)
        assert sum(model.sizes) == sum(map(len, requests))
        assert max(model.sizes) <= 8
        assert len(model.sizes) < 150

    def test_a_full_batch_does_not_wait(self, batcher):
        model, made = Model(), batcher(max_batch_size=2, batch_timeout_micros=30_000_000)
        with ThreadPoolExecutor(2) as pool:
            assert [each["y"].tolist() for each in pool.map(lambda v: made.submit("m", x(v), model), [1, 2])] == [
                [2],
                [4],
            ]
        assert model.sizes == [2]

    def test_one_that_is_not_full_waits_its_time(self, batcher):
        model, made = Model(), batcher(max_batch_size=2, batch_timeout_micros=50_000)
        started = time.perf_counter()
        made.submit("m", x(1), model)
        assert time.perf_counter() - started >= 0.05

    def test_padding_to_the_next_allowed_size_is_cut(self, batcher):
        model, made = Model(), batcher(max_batch_size=8, allowed_batch_sizes=(2, 8))
        for rows, run in ((1, 2), (2, 2), (3, 8), (8, 8)):
            assert made.submit("m", x(*range(rows)), model)["y"].tolist() == [2 * each for each in range(rows)]
            assert model.sizes.pop() == run

    def test_a_request_that_is_too_large(self, batcher):
        with pytest.raises(ServingError, match="Task size 3 is larger than maximum input batch size 2"):
            batcher(max_batch_size=2).submit("m", x(1, 2, 3), Model())

    def test_a_large_one_is_split(self, batcher):
        model = Model()
        made = batcher(
            max_batch_size=10,
            enable_large_batch_splitting=True,
            max_execution_batch_size=4,
            allowed_batch_sizes=(3, 4),
        )
        assert made.submit("m", x(*range(9)), model)["y"].tolist() == [2 * each for each in range(9)]
        assert model.sizes == [4, 4, 3]

    def test_a_full_queue_refuses(self, batcher):
        model, made = Model(open_=False), batcher(max_batch_size=1, max_enqueued_batches=2)
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(made.submit, "m", x(1), model)
            assert model.entered.acquire(timeout=10)
            waiting = [pool.submit(made.submit, "m", x(value), model) for value in (2, 3)]
            while sum(map(len, made._queues.values())) < 2:
                time.sleep(0.001)
            with pytest.raises(
                ServingError, match="currently 2 batches enqueued and max_enqueued_batches is 2"
            ) as caught:
                made.submit("m", x(4), model)
            assert caught.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert caught.value.http_status == 429
            model.gate.set()
            assert [each.result()["y"].tolist() for each in (first, *waiting)] == [[2], [4], [6]]

    def test_a_bad_request_among_good_ones(self, batcher):
        model, made = Model(), batcher(max_batch_size=4, batch_timeout_micros=30_000_000)

        def ask(value: float):
            try:
                return made.submit("m", x(value), model)["y"].tolist()
            except ServingError as error:
                return error.message

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(ask, [1, -5, 3, 4]))
        assert answers == [[2], "-5.0 is negative", [6], [8]]
        assert model.sizes[0] == 4

    def test_other_shapes_and_types_wait_elsewhere(self, batcher):
        model, made = Model(), batcher(max_batch_size=2, batch_timeout_micros=20_000)
        requests = [np.ones(1, np.float32), np.ones((1, 2), np.float32), np.ones(1, np.float64)]
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda each: made.submit("m", {"x": each}, model)["y"], requests))
        for request, answer in zip(requests, answers, strict=True):
            assert (answer.shape, answer.dtype) == (request.shape, request.dtype)
        assert model.sizes == [1, 1, 1]

    @pytest.mark.parametrize(
        ("inputs", "text"),
        [
            ({}, "must have at least one input tensor"),
            ({"x": np.float32(1)}, "input tensors must have at least one dimension"),
            ({"x": np.ones(1), "z": np.ones(2)}, "input tensors must have equal 0th-dimension size"),
        ],
    )
    def test_inputs_without_rows(self, batcher, inputs, text):
        with pytest.raises(ServingError, match=text):
            batcher().submit("m", inputs, Model())

    @pytest.mark.parametrize(
        ("output", "text"), [(np.float32(1), "has 0 dimensions"), (np.ones(3), "0th dimension does not equal the sum")]
    )
    def test_outputs_without_rows(self, batcher, output, text):
        with pytest.raises(ServingError, match=text) as caught:
            batcher().submit("m", x(1), lambda _: {"y": output})
        assert caught.value.code == grpc.StatusCode.FAILED_PRECONDITION

    def test_closing_answers_what_waits_and_refuses_the_rest(self, batcher):
        made = batcher(max_batch_size=2, batch_timeout_micros=30_000_000)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(made.submit, "m", x(1), Model())
            while not made._queues:
                time.sleep(0.001)
            made.close()
            assert waiting.result()["y"].tolist() == [2]
        with pytest.raises(ServingError, match="shutting down"):
            made.submit("m", x(1), Model())

    def test_queues_leave_nothing_behind(self, batcher):
        made = batcher()
        for size in range(50):
            made.submit(size, {"x": np.ones((1, size), np.float32)}, Model())
        assert not made._queues


FILE = """
max_batch_size { value: 32 }  # rows
batch_timeout_micros { value: 5000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 2 }
thread_pool_name { value: "gan" }
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 16 }
allowed_batch_sizes: 4
allowed_batch_sizes: 16
"""


class TestParametersFile:
    @pytest.fixture
    def file(self, tmp_path) -> Path:
        return tmp_path / "batching.config"

    def test_every_field(self, file):
        file.write_text(FILE)
        assert batching_parameters.read(file) == BatchingParameters(
            max_batch_size=32,
            batch_timeout_micros=5000,
            max_enqueued_batches=100,
            num_batch_threads=2,
            thread_pool_name="gan",
            enable_large_batch_splitting=True,
            max_execution_batch_size=16,
            allowed_batch_sizes=(4, 16),
        )

    def test_an_empty_one_is_the_defaults(self, file):
        file.write_text("")
        assert batching_parameters.read(file) == BatchingParameters()

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("max_batch_size: 32", "is no batching parameters file"),
            ("max_size { value: 32 }", "has no field named"),
            ("max_batch_size { value: 0 }", "max_batch_size is at least 1; received 0"),
            ("num_batch_threads { value: 0 }", "num_batch_threads must be positive; was 0"),
            ("batch_timeout_micros { value: -1 }", "batch_timeout_micros is at least 0"),
            ("allowed_batch_sizes: 4", "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 4"),
            ("max_batch_size { value: 4 } allowed_batch_sizes: [4, 2, 4]", "positive and increasing; received 4, 2, 4"),
            ("pad_variable_length_inputs: true", "pad_variable_length_inputs is not supported"),
            (
                (
                    "max_batch_size { value: 4 } enable_large_batch_splitting { value: true } "
                    "max_execution_batch_size { value: 8 }"
                ),
                "max_execution_batch_size is at most max_batch_size, 4; received 8",
            ),
        ],
    )
    def test_what_is_refused(self, file, text, fault):
        file.write_text(text)
        with pytest.raises(ValueError, match=fault) as caught:
            batching_parameters.read(file)
        assert str(file) in str(caught.value)

    def test_no_file(self, file):
        with pytest.raises(ValueError, match="is no batching parameters file"):
            batching_parameters.read(file)


class TestServer:
    @pytest.fixture(scope="class")
    def batching(self, toys, tmp_path_factory):
        file = tmp_path_factory.mktemp("config") / "batching.config"
        file.write_text("max_batch_size { value: 8 } batch_timeout_micros { value: 20000 } allowed_batch_sizes: [4, 8]")
        with saved.serving(toys, batching_parameters_file=file) as client:
            yield client

    def test_clients_share_batches(self, batching):
        def ask(value: int) -> float:
            if value % 2:
                return batching.post("/v1/models/half_plus_two:predict", {"instances": [value]}).json()["predictions"][
                    0
                ]
            request = predict_request("half_plus_two", x=np.array([value], np.float32))
            return batching.prediction.Predict(request).outputs["y"].float_val[0]

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(64))) == [value / 2 + 2 for value in range(64)]
        lines = batching.http.get("/monitoring/prometheus/metrics").text.splitlines()
        prefix = ":tensorflow:serving:batching_session:processed_batch_size_count "
        (batches,) = [float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)]
        assert batches < 40

    def test_a_bad_label_spoils_no_neighbour(self, batching):
        def ask(label: int):
            body = {"signature_name": "look_up", "instances": [label]}
            return batching.post("/v1/models/many:predict", body).json()

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, [0, 1, 2, 9, 0, 1, 2, 0]))
        assert "is not in [0, 3)" in answers.pop(3)["error"]
        assert answers == [{"predictions": [value]} for value in (10, 20, 30, 10, 20, 30, 10)]

    def test_limits_of_the_file(self, batching):
        code, text = refused(batching.prediction.Predict, predict_request("half_plus_two", x=np.zeros(9, np.float32)))
        assert (code, text) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "Task size 9 is larger than maximum input batch size 8",
        )

    def test_no_rows(self, batching):
        assert batching.post("/v1/models/half_plus_two:predict", {"inputs": []}).json() == {"outputs": []}

    def test_an_output_that_is_no_batch(self, batching):
        answer = batching.post("/v1/models/many:predict", {"signature_name": "total", "inputs": [1, 2]})
        assert (answer.status_code, answer.json()) == (400, {"error": "Batched output tensor has 0 dimensions"})

    def test_classify_and_regress(self, batching):
        body = {"signature_name": "tensorflow/serving/regress", "examples": [{"x": 1.0}, {"x": 2.0}]}
        assert batching.post("/v1/models/half_plus_two:regress", body).json() == {"results": [2.5, 3.0]}
