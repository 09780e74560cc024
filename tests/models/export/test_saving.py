import io
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from models.catalog import lookup
from models.config import (
    Adversarial,
    DCGANDiscriminator,
    DCGANGenerator,
    Experiment,
    Latent,
    Points,
    PointsDiscriminator,
    PointsGenerator,
)
from models.digests.packages import code_hash
from models.export import saving
from tests.harness import experiment


@pytest.fixture(scope="module", params=["embedding", "none"])
def model(request, tmp_path_factory):
    """A loaded SavedModel of an untrained GAN, with the GAN and its folder."""
    generator = DCGANGenerator(latent=Latent(size=4), width=4, condition=request.param)
    judged_by = "none" if request.param == "none" else "projection"
    discriminator = DCGANDiscriminator(width=4, condition=judged_by)
    config = experiment(scheme=Adversarial(generator=generator, discriminator=discriminator))
    gan = lookup("scheme", config.scheme.name)(config)
    directory = tmp_path_factory.mktemp("model") / "1"
    saving.save(gan, directory, trained_on="abc")
    return tf.saved_model.load(str(directory)), gan, directory


def condition(gan, labels):
    return {"label": tf.constant(labels, tf.int64)} if gan.experiment.conditional else {}


def sample(model, gan, seeds, labels):
    outputs = model.signatures["sample"](seed=tf.constant(seeds, tf.int64), **condition(gan, labels))
    return list(outputs["image_bytes"].numpy())


def test_serving_default_is_the_averaged_generator_in_unit_range(model):
    loaded, gan, _ = model
    z = tf.random.stateless_normal([3, 4], [1, 2])
    served = loaded.signatures["serving_default"](z=z, **condition(gan, [0, 1, 2]))["image"].numpy()
    inputs = {"z": z} | condition(gan, [0, 1, 2])
    expected = (gan.averages["generator"].average(inputs, training=False).numpy() + 1) / 2
    assert served.dtype == np.float32
    assert served.min() >= 0
    assert served.max() <= 1
    np.testing.assert_allclose(served, expected, atol=1e-6)


def test_sample_gives_png_files_of_the_size_of_the_data(model):
    loaded, gan, _ = model
    picture = Image.open(io.BytesIO(sample(loaded, gan, [5], [1])[0]))
    assert picture.format == "PNG"
    assert picture.size == (16, 16)
    assert picture.mode == "L"


def test_a_seed_gives_the_same_picture_whatever_stands_beside_it(model):
    loaded, gan, _ = model
    alone = [sample(loaded, gan, [seed], [seed % 3])[0] for seed in range(33)]
    assert sample(loaded, gan, list(range(33)), [seed % 3 for seed in range(33)]) == alone
    assert sample(loaded, gan, list(range(32, -1, -1)), [seed % 3 for seed in range(32, -1, -1)]) == alone[::-1]
    assert len(set(alone)) == 33


def test_any_int64_is_a_seed(model):
    loaded, gan, _ = model
    extremes = [-(2**63), -1, 0, 2**63 - 1]
    assert len(set(sample(loaded, gan, extremes, [0] * 4))) == 4


def test_what_made_the_model_is_saved_with_it(model):
    _, gan, directory = model
    saved = Experiment.from_json((directory / "assets.extra" / "experiment.json").read_text())
    assert saved.scheme == gan.experiment.scheme
    assert saved.training == gan.experiment.training


def test_nothing_unfinished_stays_beside_the_model(model):
    assert [path.name for path in model[2].parent.iterdir()] == ["1"]


def test_the_record_says_what_made_the_model(model):
    _, gan, directory = model
    record = json.loads((directory / "assets.extra" / "record.json").read_text())
    assert record["seed"] == gan.experiment.training.seed
    assert record["step"] == gan.experiment.training.steps
    assert record["examples"] == "abc"
    assert record["tensorflow"] == tf.__version__
    assert record["source"] == code_hash("models")


def test_a_generator_of_points_serves_points(tmp_path):
    config = experiment(
        data=Points(source="mixture:ring"),
        scheme=Adversarial(
            generator=PointsGenerator(latent=Latent(size=2), norm="none"), discriminator=PointsDiscriminator()
        ),
    )
    gan = lookup("scheme", config.scheme.name)(config)
    saving.save(gan, tmp_path / "1")
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    z = tf.random.stateless_normal([5, 2], [1, 2])
    served = loaded.signatures["serving_default"](z=z)["point"]
    np.testing.assert_allclose(served, gan.averages["generator"].average({"z": z}, training=False), atol=1e-6)
    pair = loaded.signatures["sample"](seed=tf.constant([3, 4], tf.int64))["point"].numpy()
    alone = loaded.signatures["sample"](seed=tf.constant([4], tf.int64))["point"]
    np.testing.assert_allclose(alone, pair[1:], rtol=1e-6, atol=1e-6)


def test_a_translator_serves_images_for_images(tmp_path):
    # any scheme with a network from image to image; its own tests are elsewhere
    x = keras.Input([16, 16, 1], name="input")
    negative = keras.Model({"input": x}, keras.layers.Rescaling(-1.0)(x))
    sampler = saving.Sampler({"serving_default": negative}, experiment())
    sampler.save(str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    # without noise there is nothing to sample by a seed
    assert set(loaded.signatures) == {"serving_default", "from_bytes", "interface"}
    image = tf.random.stateless_uniform([3, 16, 16, 1], [1, 2])
    np.testing.assert_allclose(loaded.signatures["serving_default"](image=image)["image"], 1 - image, atol=1e-6)


def test_codes_of_a_seed_are_one_hot_and_in_range(tmp_path):
    latent = Latent(size=4, categorical_codes=3, continuous_codes=2)
    config = experiment(
        scheme=Adversarial(generator=DCGANGenerator(latent=latent, width=4), discriminator=DCGANDiscriminator(width=4))
    )
    sampler = saving.Sampler(lookup("scheme", config.scheme.name)(config).samplers(), config)
    code = sampler.latent(tf.range(50, dtype=tf.int64))["code"].numpy()
    assert code.shape == (50, 5)
    np.testing.assert_array_equal(np.sort(code[:, :3], axis=1), [[0, 0, 1]] * 50)
    assert len(np.unique(code[:, :3], axis=0)) == 3
    assert (np.abs(code[:, 3:]) <= 1).all()
    assert code[:, 3:].min() < -0.5
    assert code[:, 3:].max() > 0.5
