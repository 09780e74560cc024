"""EfficientNet-Lite0, a small network of ImageNet, whose features judge images."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from models.config import Data
from models.extractors.prepared import Prepared
from models.extractors.torch_files import read_tensors

MEAN, DEVIATION = 127, 128
"""Mean and deviation of the pixels, 0 to 255, that the network was trained with."""

TRAINED_SIZE, SMALL_SIZE = 224, 128
"""Pixels a side that it was trained on, and that it looks at images of up to so many."""

FEATURES, CLASSES = 1280, 1000
STEM = 32
EPSILON = 1e-3


class Stage(NamedTuple):
    """Blocks that follow each other; the first changes width and size."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def load_efficientnet_lite0(data: Data, weights: str) -> tuple[keras.Model, str]:
    """EfficientNet-Lite0 as it looks at the images of some data.

    Args:
        data: what the images are; one channel is seen as three equal ones. Images of up to 128 pixels a side are
            resized to that, which is three times as fast as the 224 that the network was trained on; larger ones to
            224.
        weights: file of its weights, as `ganworks fetch efficientnet_lite0` brings it; may lie in a bucket.

    Returns:
        A model from images in [0, 1], [b, r, r, c], to {"features": [b, 1280]}, and the SHA-256 of the file.

    Raises:
        ValueError: the images have other channels; the file is not there or holds other weights.

    Reference: Tan & Le 2019, table 1; Liu 2020 (tensorflow/tpu, efficientnet/lite): no squeeze and excitation, ReLU6,
    and a stem and head of fixed width.
    """
    if data.channels not in (1, 3):
        raise ValueError(f"EfficientNet-Lite0 looks at images of 1 or 3 channels; received {data.channels}")
    size = SMALL_SIZE if data.resolution <= SMALL_SIZE else TRAINED_SIZE
    network, digest = load_network(weights)
    image = keras.Input(data.shape, name="image")
    hidden = keras.layers.Concatenate()([image] * 3) if data.channels == 1 else image
    hidden = Standardised(size)(hidden)
    return keras.Model(image, {"features": network(hidden)["features"]}), digest


def load_network(weights: str) -> tuple[keras.Model, str]:
    """The network alone; see `efficientnet_lite0` and `load_efficientnet_lite0`."""
    try:
        with tf.io.gfile.GFile(weights, "rb") as file:
            content = file.read()
    except tf.errors.OpError:
        raise ValueError(
            f"EfficientNet-Lite0 needs its weights, and there is no file {weights}: ganworks fetch efficientnet_lite0, "
            "or name another by evaluation.extractor_weights"
        ) from None
    network = efficientnet_lite0()
    try:
        _assign(network, read_tensors(content))
    except ValueError as error:
        raise ValueError(f"{weights} does not hold EfficientNet-Lite0's weights: {error}") from None
    return network, hashlib.sha256(content).hexdigest()


def efficientnet_lite0() -> keras.Model:
    """The network without weights.

    Returns:
        A model from images of 3 channels and any size, [b, h, w, 3], prepared as by `Standardised`, to {"features":
        [b, 1280], the mean over all places after the last ReLU6, "logits": [b, 1000]}. It has 4,652,008 parameters,
        and the statistics of its normalisations beside them.
    """
    image = keras.Input((None, None, 3), name="image")
    hidden = _convolved(image, STEM, 3, 2, name="stem")
    block, width = 0, STEM
    for stage in STAGES:
        for number in range(stage.blocks):
            stride = 1 if number else stage.stride
            hidden = _block(hidden, width, stage, stride, name=f"block{block}")
            block, width = block + 1, stage.width
    hidden = _convolved(hidden, FEATURES, 1, 1, name="head")
    features = keras.layers.GlobalAveragePooling2D(name="features")(hidden)
    logits = keras.layers.Dense(CLASSES, name="logits")(features)
    return keras.Model(image, {"features": features, "logits": logits}, trainable=False)


class Standardised(Prepared):
    """Gives pixels the mean and scale of the training."""

    def as_trained(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """See `Prepared`."""
        return (images * 255 - MEAN) / DEVIATION


def _block(x: keras.KerasTensor, width: int, stage: Stage, stride: int, *, name: str) -> keras.KerasTensor:
    """An inverted residual block: wider, a filter a channel, narrower without a nonlinearity."""
    hidden = x
    if stage.expansion > 1:
        hidden = _convolved(hidden, width * stage.expansion, 1, 1, name=f"{name}_expand")
    hidden = keras.layers.DepthwiseConv2D(
        stage.kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(hidden)
    hidden = keras.layers.ReLU(6)(_normalised(hidden, f"{name}_depthwise"))
    hidden = _convolved(hidden, stage.width, 1, 1, name=f"{name}_project", activated=False)
    return keras.layers.Add()([x, hidden]) if stride == 1 and width == stage.width else hidden


def _convolved(
    x: keras.KerasTensor, width: int, kernel: int, stride: int, *, name: str, activated: bool = True
) -> keras.KerasTensor:
    hidden = keras.layers.Conv2D(width, kernel, stride, padding="same", use_bias=False, name=name)(x)
    hidden = _normalised(hidden, name)
    return keras.layers.ReLU(6)(hidden) if activated else hidden


def _normalised(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_norm")(x)


def _names() -> Iterator[tuple[str, str, str]]:
    """Gives for each convolution its layer, and the names of it and of its normalisation in the file."""
    yield "stem", "_conv_stem", "_bn0"
    for number in range(sum(stage.blocks for stage in STAGES)):
        of = f"_blocks.{number}."
        if number:  # the first block does not expand
            yield f"block{number}_expand", f"{of}_expand_conv", f"{of}_bn0"
        yield f"block{number}_depthwise", f"{of}_depthwise_conv", f"{of}_bn1"
        yield f"block{number}_project", f"{of}_project_conv", f"{of}_bn2"
    yield "head", "_conv_head", "_bn1"


def _assign(network: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Puts tensors into the layers. Raises ValueError where one is missing or of another shape."""
    for layer, convolution, norm in _names():
        # [out, in, h, w] there; [h, w, in, out] here, and [h, w, channels, 1] where there is a filter a channel
        order = (2, 3, 0, 1) if layer.endswith("_depthwise") else (2, 3, 1, 0)
        _set(network.get_layer(layer), [_tensor(tensors, f"{convolution}.weight", 4).transpose(order)])
        parts = ("weight", "bias", "running_mean", "running_var")
        _set(network.get_layer(f"{layer}_norm"), [_tensor(tensors, f"{norm}.{part}", 1) for part in parts])
    _set(network.get_layer("logits"), [_tensor(tensors, "_fc.weight", 2).T, _tensor(tensors, "_fc.bias", 1)])


def _tensor(tensors: dict[str, np.ndarray], name: str, sides: int) -> np.ndarray:
    if name not in tensors or tensors[name].ndim != sides:
        raise ValueError(f"there has to be a tensor {name} of {sides} sides")
    if not np.isfinite(tensors[name]).all():
        raise ValueError(f"weights are finite; some of {name} are not")
    return tensors[name]


def _set(layer: keras.Layer, values: list[np.ndarray]) -> None:
    expected, received = [tuple(each.shape) for each in layer.weights], [each.shape for each in values]
    if expected != received:
        raise ValueError(f"{layer.name} has weights of the shapes {expected}; received {received}")
    layer.set_weights(values)
