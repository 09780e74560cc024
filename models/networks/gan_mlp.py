"""The original: a generator of rectified linear layers, a discriminator of maxout layers. Goodfellow et al. 2014.

The authors' MNIST networks are a generator of width 1200 that is driven by uniform noise, and a discriminator of width
240 with dropout 0.5, both of depth 2 and without norms. The generator ends in a sigmoid, as theirs, rescaled to the
[-1, 1] of all our images. Initial weights are theirs. Their noise is uniform in sqrt(3) times the [-1, 1] of ours; the
bias of their sigmoid begins at the logits of the mean image, ours at 0; the input of their discriminator has a dropout
of 0.2, ours none.
"""

import math

import keras
from keras import layers

from models.config import Data, GanMLPDiscriminator, GanMLPGenerator
from models.networks import mlp, parts


def generator(variant: GanMLPGenerator, data: Data) -> keras.Model:
    """Noise (with label and codes) to image.

    Returns:
        A model of {`z`: [batch, latent.size] float32 (, `label`: [batch] int) (, `code`: [batch, codes])} ->
        [batch, r, r, c] float32 in [-1, 1].
    """
    inputs, x = parts.generator_inputs(variant, data)
    x = mlp.rectified(x, inputs, variant, data, _generator_weights)
    x = layers.Dense(math.prod(data.shape), kernel_initializer=_generator_weights())(x)
    x = layers.Rescaling(2.0, -1.0, dtype="float32")(layers.Activation("sigmoid", dtype="float32")(x))
    return keras.Model(inputs, layers.Reshape(data.shape, dtype="float32")(x), name="generator")


def discriminator(variant: GanMLPDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """Image (and label) to a logit.

    Returns:
        A model of {`target`: [batch, r, r, c * pack] in [-1, 1] (, `label`: [batch] int)} -> [batch] float32 logits, or
        a dict with further answers, `codes` of them of this width; see `parts.discriminator`.
    """
    return mlp.maxout_discriminator(variant, data, codes, _discriminator_weights)


def _generator_weights() -> keras.initializers.Initializer:
    return keras.initializers.RandomUniform(-0.05, 0.05)


def _discriminator_weights() -> keras.initializers.Initializer:
    return keras.initializers.RandomUniform(-0.005, 0.005)
