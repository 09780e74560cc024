"""Hidden dense layers, shared by the architectures that are made of them."""

import keras
from keras import layers

from models.config import Data, Network
from models.layers.dropout import Dropout
from models.layers.maxout import Maxout
from models.networks import parts

PIECES = 5
"""Of a maxout unit, in both published networks."""


def rectified(
    x: keras.KerasTensor, inputs: parts.Inputs, network: Network, data: Data, weights: parts.Weights
) -> keras.KerasTensor:
    """The generator's hidden layers of ReLU: [batch, size] -> [batch, generator_width]."""
    for _ in range(network.generator_depth):
        x = layers.Dense(network.generator_width, kernel_initializer=weights())(x)
        x = layers.ReLU()(parts.generator_norm(x, inputs, network, data))
    return x


def maxout_discriminator(network: Network, data: Data, weights: parts.Weights) -> keras.Model:
    """A discriminator of maxout layers with dropout behind each; see `parts.discriminator` for what it gives."""
    inputs = parts.discriminator_inputs(network, data)
    x = layers.Flatten()(inputs["x"]) if len(data.shape) > 1 else inputs["x"]
    x = parts.with_label(x, inputs, network, data)
    for i in range(network.discriminator_depth):
        if i == network.discriminator_depth - 1:
            x = parts.stddev(x, network)
        dense = layers.Dense(network.discriminator_width * PIECES, kernel_initializer=weights())
        x = Maxout(PIECES)(parts.discriminator_norm(parts.spectral(dense, network)(x), network))
        x = Dropout(network.dropout)(x) if network.dropout else x
    return parts.discriminator(x, inputs, network, data, weights)
