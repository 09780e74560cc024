"""SqueezeNet: with weights drawn at random, and (data) with those that `ganworks fetch` brings."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import data as photographs

from models.config import Images
from models.extractors.squeezenet import load_network, load_squeezenet
from models.pixels import centred_bgr
from pipeline.commands.fetch import fetch
from tests.models.extractors import hdf5_made

COLOUR = Images(source="folder:x", resolution=64, channels=3)


@pytest.fixture(scope="module")
def network():
    return hdf5_made.drawn()


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "squeezenet.h5"
    hdf5_made.write(network, file)
    return str(file)


def test_parameters_and_maps_are_those_of_the_published_network(network):
    # 1,235,496 as the authors' version 1.1 has; sides by hand: (227 - 3) / 2 + 1 = 113, then pools of 3 with stride 2
    assert sum(int(np.prod(each.shape)) for each in network.weights) == 1_235_496
    assert network.trainable_weights == []
    made = network(np.zeros((1, 227, 227, 3), np.float32))
    shapes = {name: tuple(made[name].shape[1:]) for name in ("conv1", "fire3", "fire5", "fire9", "features", "logits")}
    assert shapes == {
        "conv1": (113, 113, 64),
        "fire3": (56, 56, 128),
        "fire5": (27, 27, 256),
        "fire9": (13, 13, 512),
        "features": (512,),
        "logits": (1000,),
    }


def test_pixels_are_blue_first_and_centred():
    # by hand: red 255, green 127.5, blue 0, less the means of blue, green and red
    np.testing.assert_allclose(centred_bgr(tf.constant([[1.0, 0, -1]]))[0], [-103.939, 10.721, 131.32], atol=1e-3)


def test_weights_come_to_their_places(network, weights):
    loaded, _ = load_network(weights)
    image = np.random.default_rng(0).uniform(-100, 100, (2, 64, 64, 3)).astype(np.float32)
    for name, expected in network(image).items():
        np.testing.assert_allclose(loaded(image)[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("channels", [1, 3])
def test_as_it_judges_images(network, weights, channels):
    images = np.random.default_rng(0).random((2, 64, 64, channels), np.float32)
    model, _ = load_squeezenet(COLOUR.model_copy(update={"channels": channels}), weights)
    colour = np.repeat(images, 4 - channels if channels == 1 else 1, -1)
    seen = np.clip(keras.ops.image.resize(colour, (128, 128), "bicubic", antialias=True), 0, 1)
    expected = network(seen[..., ::-1] * 255 - np.array([103.939, 116.779, 123.68], np.float32))["features"]
    np.testing.assert_allclose(model(images)["features"], expected, rtol=1e-3, atol=1e-4)


def test_what_is_no_file_of_it_is_refused(network, tmp_path):
    with pytest.raises(ValueError, match=r"no file .*nowhere\.h5: ganworks fetch squeezenet, or name another"):
        load_network(str(tmp_path / "nowhere.h5"))
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(ValueError, match=r"text\.h5 does not hold SqueezeNet's weights: it is no HDF5 file"):
        load_network(str(tmp_path / "text.h5"))
    import h5py

    for change, message in (
        (None, "there has to be an array fire4/expand3x3/fire4/expand3x3_b:0"),
        (np.zeros(9, np.float32), r"fire4/expand3x3 has weights of the shapes"),
        (np.full(128, np.nan, np.float32), "weights are finite"),
    ):
        file = tmp_path / "other.h5"
        hdf5_made.write(network, file)
        with h5py.File(file, "a") as content:
            del content["fire4/expand3x3/fire4/expand3x3_b:0"]
            if change is not None:
                content["fire4/expand3x3/fire4/expand3x3_b:0"] = change
        with pytest.raises(ValueError, match=message):
            load_network(str(file))


@pytest.mark.data
# numbers of ImageNet's classes: 967 espresso, 281 to 285 cats
@pytest.mark.parametrize(("name", "classes", "least"), [("coffee", {967}, 0.9), ("chelsea", set(range(281, 286)), 0.9)])
def test_photographs_are_read_right(tmp_path_factory, name, classes, least):
    file = str(fetch("squeezenet", tmp_path_factory.mktemp("real") / "squeezenet") / "squeezenet.h5")
    real, _ = load_network(file)
    photograph = Image.fromarray(getattr(photographs, name)())
    side = min(photograph.size)
    left, top = (photograph.width - side) // 2, (photograph.height - side) // 2
    square = photograph.crop((left, top, left + side, top + side)).resize((227, 227), Image.Resampling.BICUBIC)
    read = keras.ops.softmax(real(centred_bgr(tf.constant(np.asarray(square)[None] / 127.5 - 1, tf.float32)))["logits"])
    assert read[0].numpy().argmax() in classes
    assert read[0].numpy()[sorted(classes)].sum() > least
