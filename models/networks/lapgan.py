"""The discriminators of LAPGAN: two dense layers at the coarsest level, two convolutions at the finer ones.

The convolutions are of 5x5 without zeros at the edges, the second with a stride of 2, both of as many channels; ReLU,
and dropout before the answer. The dense layers have dropout behind each. N(0, 0.02) initial weights, but for the dense
layers', which are N(0, 0.005), as in the authors' code; theirs of the convolutions are those of Torch.

At a finer level theirs takes the residual and the coarser image, enlarged, and adds them first. Ours is given the sum:
see `models.gans.lapgan`.

Reference: Denton, Chintala, Szlam & Fergus 2015, section 3.2.1, and the authors' code.
"""

import keras
from keras import layers

from models.config import Data, LAPGANDiscriminator
from models.layers.convolution import Conv2D
from models.layers.dropout import Dropout
from models.networks import parts

KERNEL = 5


def discriminator(variant: LAPGANDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """Image (and label) to a logit.

    Returns:
        A model of {`target`: [batch, r, r, c * pack] in [-1, 1] (, `label`: [batch] int)} -> [batch] float32 logits, or
        a dict with further answers, `codes` of them of this width; see `parts.discriminator`.
    """
    inputs = parts.discriminator_inputs(variant, data)
    x = parts.with_label(inputs["target"], inputs, variant, data)
    dense = data.shape[0] <= variant.dense_up_to
    x = _dense(x, variant) if dense else _convolved(x, variant)
    return parts.discriminator(x, inputs, variant, data, codes, _dense_weights if dense else _weights)


def _dense(x: keras.KerasTensor, variant: LAPGANDiscriminator) -> keras.KerasTensor:
    x = layers.Flatten()(x)
    for number in range(2):
        x = parts.stddev(x, variant) if number else x
        x = parts.spectral(layers.Dense(variant.units, kernel_initializer=_dense_weights()), variant)(x)
        x = _dropped(layers.ReLU()(x), variant)
    return x


def _convolved(x: keras.KerasTensor, variant: LAPGANDiscriminator) -> keras.KerasTensor:
    for number in range(2):
        x = parts.stddev(x, variant) if number else x
        layer = Conv2D(variant.width, KERNEL, 1 + number, "valid", kernel_initializer=_weights())
        x = layers.ReLU()(parts.spectral(layer, variant)(x))
    return _dropped(layers.Flatten()(x), variant)


def _dropped(x: keras.KerasTensor, variant: LAPGANDiscriminator) -> keras.KerasTensor:
    return Dropout(variant.dropout)(x) if variant.dropout else x


def _weights() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)


def _dense_weights() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.005)
