"""The client, against a real server: what it brings back, what it refuses, how long it waits."""

import socket
import threading
import time

import numpy as np
import pytest

from models.config.variants import made_by
from models.export import saving
from models.export.interface import INTERFACE, OLDER, Interface
from models.export.reading import read_interface
from models.export.saved import INTERFACE as INTERFACE_FILE
from pipeline.commands.sample import drawn
from serving.client import Client, ServingError, TensorInfo
from tests.harness import experiment
from tests.serving import saved


@pytest.fixture(params=["grpc", "rest"])
def api(request):
    return request.param


def asking(client: saved.Client, api: str, model: str, **options) -> Client:
    port = client.server.grpc_port if api == "grpc" else client.server.rest_port
    return Client(f"127.0.0.1:{port}", model, api=api, **options)


class TestPredict:
    def test_one_output(self, client, api):
        with asking(client, api, "half_plus_two") as asks:
            outputs = asks.predict({"x": np.array([[1], [2], [5]], np.float32)})
        np.testing.assert_array_equal(outputs["y"], [[2.5], [3], [4.5]])
        assert outputs["y"].dtype == np.float32

    def test_several_outputs_of_several_types(self, client, api):
        inputs = {
            "tag": ["a", "ü"],
            "signal": np.array([[1, 2, 3], [0, np.inf, 1]], np.float32),
            "sensor": np.arange(8, dtype=np.int32).reshape(2, 2, 2),
        }
        with asking(client, api, "many") as asks:
            outputs = asks.predict(inputs, outputs=["total", "trace"])
        np.testing.assert_array_equal(outputs["total"], [6, np.inf])
        np.testing.assert_array_equal(outputs["trace"], [3, 11])
        assert set(outputs) == {"total", "trace"}

    def test_bytes_come_back_as_bytes(self, client, api):
        with asking(client, api, "many") as asks:
            outputs = asks.predict({"text": [b"png", b"two"]}, "bytes")
        assert list(outputs["upper_bytes"]) == [b"PNG", b"TWO"]

    @pytest.mark.parametrize(("version", "value"), [(123, 3.5), (124, 4), ("stable", 3.5), (None, 4)])
    def test_versions_and_labels(self, client, api, version, value):
        with asking(client, api, "half_plus_three", version=version) as asks:
            assert asks.predict({"x": np.ones((1, 1), np.float32)})["y"] == [[value]]


def test_signatures(client, api):
    with asking(client, api, "many") as asks:
        found = asks.signatures()
    assert found["serving_default"].inputs == {
        "tag": TensorInfo("string", (None,)),
        "signal": TensorInfo("float32", (None, 3)),
        "sensor": TensorInfo("int32", (None, 2, 2)),
    }
    assert found["half"].outputs == {"y": TensorInfo("float16", (None,))}


class Older(saving.Sampler):
    """What exported models before they had interfaces."""

    def signatures(self):
        return {name: each for name, each in super().signatures().items() if name != INTERFACE}


