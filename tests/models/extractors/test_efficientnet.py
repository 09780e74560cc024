"""EfficientNet-Lite0: with weights drawn at random, and (data) with those that `ganworks fetch` brings."""

import hashlib
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import data as photographs

from models.config import Evaluation, Experiment, Images, Points, Training
from models.extractors import classifier
from models.extractors.efficientnet import (
    STAGES,
    Standardised,
    efficientnet_lite0,
    load_efficientnet_lite0,
    load_network,
)
from pipeline.commands.fetch import fetch
from tests.harness import write_examples
from tests.models.extractors import torch_made
from tests.models.extractors.test_classifier import run

UNLABELLED = Images(source="folder:x", resolution=16, channels=3)
NAMES = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    made = efficientnet_lite0()
    for layer in made.layers:
        if layer.name.endswith("_norm"):  # as if it had seen images
            layer.moving_variance.assign(layer.moving_variance * 0.5)
    return made


def as_torch(network):
    """The network's weights by the names and in the layout of the published file."""
    tensors = {}
    for layer in network.layers:
        base, _, _ = layer.name.partition("_norm")
        if not layer.weights or layer.name == "logits":
            continue
        if base in ("stem", "head"):
            convolution, statistics = ("_conv_stem", "_bn0") if base == "stem" else ("_conv_head", "_bn1")
        else:
            block, _, part = base.partition("_")
            of = f"_blocks.{block.removeprefix('block')}."
            convolution, statistics = (of + name for name in NAMES[part])
        if layer.name.endswith("_norm"):
            parts = zip(("weight", "bias", "running_mean", "running_var"), layer.get_weights(), strict=True)
            tensors |= {f"{statistics}.{part}": each for part, each in parts}
        else:
            order = (2, 3, 0, 1) if base.endswith("depthwise") else (3, 2, 0, 1)
            tensors[f"{convolution}.weight"] = np.ascontiguousarray(layer.get_weights()[0].transpose(order))
    kernel, bias = network.get_layer("logits").get_weights()
    return tensors | {"_fc.weight": np.ascontiguousarray(kernel.T), "_fc.bias": bias}


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "lite0.pth"
    file.write_bytes(torch_made.legacy(as_torch(network)))
    return str(file)


class TestArchitecture:
    def test_parameters_are_those_of_the_paper(self, network):
        learned = [each for each in network.weights if "moving" not in each.path]
        assert sum(int(np.prod(each.shape)) for each in learned) == 4_652_008  # 4.65 million in the authors' table

    def test_blocks_are_those_of_the_paper(self, network):
        # by hand from table 1: side and width of the last map of each stage, of an image of 224
        sides, widths = [112, 56, 28, 14, 14, 7, 7], [16, 24, 40, 80, 112, 192, 320]
        last = np.cumsum([stage.blocks for stage in STAGES]) - 1
        outputs = [network.get_layer(f"block{number}_project_norm").output for number in last]
        shapes = [each.shape for each in keras.Model(network.input, outputs)(np.zeros((1, 224, 224, 3), np.float32))]
        assert shapes == [(1, side, side, width) for side, width in zip(sides, widths, strict=True)]

    def test_nothing_of_it_is_trained(self, network):
        assert network.trainable_weights == []


class TestLoading:
    def test_weights_come_to_their_places(self, network, weights):
        loaded, digest = load_network(weights)
        image = np.random.default_rng(0).standard_normal((2, 64, 64, 3)).astype(np.float32)
        for name, expected in network(image).items():
            np.testing.assert_allclose(loaded(image)[name], expected, rtol=1e-5, atol=1e-5)
        assert digest == hashlib.sha256(Path(weights).read_bytes()).hexdigest()

    @pytest.mark.parametrize("channels", [1, 3])
    def test_as_it_looks_at_images(self, network, weights, channels):
        images = np.random.default_rng(0).random((2, 32, 32, channels), np.float32)
        model, _ = load_efficientnet_lite0(
            UNLABELLED.model_copy(update={"resolution": 32, "channels": channels}), weights
        )
        seen = tf.image.resize(np.repeat(images, 4 - channels if channels == 1 else 1, -1), (128, 128), "bicubic")
        expected = network((np.clip(seen, 0, 1) * 255 - 127) / 128)["features"]
        np.testing.assert_allclose(model(images)["features"], expected, rtol=1e-3, atol=1e-4)

    def test_no_file(self, tmp_path):
        with pytest.raises(ValueError, match=r"no file .*nowhere\.pth: ganworks fetch efficientnet_lite0, or name"):
            load_network(str(tmp_path / "nowhere.pth"))

    def test_another_networks_weights(self, network, tmp_path):
        file = tmp_path / "other.pth"
        for change, message in (
            (lambda tensors: tensors.pop("_bn0.bias"), "there has to be a tensor _bn0.bias of 1 sides"),
            (lambda tensors: tensors.update({"_bn0.bias": np.zeros(9, np.float32)}), r"stem_norm has weights of the"),
            (lambda tensors: tensors.update({"_bn0.bias": np.full(32, np.nan, np.float32)}), "some of _bn0.bias are"),
        ):
            tensors = as_torch(network)
            change(tensors)
            file.write_bytes(torch_made.legacy(tensors))
            with pytest.raises(
                ValueError, match=rf"other\.pth does not hold EfficientNet-Lite0's weights: .*{message}"
            ):
                load_network(str(file))

    def test_channels(self, weights):
        with pytest.raises(ValueError, match="images of 1 or 3 channels; received 4"):
            load_efficientnet_lite0(UNLABELLED.model_copy(update={"channels": 4}), weights)


