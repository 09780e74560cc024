"""Models whose faults show only when they are served, by a real server.

It has a process of its own where that matters: where a model is blessed, and where it does not load.
"""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2
from tfx import types
from tfx.components.pusher import executor as pusher
from tfx.types import standard_artifacts

from components.serving_validator import process
from components.serving_validator.executor import Executor
from components.serving_validator.real import Real
from components.serving_validator.requests import requests
from components.serving_validator.validator import validate
from models.config import Serving
from models.config.variants import made_by
from models.export import saving
from models.export.saved import CARD, WARM_UP
from models.export.signatures import Sampler
from serving.options import ServerOptions, find
from serving.server import EmbeddedServer
from tests.harness import experiment, write_examples
from tests.trainings import arrays
from tests.translators import restorer, told_deblurrer, translator

JUDGED = {"reason": "blessed: every threshold holds", "metrics": {}}


class Restless(Sampler):
    """Draws anew each time."""

    def latent(self, seed):
        return {"z": tf.random.normal([tf.size(seed), self.experiment.latent.size])}


class Crowded(Sampler):
    """A row looks at the rows beside it."""

    def latent(self, seed):
        z = super().latent(seed)["z"]
        return {"z": z - tf.reduce_mean(z, 0, keepdims=True)}


class Overexposed(Sampler):
    """Pixels beyond 1."""

    def _make(self, network, inputs):
        return {name: 3 * made for name, made in super()._make(network, inputs).items()}


class Broken(Sampler):
    """A picture of another size."""

    def _drawn(self, latent, label):
        pictures = super()._drawn(latent, label)["image_bytes"]
        return {"image_bytes": tf.fill(tf.shape(pictures), tf.io.encode_png(tf.zeros([3, 3, 1], tf.uint8)))}


class Slow(Sampler):
    """A tenth of a second of arithmetic."""

    def _drawn(self, latent, label):
        big = tf.ones([500, 500]) * 1e-4

        def more(each):
            return tf.matmul(each, big) * 0.5

        waste = tf.while_loop(lambda i, _: i < 40, lambda i, each: (i + 1, more(each)), (0, big))[1]
        return super()._drawn(latent | {"z": latent["z"] + 0 * tf.reduce_sum(waste)}, label)


def saved(directory: Path, sampler=Sampler, config=None):
    """A model with the signatures of this sampler; where it lies, and what made it."""
    config = config or experiment()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "Sampler", sampler)
        saving.save(made_by("scheme", config.scheme)(config), directory / "Format-Serving")
    return str(directory / "Format-Serving"), config


def real(config) -> Real:
    """Examples like those of the experiment's data."""
    return Real.of(arrays(config.data), config)


