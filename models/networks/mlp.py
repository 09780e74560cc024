"""Hidden dense layers, shared by the architectures that are made of them."""

import keras
from keras import layers

from models.config import Data, PointsTranslator
from models.config.networks.discriminators import MLPDiscriminator
from models.config.networks.generators import MLPGenerator
from models.layers.dropout import Dropout
from models.layers.maxout import Maxout
from models.networks import parts

PIECES = 5
"""Pieces of a maxout unit, in both published networks."""


def rectified(
    x: keras.KerasTensor,
    inputs: parts.Inputs,
    variant: MLPGenerator | PointsTranslator,
    data: Data,
    weights: parts.Weights,
) -> keras.KerasTensor:
    """The generator's hidden layers of ReLU: [batch, size] -> [batch, width]."""
    for _ in range(variant.depth):
        x = layers.Dense(variant.width, kernel_initializer=weights())(x)
        x = layers.ReLU()(parts.generator_norm(x, inputs, variant, data))
    return x


def maxout_discriminator(variant: MLPDiscriminator, data: Data, codes: int, weights: parts.Weights) -> keras.Model:
    """A discriminator of maxout layers with dropout behind each; see `parts.discriminator` for what it gives."""
    inputs = parts.discriminator_inputs(variant, data)
    x = layers.Flatten()(inputs["target"]) if len(data.shape) > 1 else inputs["target"]
    x = parts.with_label(x, inputs, variant, data)
    for i in range(variant.depth):
        if i == variant.depth - 1:
            x = parts.stddev(x, variant)
        dense = layers.Dense(variant.width * PIECES, kernel_initializer=weights())
        x = Maxout(PIECES)(parts.discriminator_norm(parts.spectral(dense, variant)(x), variant))
        x = Dropout(variant.dropout)(x) if variant.dropout else x
    return parts.discriminator(x, inputs, variant, data, codes, weights)