class TestJudge:
    def test_images_without_labels(self, weights, tmp_path):
        patterns = write_examples(tmp_path / "examples", UNLABELLED)
        model, record = run(
            tmp_path, patterns, patterns, UNLABELLED, extractor="efficientnet_lite0", extractor_weights=weights
        )
        outputs = model.signatures["serving_default"](image=tf.random.stateless_uniform([4, 16, 16, 3], [1, 2]))
        assert {name: tuple(each.shape) for name, each in outputs.items()} == {"features": (4, 1280)}
        assert outputs["features"].numpy().std() > 0
        assert (record["name"], record["features"], record["steps"]) == ("efficientnet_lite0", 1280, 0)
        assert record["weights_sha256"] == hashlib.sha256(Path(weights).read_bytes()).hexdigest()

    def test_classes_are_kept_where_there_are_some(self, weights, tmp_path):
        data = UNLABELLED.model_copy(update={"classes": 3})
        patterns = write_examples(tmp_path / "examples", data)
        settings = {"extractor": "efficientnet_lite0", "extractor_weights": weights, "extractor_steps": 1}
        model, _ = run(tmp_path, patterns, patterns, data, **settings)
        outputs = model.signatures["serving_default"](image=tf.zeros([4, 16, 16, 3]))
        assert {name: each.shape[1] for name, each in outputs.items()} == {"features": 1280, "logits": 3}

    def test_a_classifier_has_nothing_to_learn(self, tmp_path):
        patterns = write_examples(tmp_path / "examples", UNLABELLED)
        with pytest.raises(ValueError, match=r"images without classes are judged by efficientnet_lite0.*extractor cnn"):
            run(tmp_path, patterns, patterns, UNLABELLED)

    def test_points(self, weights):
        data, evaluation = Points(source="mixture:ring"), Evaluation(extractor="efficientnet_lite0")
        with pytest.raises(ValueError, match="efficientnet_lite0 looks at images; mixture:ring gives points"):
            classifier.with_pretrained(classifier.mixture_classifier(data), data, evaluation)


class TestConfig:
    EXPERIMENT = Experiment(name="own", data=UNLABELLED, training=Training(steps=1))

    def test_images_without_classes_are_judged_by_it(self):
        assert self.EXPERIMENT.evaluation.extractor == "efficientnet_lite0"
        bound = self.EXPERIMENT.override(["evaluation.thresholds.kd_efficientnet_lite0.at_most=1"])
        assert Experiment.from_json(bound.to_json()) == bound

    def test_the_extractor_follows_the_data_until_it_is_set(self):
        assert self.EXPERIMENT.override(["data.classes=3"]).evaluation.extractor == "cnn"
        assert self.EXPERIMENT.override(["data.classes=3"]).override(["data.classes=0"]) == self.EXPERIMENT
        chosen = self.EXPERIMENT.override(["evaluation.extractor=inception_v3"])
        assert chosen.override(["data.classes=3"]).evaluation.extractor == "inception_v3"

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (
                ["evaluation.extractor=cnn"],
                "without classes are judged by efficientnet_lite0.*leave it out, or set data",
            ),
            (["data.classes=2", "evaluation.extractor_weights=x"], "extractor_weights are of .*received extractor cnn"),
            (["evaluation.thresholds.fid.at_most=1"], "fid is no metric"),
            (["evaluation.thresholds.kid_cnn.at_most=1"], "kid_cnn is no metric"),
            (
                ["data.name=stacked", "data.source=stacked:digits", "evaluation.extractor=efficientnet_lite0"],
                "efficientnet_lite0 looks at images; stacked:digits gives stacked",
            ),
        ],
    )
    def test_refused(self, settings, message):
        with pytest.raises(ValueError, match=message):
            self.EXPERIMENT.override(settings)


@pytest.mark.data
class TestTheRealOne:
    @pytest.fixture(scope="class")
    def file(self, tmp_path_factory):
        return str(fetch("efficientnet_lite0", tmp_path_factory.mktemp("real") / "lite0") / "efficientnet_lite0.pth")

    @pytest.fixture(scope="class")
    def real(self, file):
        return load_network(file)[0]

    # numbers of ImageNet's classes: 967 espresso, 281 to 285 cats, 657 missile and 744 projectile
    @pytest.mark.parametrize(
        ("name", "classes", "least"),
        [("coffee", {967}, 0.9), ("chelsea", set(range(281, 286)), 0.8), ("rocket", {657, 744}, 0.25)],
    )
    def test_photographs_are_read_right(self, real, name, classes, least):
        photograph = Image.fromarray(getattr(photographs, name)())
        side = min(photograph.size)
        left, top = (photograph.width - side) // 2, (photograph.height - side) // 2
        square = np.asarray(photograph.crop((left, top, left + side, top + side)))[None].astype(np.float32) / 255
        read = keras.ops.softmax(real(Standardised(224)(square))["logits"])[0].numpy()
        assert read.argmax() in classes
        assert read[sorted(classes)].sum() > least

    def test_parameters(self, file):
        from models.extractors.torch_files import read_tensors

        tensors = read_tensors(Path(file).read_bytes())
        learned = [each for name, each in tensors.items() if "running" not in name and "batches" not in name]
        assert sum(each.size for each in learned) == 4_652_008
