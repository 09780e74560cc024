"""Versions that come, go and are broken, while clients ask."""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2, prediction_service_pb2_grpc

from serving import model_config
from serving.loading import WARMUP_FILE
from tests.serving import saved

POLL_SECONDS = 0.05


@pytest.fixture(scope="module")
def stock(tmp_path_factory) -> Path:
    """Eleven versions, to be copied: the model of version N answers x + N."""
    root = tmp_path_factory.mktemp("stock")
    for number in range(1, 12):
        saved.constant(root / str(number), number)
    return root


@pytest.fixture
def base(tmp_path, stock) -> Path:
    """A base path with version 1."""
    path = tmp_path / "m"
    path.mkdir()
    push(stock, path, 1)
    return path


def push(stock: Path, base: Path, number: int) -> None:
    unfinished = base / f"{number}.unfinished"
    shutil.copytree(stock / str(number), unfinished)
    unfinished.rename(base / str(number))


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def states(client: saved.Client) -> dict[str, str]:
    answer = client.http.get("/v1/models/m").json()
    return {each["version"]: each["state"] for each in answer["model_version_status"]}


def answer(client: saved.Client, place: str = "") -> float:
    response = client.post(f"/v1/models/m{place}:predict", {"instances": [0.0]})
    response.raise_for_status()
    return response.json()["predictions"][0]


def configured(base: Path, policy: str = "latest", **labels: int) -> model_config.ModelServerConfig:
    config = model_config.single("m", str(base), model_config.policy(policy))
    config.model_config_list.config[0].version_labels.update(labels)
    return config


class TestPolicies:
    @pytest.fixture
    def three(self, stock, base) -> Path:
        push(stock, base, 2)
        push(stock, base, 3)
        return base

    @pytest.mark.parametrize(
        ("policy", "served"),
        [("latest", "3"), ("latest:2", "3 2"), ("all", "3 2 1"), ("specific:1,3", "3 1"), ("specific:2", "2")],
    )
    def test_which_are_served(self, three, policy, served):
        with saved.serving(configured(three, policy)) as client:
            assert states(client) == dict.fromkeys(served.split(), "AVAILABLE")
            assert answer(client) == float(served.split()[0])

    def test_a_reload_changes_policy_and_labels(self, three):
        with saved.serving(configured(three)) as client:
            client.server.manager.reload(configured(three, "all", stable=1, canary=3))
            assert (answer(client, "/labels/stable"), answer(client, "/labels/canary")) == (1, 3)
            client.server.manager.reload(configured(three, "specific:2"))
            eventually(lambda: states(client) == {"3": "END", "2": "AVAILABLE", "1": "END"})
            assert client.post("/v1/models/m/labels/stable:predict", {"instances": [0.0]}).status_code == 400

    @pytest.mark.parametrize("text", ["", "newest", "latest:0", "latest:x", "all:1", "specific", "specific:1,,2"])
    def test_one_that_is_none(self, text):
        with pytest.raises(ValueError, match="latest, latest:N, all or specific"):
            model_config.policy(text)


