"""SqueezeNet 1.1, a small network of ImageNet: its layers are for losses, its features for judging."""

import hashlib
import io

import h5py
import keras
import numpy as np
import tensorflow as tf

from models import pixels
from models.config import Data
from models.extractors.prepared import Prepared

TRAINED_SIZE, SMALL_SIZE = 227, 128
"""Pixels a side that it was trained on, and that it looks at images of up to so many."""

CLASSES = 1000
SQUEEZED = {"fire2": 16, "fire3": 16, "fire4": 32, "fire5": 32, "fire6": 48, "fire7": 48, "fire8": 64, "fire9": 64}
"""Channels of each fire module's squeeze; each of its two expansions has four times as many."""

POOLED = ("conv1", "fire3", "fire5")
"""Layers after which the maps are halved."""


def load_squeezenet(data: Data, weights: str) -> tuple[keras.Model, str]:
    """SqueezeNet as it looks at the images of some data.

    Args:
        data: what the images are; one channel is seen as three equal ones. Images of up to 128 pixels a side are
            resized to that, larger ones to the 227 that the network was trained on.
        weights: file of its weights, as `ganworks fetch squeezenet` brings it; may lie in a bucket.

    Returns:
        A model from images in [0, 1], [b, r, r, c], to {"features": [b, 512]}, and the SHA-256 of the file.

    Raises:
        ValueError: the images have other channels; the file is not there or holds other weights.

    Reference: Iandola et al. 2016, table 1, in its version 1.1.
    """
    if data.channels not in (1, 3):
        raise ValueError(f"SqueezeNet looks at images of 1 or 3 channels; received {data.channels}")
    network, digest = load_network(weights)
    image = keras.Input(data.shape, name="image")
    hidden = keras.layers.Concatenate()([image] * 3) if data.channels == 1 else image
    hidden = CentredBGR(SMALL_SIZE if data.resolution <= SMALL_SIZE else TRAINED_SIZE)(hidden)
    return keras.Model(image, {"features": network(hidden)["features"]}), digest


def load_network(weights: str) -> tuple[keras.Model, str]:
    """The network alone; see `squeezenet` and `load_squeezenet`."""
    try:
        with tf.io.gfile.GFile(weights, "rb") as file:
            content = file.read()
    except tf.errors.OpError:
        raise ValueError(
            f"SqueezeNet needs its weights, and there is no file {weights}: ganworks fetch squeezenet, or name another"
        ) from None
    network = squeezenet()
    try:
        _assign(network, content)
    except ValueError as error:
        raise ValueError(f"{weights} does not hold SqueezeNet's weights: {error}") from None
    return network, hashlib.sha256(content).hexdigest()


def squeezenet() -> keras.Model:
    """The network without weights.

    Returns:
        A model from images of 3 channels and any size of at least 32, [b, h, w, 3], as `models.pixels.centred_bgr`
        gives them, to {"conv1", "fire2" to "fire9": maps after their ReLU, [b, h', w', channels], "features": [b, 512],
        the mean of the last maps over all places, "logits": [b, 1000]}. It has 1,235,496 parameters.
    """
    image = keras.Input((None, None, 3), name="image")
    hidden = keras.layers.Conv2D(64, 3, 2, activation="relu", name="conv1")(image)
    outputs = {"conv1": hidden}
    for name, width in SQUEEZED.items():
        if list(outputs)[-1] in POOLED:
            hidden = keras.layers.MaxPooling2D(3, 2)(hidden)
        hidden = outputs[name] = _fire(hidden, width, name)
    outputs["features"] = keras.layers.GlobalAveragePooling2D(name="features")(hidden)
    places = keras.layers.Conv2D(CLASSES, 1, activation="relu", name="conv10")(hidden)
    outputs["logits"] = keras.layers.GlobalAveragePooling2D(name="logits")(places)
    return keras.Model(image, outputs, trainable=False)


class CentredBGR(Prepared):
    """Gives pixels the order and mean of the training."""

    def as_trained(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """See `Prepared`."""
        return pixels.centred_bgr(2 * images - 1)


def _fire(x: keras.KerasTensor, squeezed: int, name: str) -> keras.KerasTensor:
    """A fire module: few channels, from which 1x1 and 3x3 convolutions make many."""
    few = keras.layers.Conv2D(squeezed, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
    sides = [
        keras.layers.Conv2D(
            4 * squeezed, kernel, padding="same", activation="relu", name=f"{name}_expand{kernel}x{kernel}"
        )(few)
        for kernel in (1, 3)
    ]
    return keras.layers.Concatenate(name=name)(sides)


def _assign(network: keras.Model, content: bytes) -> None:
    """Puts the weights of an HDF5 file into the layers. Raises ValueError where one is missing or of another shape."""
    try:
        file = h5py.File(io.BytesIO(content), "r")
    except OSError as error:
        raise ValueError(f"it is no HDF5 file: {error}") from None
    with file:
        for layer in network.layers:
            if layer.weights:
                name = layer.name.replace("_", "/")
                values = [_read(file, f"{name}/{name}_{part}:0") for part in ("W", "b")]
                expected, received = [tuple(each.shape) for each in layer.weights], [each.shape for each in values]
                if expected != received:
                    raise ValueError(f"{name} has weights of the shapes {expected}; received {received}")
                layer.set_weights(values)


def _read(file: h5py.File, name: str) -> np.ndarray:
    if not isinstance(found := file.get(name), h5py.Dataset):
        raise ValueError(f"there has to be an array {name}")
    values = np.asarray(found, np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"weights are finite; some of {name} are not")
    return values