@pytest.fixture
def in_this_process(monkeypatch):
    """The same server within this process, which has imported TensorFlow already."""

    @contextlib.contextmanager
    def serving(directory):
        options = ServerOptions(models=find(directory), grpc_port=0, rest_port=0, poll_seconds=0)
        with EmbeddedServer(options) as server:
            yield process.Ports(server.grpc_port, server.rest_port)

    monkeypatch.setattr(process, "serving", serving)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The outcome of an honest model, and the folder of what is pushed."""
    folder = tmp_path_factory.mktemp("served")
    model, config = saved(folder / "model")
    return validate(model, config, real(config), judged=JUDGED, output=str(folder / "out")), folder / "out"


class TestHonest:
    def test_is_blessed(self, served):
        outcome, _ = served
        assert outcome.blessed
        assert 0 < outcome.latency < 1_000
        assert outcome.reason.startswith("served: 16 requests by gRPC and REST had the right answers; sample takes ")

    def test_what_is_pushed_has_its_card_and_the_requests_that_were_answered(self, served):
        _, folder = served
        assert "Blessed: every threshold holds" in (folder / CARD).read_text()
        logs = [
            prediction_log_pb2.PredictionLog.FromString(each.numpy())
            for each in tf.data.TFRecordDataset(str(folder / WARM_UP))
        ]
        specs = [log.predict_log.request.model_spec for log in logs]
        assert {spec.signature_name for spec in specs} == set(tf.saved_model.load(str(folder)).signatures)
        assert {spec.name for spec in specs} == {"small"}


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("sampler", "fault"),
    [
        (Restless, "sample of 1: the same request has two answers"),
        (Crowded, "a row's answer depends on the rows beside it"),
        (Overexposed, "serving_default of 1: image lies in [0, 1]; received "),
        (Broken, "sample of 1: images are [16, 16, 1]; received [(3, 3, 1)]"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_is_named_and_nothing_is_left_to_push(sampler, fault, tmp_path):
    model, config = saved(tmp_path / "model", sampler)
    outcome = validate(model, config, real(config), judged=None, output=str(tmp_path / "out"))
    assert not outcome.blessed
    assert fault in outcome.reason
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("in_this_process")
def test_a_slow_model_is_over_its_budget(tmp_path):
    model, config = saved(tmp_path / "model", Slow)
    tight = config.model_copy(update={"serving": Serving(latency_milliseconds=20)})
    outcome = validate(model, tight, real(config), judged=None, output=str(tmp_path / "out"))
    assert not outcome.blessed
    assert outcome.latency > 20
    assert outcome.reason.endswith(" ms, at most 20 ms are allowed")


def test_a_model_that_does_not_load_in_a_server(tmp_path):
    model, config = saved(tmp_path / "model")
    loaded = tf.saved_model.load

    def load(directory):
        # what is asked is known here, and the server finds a file that was cut off
        found = loaded(directory)
        data = next(Path(directory, "variables").glob("*.data*"))
        data.write_bytes(data.read_bytes()[:100])
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "load", load)
        outcome = validate(model, config, real(config), judged=None, output=str(tmp_path / "out"))
    assert not outcome.blessed
    assert outcome.reason.startswith("refused: it cannot be served: ")
    assert "\n" not in outcome.reason


class TestRequests:
    def test_labels_are_sent_as_they_occur(self):
        config = experiment()
        seldom = dataclasses.replace(real(config), label=np.array([2, 2, 0, 2]))
        sent = [each.inputs["label"].tolist() for each in asked(config, seldom) if each.signature == "sample"]
        assert sent == [[2], [2, 2, 0, 2, 2]]

    def test_a_translator_is_sent_images_of_the_domain_that_each_way_takes(self):
        """If this fails, a model is blessed by its answers to noise, which no client sends."""
        config = translator()
        shown = real(config)
        made = {each.signature: each.inputs for each in asked(config, shown)}  # of five rows
        np.testing.assert_array_equal(made["serving_default"]["image"], shown.inputs["input"][:5])
        np.testing.assert_array_equal(made["reverse"]["image"], shown.target[:5])
        np.testing.assert_array_equal(made["discriminate"]["image"], shown.target[:5])
        file = tf.io.decode_png(made["from_bytes"]["image_bytes"][0]).numpy()
        np.testing.assert_allclose(file / 255, shown.inputs["input"][0], atol=1e-6)

    def test_a_restorer_is_sent_what_is_degraded(self):
        config = restorer()
        shown = real(config)
        sent = {each.signature: each.inputs for each in asked(config, shown)}["serving_default"]["image"]
        # half the way to grey, as its training shrinks images
        np.testing.assert_allclose(sent, 0.25 + shown.target[:5] / 2, atol=1e-6)

    def test_a_restorer_that_is_told_kernels_is_sent_those_of_its_pictures(self):
        config = told_deblurrer()
        shown = Real.of(arrays(config.data, 7), config)
        made = {each.signature: each.inputs for each in asked(config, shown)}
        for name in ("serving_default", "from_bytes"):
            np.testing.assert_array_equal(made[name]["kernel"], shown.inputs["kernel"][:5])
        np.testing.assert_array_equal(made["serving_default"]["image"], shown.inputs["input"][:5])
        np.testing.assert_allclose(shown.inputs["kernel"].sum(axis=(1, 2)), 1, atol=1e-5)
        assert len(np.unique(shown.inputs["kernel"], axis=0)) == 7

    def test_what_nothing_real_is_known_of_is_refused(self):
        config = restorer()
        with pytest.raises(ValueError, match="serving_default takes image, which is input"):
            asked(config, dataclasses.replace(real(config), inputs={}))


def asked(config, shown):
    """The requests of a model that this experiment makes."""
    gan = made_by("scheme", config.scheme)(config)
    return requests(Sampler(gan.samplers(), config, gan.judges()).interface, shown)


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("config", [restorer(any_size=True), translator()], ids=["restores", "translates"])
def test_a_model_that_takes_images_is_blessed(config, tmp_path):
    model, _ = saved(tmp_path / "model", config=config)
    outcome = validate(model, config, real(config), judged=None, output=str(tmp_path / "out"))
    assert outcome.blessed, outcome.reason
    assert outcome.reason.split("; ")[1].startswith("serving_default takes ")


@pytest.mark.usefixtures("in_this_process")
class TestExecutor:
    def run(self, tmp_path, *, blessed, by_image=None):
        """Runs the executor, then Pusher's on what it left."""
        folder, config = saved(tmp_path / "model")
        (tmp_path / "evaluation").mkdir()
        (tmp_path / "evaluation" / "metrics.json").write_text('{"reason": "blessed: so", "metrics": {}}')
        model_blessing = artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing")
        model_blessing.set_int_custom_property("blessed", int(blessed))
        infra = artifact(standard_artifacts.InfraBlessing, tmp_path / "infra")
        write_examples(tmp_path / "examples" / "Split-eval")
        examples = artifact(standard_artifacts.Examples, tmp_path / "examples")
        examples.split_names = '["train", "eval"]'
        inputs = {
            "examples": [examples],
            "model": [artifact(standard_artifacts.Model, Path(folder).parent)],
            "model_blessing": [model_blessing],
            "evaluation": [artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")],
        }
        if by_image is not None:
            inputs["image_blessing"] = [artifact(standard_artifacts.InfraBlessing, tmp_path / "image")]
            inputs["image_blessing"][0].set_int_custom_property("blessed", int(by_image))
        Executor().Do(inputs, {"infra_blessing": [infra]}, {"experiment": config.to_json(), "source": ""})
        pushed = artifact(standard_artifacts.PushedModel, tmp_path / "pushed")
        destination = f'{{"filesystem": {{"base_directory": "{tmp_path}/serving/small"}}}}'
        pusher.Executor().Do(
            {"model_blessing": [model_blessing], "infra_blessing": [infra]},
            {"pushed_model": [pushed]},
            {"push_destination": destination},
        )
        return infra, list((tmp_path / "serving").rglob(CARD))

    def test_what_passed_is_pushed_with_its_card(self, tmp_path):
        infra, cards = self.run(tmp_path, blessed=True)
        assert infra.get_string_custom_property("reason").startswith("served: ")
        assert (Path(infra.uri) / "INFRA_BLESSED").exists()
        assert len(cards) == 1
        assert "Blessed: so" in cards[0].read_text()

    def test_what_was_not_blessed_is_not_even_served(self, tmp_path):
        infra, cards = self.run(tmp_path, blessed=False)
        assert infra.get_string_custom_property("reason") == "not served: only a blessed model is"
        assert (Path(infra.uri) / "INFRA_NOT_BLESSED").exists()
        assert not cards

    def test_what_the_image_refused_is_not_pushed(self, tmp_path):
        infra, cards = self.run(tmp_path, blessed=True, by_image=False)
        assert infra.get_string_custom_property("reason") == (
            "refused: TensorFlow Serving's own image does not load it"
        )
        assert not cards


def artifact(kind, folder: Path) -> types.Artifact:
    """An artifact of this kind, that lies there."""
    made = kind()
    made.uri = str(folder)
    return made