class TestSwitch:
    def test_no_request_fails_while_ten_versions_come(self, stock, base):
        seen, failed, stop = Counter(), [], threading.Event()

        def hammer(port: int) -> None:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = "m"
            request.inputs["x"].CopyFrom(tf.make_tensor_proto([0.0]))
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                while not stop.is_set():
                    try:
                        seen[stub.Predict(request, timeout=20).outputs["y"].float_val[0]] += 1
                    except grpc.RpcError as error:
                        failed.append(error)

        with saved.serving(configured(base), poll_seconds=POLL_SECONDS) as client:
            threads = [threading.Thread(target=hammer, args=(client.server.grpc_port,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for number in range(2, 12):
                push(stock, base, number)
                eventually(lambda number=number: states(client).get(str(number)) == "AVAILABLE")
                eventually(lambda number=number: answer(client) == number, seconds=2)
            stop.set()
            for thread in threads:
                thread.join()
            eventually(lambda: list(states(client).values()) == ["AVAILABLE"] + ["END"] * 10)
        assert not failed
        assert set(seen) == {float(number) for number in range(1, 12)}

    def test_the_old_one_answers_until_its_last_request_is_over(self, stock, base):
        with saved.serving(configured(base), poll_seconds=POLL_SECONDS) as client:
            spec = predict_pb2.PredictRequest().model_spec
            spec.name = "m"
            with client.server.manager.servable(spec) as servable:
                push(stock, base, 2)
                eventually(lambda: states(client) == {"2": "AVAILABLE", "1": "UNLOADING"})
                assert servable.predict("serving_default", {"x": np.zeros(1, np.float32)})["y"] == 1
                assert answer(client) == 2
            eventually(lambda: states(client) == {"2": "AVAILABLE", "1": "END"})

    def test_a_version_that_is_taken_away(self, stock, base):
        push(stock, base, 2)
        with saved.serving(configured(base), poll_seconds=POLL_SECONDS) as client:
            shutil.rmtree(base / "2")
            eventually(lambda: states(client) == {"2": "END", "1": "AVAILABLE"})
            assert answer(client) == 1

    def test_a_base_path_that_is_away_for_a_moment(self, base):
        with saved.serving(configured(base), poll_seconds=POLL_SECONDS) as client:
            base.rename(base.with_name("away"))
            time.sleep(4 * POLL_SECONDS)
            assert answer(client) == 1
            base.with_name("away").rename(base)
            time.sleep(4 * POLL_SECONDS)
            assert states(client) == {"1": "AVAILABLE"}

    def test_versions_that_ended_long_ago_are_forgotten(self, base, monkeypatch):
        monkeypatch.setattr("serving.manager.KEPT_ENDED", 2)
        with saved.serving(configured(base, "all"), poll_seconds=POLL_SECONDS) as client:
            for number in range(2, 6):
                (base / str(number)).mkdir()
            eventually(lambda: len(states(client)) == 5)
            for number in range(2, 6):
                (base / str(number)).rmdir()
            eventually(lambda: set(states(client)) == {"5", "4", "1"})


class TestBroken:
    def test_the_old_one_goes_on_and_the_new_one_is_tried_when_it_changes(self, stock, base, caplog):
        with saved.serving(configured(base), poll_seconds=POLL_SECONDS) as client:
            broken = base / "2"
            broken.mkdir()
            (broken / "saved_model.pb").write_bytes(b"not a model")
            eventually(lambda: states(client) == {"2": "END", "1": "AVAILABLE"})
            status = client.http.get("/v1/models/m/versions/2").json()["model_version_status"][0]["status"]
            assert status["error_code"] != "OK"
            assert "saved_model.pb" in status["error_message"]
            time.sleep(6 * POLL_SECONDS)
            assert answer(client) == 1
            logged = [each for each in caplog.records if each.message == "cannot be loaded"]
            assert [each.fields["version"] for each in logged] == [2]
            shutil.rmtree(broken)
            push(stock, base, 2)
            eventually(lambda: states(client) == {"2": "AVAILABLE", "1": "END"})
            assert answer(client) == 2

    def test_nothing_to_start_with(self, base):
        (base / "1" / "saved_model.pb").write_bytes(b"not a model")
        refused = pytest.raises(
            ValueError, match=r"1 model\(s\) did not become available: {{{name: m version: 1} due to"
        )
        with refused, saved.serving(configured(base)):
            pass


class TestWarmUp:
    def warm(self, version: Path, *requests: predict_pb2.PredictRequest) -> None:
        file = version / WARMUP_FILE
        file.parent.mkdir(exist_ok=True)
        with tf.io.TFRecordWriter(str(file)) as writer:
            for request in requests:
                log = prediction_log_pb2.PredictionLog()
                log.predict_log.request.CopyFrom(request)
                writer.write(log.SerializeToString())

    def request(self, alias: str = "x") -> predict_pb2.PredictRequest:
        request = predict_pb2.PredictRequest()
        request.inputs[alias].CopyFrom(tf.make_tensor_proto([0.0]))
        return request

    def test_recorded_requests_are_answered_before_the_version_is(self, base):
        self.warm(base / "1", *[self.request()] * 3)
        with saved.serving(configured(base)) as client:
            metrics = client.http.get("/monitoring/prometheus/metrics").text
        assert f':tensorflow:serving:model_warmup_latency_count{{model_path="{base}/1",status="OK"}} 1.0' in metrics
        assert ':tensorflow:serving:runtime_latency_count{API="Predict",model_name="m",runtime="TF1"} 3.0' in metrics

    def test_one_that_is_refused_makes_the_version_a_broken_one(self, stock, base):
        with saved.serving(configured(base), poll_seconds=POLL_SECONDS) as client:
            unfinished = base / "unfinished"
            shutil.copytree(stock / "2", unfinished)
            self.warm(unfinished, self.request("y"))
            unfinished.rename(base / "2")
            eventually(lambda: states(client) == {"2": "END", "1": "AVAILABLE"})
            status = client.http.get("/v1/models/m/versions/2").json()["model_version_status"][0]["status"]
            assert status["error_code"] == "INVALID_ARGUMENT"
            assert status["error_message"].startswith("Signature input alias: x(feed name: ")

    def test_too_many(self, base):
        self.warm(base / "1", *[self.request()] * 1001)
        with (
            pytest.raises(ValueError, match=r"Number of warmup records exceeds the maximum \(1000\)"),
            saved.serving(configured(base)),
        ):
            pass

    def test_a_file_of_something_else(self, base):
        file = base / "1" / WARMUP_FILE
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"no records at all")
        with pytest.raises(ValueError, match="DATA_LOSS"), saved.serving(configured(base)):
            pass
