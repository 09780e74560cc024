"""SRResNet, SRGAN's generator: residual blocks at the size of the input, then sub-pixel convolutions that enlarge.

9x9 convolutions at both ends, blocks of two 3x3 ones with batch normalisation and a PReLU between, one skip over all
blocks, for each doubling a 3x3 convolution to four times the channels, a pixel shuffle and a PReLU. A convolution
before a normalisation has no bias, which it would take away. The end is linear, as in the paper.

With `bicubic`, what is learned is added to the bicubic enlargement of the input and begins at 0, which saves the first
minutes of a training (Kim et al. 2016 have this skip). With scale 1, for a network that restores, it is added to the
input itself.

Reference: Ledig et al. 2017, section 2.1 and figure 4; Shi et al. 2016 (sub-pixel convolution).
"""

import keras
from keras import layers

from models.config import Data, DeconvolutionTranslator, SRResNetTranslator
from models.layers.convolution import Conv2D
from models.layers.resizing import BicubicEnlargement, PixelShuffle
from models.networks import translating


def translator(variant: SRResNetTranslator, data: Data) -> keras.Model:
    """Image to a larger one.

    Returns:
        A model of {`input`: [batch, h, w, c] float32 in [-1, 1]} -> [batch, scale * h, scale * w, channels of the
        target] float32, about in [-1, 1] but unbounded.
    """
    inputs = translating.example(data, variant.scale)
    skip = None
    if variant.bicubic:
        skip = BicubicEnlargement(variant.scale)(inputs) if variant.scale > 1 else inputs
    return keras.Model({"input": inputs}, residual(variant, data, inputs, skip, variant.scale), name="translator")


def residual(
    variant: SRResNetTranslator | DeconvolutionTranslator,
    data: Data,
    inputs: keras.KerasTensor,
    skip: keras.KerasTensor | None,
    scale: int = 1,
) -> keras.KerasTensor:
    """The network of a variant.

    Args:
        variant: has its width, its blocks and its normalisation.
        data: whose channels it gives.
        inputs: what it takes, [batch, h, w, any].
        skip: what its end, which begins at 0, is added to; None for an end that begins as others do.
        scale: how many times larger it makes them.

    Returns:
        [batch, scale * h, scale * w, channels of the target] float32.
    """
    normed, width = translating.norm_layer(variant.norm), variant.width

    def convolution(x: keras.KerasTensor, filters: int, kernel: int = 3, *, norm: bool = False) -> keras.KerasTensor:
        norm = norm and variant.norm != "none"
        x = Conv2D(filters, kernel, padding="same", use_bias=not norm, kernel_initializer="glorot_uniform")(x)
        return normed(x) if norm else x

    first = x = _prelu(convolution(inputs, width, 9))
    for _ in range(variant.blocks):
        inner = _prelu(convolution(x, width, norm=True))
        x = layers.Add()([x, convolution(inner, width, norm=True)])
    x = layers.Add()([first, convolution(x, width, norm=True)])
    for _ in range(int(scale).bit_length() - 1):
        x = _prelu(PixelShuffle(2)(convolution(x, 4 * width)))
    last = "glorot_uniform" if skip is None else "zeros"
    x = Conv2D(data.channels, 9, padding="same", kernel_initializer=last)(x)
    if skip is not None:
        x = layers.Add(dtype="float32")([x, skip])
    return layers.Activation("linear", dtype="float32")(x)


def _prelu(x: keras.KerasTensor) -> keras.KerasTensor:
    """A slope a channel for what is below 0, which begins at 1/4. He et al. 2015."""
    return layers.PReLU(keras.initializers.Constant(0.25), shared_axes=[1, 2])(x)
