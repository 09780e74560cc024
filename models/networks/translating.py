"""What networks that take a picture and give one have in common."""

from collections.abc import Callable

import keras
from keras import layers

from models.columns import kind_of
from models.config import Data
from models.layers.batch_normalization import BatchNormalization
from models.layers.instance_normalization import InstanceNormalization


def weights() -> keras.initializers.Initializer:
    """Makes an initializer of N(0, 0.02), as pix2pix and CycleGAN have it."""
    return keras.initializers.RandomNormal(stddev=0.02)


def example(data: Data, scale: int = 1) -> keras.KerasTensor:
    """The input of a translator, [batch, h, w, c] in [-1, 1].

    Height and width are those of the data's squares; a network that is trained on crops of photographs takes any.

    Args:
        data: whose column `input` is taken, or else its target, where inputs are made of targets.
        scale: how many times larger the targets are.
    """
    columns = {column.role: column for column in data.columns}
    column = columns.get("input", columns["target"])
    height, width, channels = column.shape
    sides = (None, None) if kind_of(column).any_size else (height // scale, width // scale)
    return layers.Input([*sides, channels], name="input")


def norm_layer(norm: str) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """What normalises by this name, each time by a layer of its own: batch, instance or none."""
    kinds = {"batch": BatchNormalization, "instance": InstanceNormalization}
    return lambda x: kinds[norm]()(x) if norm in kinds else x
