"""Networks for points of the plane: a generator of rectified linear layers, a discriminator of maxout layers.

The published networks for the ring and the grid (Lin, Khetan, Fanti & Oh 2018; Dumoulin et al. 2017 before them) are
a generator of width 400 and depth 4 with batch normalisation, of 2 dimensions of noise, and a discriminator of width
200 and depth 3 without.
Their initial weights are N(0, 0.02), whatever a layer's width. Ours are those of He et al. 2015: without batch
normalisation the units of a layer that begins so small learn nearly the same, and points stay between the modes.
"""

import keras
from keras import layers

from models.config import Data, PointsDiscriminator, PointsGenerator, PointsTranslator
from models.networks import mlp, parts


def generator(variant: PointsGenerator, data: Data) -> keras.Model:
    """Noise (with label and codes) to point.

    Returns:
        A model of {`z`: [batch, latent.size] float32 (, `label`: [batch] int) (, `code`: [batch, codes])} -> [batch, 2]
        float32, unbounded.
    """
    inputs, x = parts.generator_inputs(variant, data)
    x = mlp.rectified(x, inputs, variant, data, _weights)
    return keras.Model(inputs, _point(x, _weights()), name="generator")


def discriminator(variant: PointsDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """Point (and label) to a logit.

    Returns:
        A model of {`target`: [batch, 2 * pack] (, `label`: [batch] int)} -> [batch] float32 logits, or a dict with
        further answers; see `parts.discriminator`.
    """
    return mlp.maxout_discriminator(variant, data, codes, _weights)


def translator(variant: PointsTranslator, data: Data) -> keras.Model:
    """Point of one domain to point of another, as a step from where it is.

    Returns:
        A model of {`input`: [batch, 2] float32} -> [batch, 2] float32, unbounded.
    """
    x = layers.Input(data.shape, name="input")
    # a small step, so that a translator begins near the identity
    step = _point(mlp.rectified(x, {}, variant, data, _weights), keras.initializers.RandomNormal(stddev=0.02))
    return keras.Model({"input": x}, layers.Add(dtype="float32")([x, step]), name="translator")


def _point(x: keras.KerasTensor, weights: keras.initializers.Initializer) -> keras.KerasTensor:
    return layers.Dense(2, kernel_initializer=weights, dtype="float32")(x)


def _weights() -> keras.initializers.Initializer:
    return keras.initializers.HeNormal()