class TestInterface:
    """How a model is asked what it takes and gives."""

    @pytest.fixture(scope="class")
    def models(self, tmp_path_factory):
        """One of now and one of earlier."""
        folder, config = tmp_path_factory.mktemp("models"), experiment()
        gan = made_by("scheme", config.scheme)(config)
        saving.save(gan, folder / "small" / "1")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(saving, "Sampler", Older)
            saving.save(gan, folder / "older" / "1")
        (folder / "older" / "1" / INTERFACE_FILE).unlink()
        return saved.listing(small=folder / "small", older=folder / "older")

    @pytest.fixture(scope="class")
    def interface(self, models):
        return read_interface(f"{models.model_config_list.config[0].base_path}/1")

    @pytest.fixture(scope="class")
    def served(self, models):
        with saved.serving(models) as client:
            yield client

    def test_it_answers_what_was_saved(self, served, interface, api):
        with asking(served, api, "small") as asks:
            assert asks.interface() == interface

    def test_batches_are_asked_as_well(self, models, interface, tmp_path):
        """If this fails, a server that joins requests into batches cannot be asked what it serves."""
        file = tmp_path / "batching.config"
        file.write_text("max_batch_size { value: 8 }\nallowed_batch_sizes: [8]\n")
        with saved.serving(models, batching_parameters_file=file) as client:
            for api in ("grpc", "rest"):
                with asking(client, api, "small") as asks:
                    assert asks.interface() == interface

    def test_rows_are_answered_in_both_formats_of_rest(self, served, interface):
        for sent, key in (({"instances": [1, 2]}, "predictions"), ({"inputs": [1, 2]}, "outputs")):
            answer = served.post("/v1/models/small:predict", {"signature_name": "interface", **sent})
            assert [Interface.from_json(each) for each in answer.json()[key]] == [interface] * 2

    def test_an_older_model_is_described_by_its_signatures_and_draws(self, served, api):
        """If this fails, `ganworks sample` asks nothing of a model that was exported before there were interfaces."""
        with asking(served, api, "older") as asks:
            assert asks.interface().format == OLDER
            assert len(drawn(asks, range(3), ["0", "2"], 0.5)["image_bytes"]) == 6

    def test_a_model_of_others_is_described_by_its_signatures(self, client, api):
        with asking(client, api, "half_plus_two") as asks:
            found = asks.interface()
        assert found.format == OLDER
        assert found.inputs["x"].role == "other"


class TestErrors:
    @pytest.mark.parametrize(
        ("model", "inputs", "status"),
        [
            ("nobody", {"x": np.ones((1, 1), np.float32)}, "NOT_FOUND"),
            ("half_plus_two", {"y": np.ones((1, 1), np.float32)}, "INVALID_ARGUMENT"),
        ],
    )
    def test_a_refusal_is_not_tried_again(self, client, api, model, inputs, status):
        with asking(client, api, model, timeout_seconds=20) as asks:
            began = time.monotonic()
            with pytest.raises(ServingError) as error:
                asks.predict(inputs)
        assert error.value.status == status
        assert str(error.value).startswith(f"{status}: ")
        assert time.monotonic() - began < 10

    def test_no_server(self, api):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            free = taken.getsockname()[1]
        with Client(f"127.0.0.1:{free}", "m", api=api, retries=1) as asks, pytest.raises(ServingError) as error:
            asks.predict({"x": [1]})
        assert error.value.status == "UNAVAILABLE"

    def test_a_server_that_says_nothing(self, api):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            asks = Client(f"127.0.0.1:{silent.getsockname()[1]}", "m", api=api, timeout_seconds=0.5)
            began = time.monotonic()
            with asks, pytest.raises(ServingError) as error:
                asks.predict({"x": [1]})
        assert error.value.status in ("DEADLINE_EXCEEDED", "UNAVAILABLE")
        assert time.monotonic() - began < 5

    def test_an_answer_has_a_largest_size(self, client):
        asks = asking(client, "rest", "many", most_bytes=100)
        with asks, pytest.raises(ServingError, match="the answer is larger than 100 bytes"):
            asks.predict({"text": [b"a" * 200]}, "bytes")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"server": "localhost"}, "a server is HOST:PORT; received localhost"),
            ({"timeout_seconds": 0}, "a timeout is above 0"),
            ({"certificate": "/nowhere.pem"}, r"a certificate is a file; there is none at /nowhere\.pem"),
        ],
    )
    def test_arguments(self, change, message):
        with pytest.raises(ValueError, match=message):
            Client(**{"server": "127.0.0.1:1", "model": "m"} | change)


def test_a_server_that_comes_late_is_waited_for(toys, api):
    """The first tries find nobody; the server starts on that port while the client waits."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    begun = threading.Event()
    found = {}

    def ask():
        with Client(f"127.0.0.1:{port}", "half_plus_two", api=api, timeout_seconds=60, retries=50) as asks:
            begun.set()
            found.update(asks.predict({"x": np.ones((1, 1), np.float32)}))

    thread = threading.Thread(target=ask)
    thread.start()
    begun.wait()
    time.sleep(0.5)
    ports = {"grpc_port": port} if api == "grpc" else {"rest_port": port}
    with saved.serving(toys, **ports):
        thread.join(60)
    assert found["y"] == [[2.5]]
