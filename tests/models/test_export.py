import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from models import export
from models.catalog import lookup
from models.config import Experiment, Network
from tests.harness import experiment


@pytest.fixture(scope="module", params=["embedding", "none"])
def model(request, tmp_path_factory):
    """A loaded SavedModel of an untrained GAN, with the GAN and its folder."""
    network = Network(latent_size=4, generator_width=4, discriminator_width=4, condition=request.param)
    config = experiment(network=network)
    gan = lookup("gan", config.gan)(config)
    directory = tmp_path_factory.mktemp("model") / "1"
    export.save(gan, directory)
    return tf.saved_model.load(str(directory)), gan, directory


def condition(gan, labels):
    return {"label": tf.constant(labels, tf.int64)} if gan.conditional else {}


def sample(model, gan, seeds, labels):
    outputs = model.signatures["sample"](seed=tf.constant(seeds, tf.int64), **condition(gan, labels))
    return list(outputs["image_bytes"].numpy())


def test_serving_default_is_the_averaged_generator_in_unit_range(model):
    loaded, gan, _ = model
    z = tf.random.stateless_normal([3, 4], [1, 2])
    served = loaded.signatures["serving_default"](z=z, **condition(gan, [0, 1, 2]))["image"].numpy()
    inputs = {"z": z} | condition(gan, [0, 1, 2])
    expected = (gan.averages[0].average(inputs, training=False).numpy() + 1) / 2
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
    assert saved.network == gan.experiment.network
    assert saved.training == gan.experiment.training


def test_nothing_unfinished_stays_beside_the_model(model):
    assert [path.name for path in model[2].parent.iterdir()] == ["1"]
