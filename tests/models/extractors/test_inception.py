"""Inception's place in the judge, with weights drawn at random: the published ones are not on every machine."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.config import Evaluation, Images, Points
from models.extractors import classifier
from models.extractors.inception import load_inception
from tests.harness import write_examples
from tests.models.extractors.test_classifier import run

DIGITS = Images(source="digits", resolution=16, classes=10)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return keras.applications.InceptionV3(weights=None)


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    file = tmp_path_factory.mktemp("inception") / "inception.weights.h5"
    network.save_weights(file)
    return str(file)


def plainly(network: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and class probabilities as Keras' documentation has them."""
    pixels = tf.image.resize(np.repeat(images, 3, -1) if images.shape[-1] == 1 else images, (299, 299), antialias=True)
    seen = keras.applications.inception_v3.preprocess_input(pixels * 255)
    pooled = keras.Model(network.input, network.get_layer("avg_pool").output)
    return pooled(seen, training=False).numpy(), network(seen, training=False).numpy()


@pytest.mark.parametrize("channels", [1, 3])
def test_features_and_classes_are_those_of_keras(network, weights, channels):
    images = np.random.default_rng(0).random((2, 32, 32, channels), np.float32)
    model, digest = load_inception(Images(source="digits", resolution=32, channels=channels), weights)
    outputs = model(images, training=False)
    pooled, probabilities = plainly(network, images)
    assert outputs["features"].shape == (2, 2048)
    np.testing.assert_allclose(outputs["features"], pooled, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(keras.ops.softmax(outputs["inception_logits"]), probabilities, rtol=1e-4)
    assert re.fullmatch("[0-9a-f]{64}", digest)


def test_the_judges_model_has_inceptions_features_and_the_datas_classes(weights, tmp_path):
    patterns = write_examples(tmp_path / "examples", DIGITS, count=DIGITS.classes)
    model, record = run(
        tmp_path, patterns, patterns, DIGITS, extractor="inception_v3", extractor_weights=weights, extractor_steps=1
    )
    outputs = model.signatures["serving_default"](image=tf.zeros((3, 16, 16, 1)))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "features": (3, 2048),
        "inception_logits": (3, 1000),
        "logits": (3, 10),
    }
    assert (record["name"], record["features"]) == ("inception_v3", 2048)
    assert re.fullmatch("[0-9a-f]{64}", record["weights_sha256"])


class TestErrors:
    def test_no_file(self, tmp_path):
        with pytest.raises(ValueError, match=r"extractor_weights is a file of Inception-v3's weights; none is at"):
            load_inception(DIGITS, str(tmp_path / "nowhere.h5"))

    def test_another_networks_weights(self, tmp_path):
        file = tmp_path / "other.weights.h5"
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save_weights(file)
        with pytest.raises(ValueError, match=r"other\.weights\.h5 does not hold Inception-v3's weights: .+") as error:
            load_inception(DIGITS, str(file))
        assert "\n" not in str(error.value)

    def test_channels(self, weights):
        with pytest.raises(ValueError, match="images of 1 or 3 channels; received 4"):
            load_inception(DIGITS.model_copy(update={"channels": 4}), weights)

    def test_points(self, weights):
        data = Points(source="mixture:ring")
        with pytest.raises(ValueError, match="inception_v3 looks at images; mixture:ring gives points"):
            classifier.with_pretrained(
                classifier.mixture_classifier(data),
                data,
                Evaluation(extractor="inception_v3", extractor_weights=weights),
            )

    def test_weights_for_another_extractor(self):
        with pytest.raises(ValueError, match=r"extractor_weights are of inception_v3 or .*; received extractor digits"):
            Evaluation(extractor="digits", extractor_weights="weights.h5")
