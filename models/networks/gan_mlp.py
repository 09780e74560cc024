"""The original: a generator of rectified linear layers, a discriminator of maxout layers. Goodfellow et al. 2014.

The authors' MNIST networks are generator_width 1200, discriminator_width 240, both of depth 2 and without norms,
dropout 0.5, latent uniform. The generator ends in a sigmoid, as theirs, rescaled to the [-1, 1] of all our images.
Initial weights are theirs. Their noise is uniform in sqrt(3) times the [-1, 1] of ours; the bias of their sigmoid
begins at the logits of the mean image, ours at 0; the input of their discriminator has a dropout of 0.2, ours none.
"""

import math

import keras
from keras import layers

from models.config import Data, Network
from models.fit import check_network
from models.networks import mlp, parts


def generator(network: Network, data: Data) -> keras.Model:
    """Noise (with label and codes) to image.

    Returns:
        A model of {`z`: [batch, latent_size] float32 (, `label`: [batch] int) (, `code`: [batch, codes])} ->
        [batch, r, r, c] float32 in [-1, 1].

    Raises:
        ValueError: the network has fields that this architecture has not, or the data are no images.
    """
    check_network(network, data)
    inputs, x = parts.generator_inputs(network, data)
    x = mlp.rectified(x, inputs, network, data, _generator_weights)
    x = layers.Dense(math.prod(data.shape), kernel_initializer=_generator_weights())(x)
    x = layers.Rescaling(2.0, -1.0, dtype="float32")(layers.Activation("sigmoid", dtype="float32")(x))
    return keras.Model(inputs, layers.Reshape(data.shape, dtype="float32")(x), name="generator")


def discriminator(network: Network, data: Data) -> keras.Model:
    """Image (and label) to a logit.

    Returns:
        A model of {`x`: [batch, r, r, c * pack] in [-1, 1] (, `label`: [batch] int)} -> [batch] float32 logits, or a
        dict with further answers; see `parts.discriminator`.

    Raises:
        ValueError: the network has fields that this architecture has not, or the data are no images.
    """
    check_network(network, data)
    return mlp.maxout_discriminator(network, data, _discriminator_weights)


def _generator_weights() -> keras.initializers.Initializer:
    return keras.initializers.RandomUniform(-0.05, 0.05)


def _discriminator_weights() -> keras.initializers.Initializer:
    return keras.initializers.RandomUniform(-0.005, 0.005)
