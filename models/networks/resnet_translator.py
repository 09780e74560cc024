"""CycleGAN's generator: two halvings, residual blocks, two doublings. In the paper's words, for nine blocks:
c7s1-64, d128, d256, R256 (nine times), u128, u64, c7s1-3.

Instance normalisation and ReLU behind each convolution but the last, tanh at the end; mirrored edges for the 7x7
convolutions and in the blocks; N(0, 0.02) initial weights. A convolution before a normalisation has no bias, which it
would take away; the normalisation has a scale and a shift (PyTorch's has none, and its convolutions a bias in vain).

Reference: Zhu, Park, Isola & Efros 2017, appendix 7.2; Johnson, Alahi & Fei-Fei 2016.
"""

from collections.abc import Callable

import keras
from keras import layers

from models.config import Data, ResNetTranslator
from models.layers.convolution import Conv2D, Conv2DTranspose
from models.layers.resizing import ReflectionPadding
from models.networks import translating


def translator(variant: ResNetTranslator, data: Data) -> keras.Model:
    """Image to image of one size.

    Returns:
        A model of {`input`: [batch, h, w, c] float32 in [-1, 1]} -> [batch, h, w, channels of the target] float32 in
        [-1, 1]. Both sides are multiples of 4, and at least 8.
    """
    inputs = translating.example(data)
    normed, bias = translating.norm_layer(variant.norm), variant.norm == "none"

    def mirrored(x: keras.KerasTensor, filters: int, kernel: int, *, bias: bool = bias) -> keras.KerasTensor:
        layer = Conv2D(filters, kernel, use_bias=bias, kernel_initializer=translating.weights())
        return layer(ReflectionPadding(kernel // 2)(x))

    def resized(x: keras.KerasTensor, filters: int, kind: Callable[..., layers.Layer]) -> keras.KerasTensor:
        layer = kind(filters, 3, 2, "same", use_bias=bias, kernel_initializer=translating.weights())
        return layers.ReLU()(normed(layer(x)))

    x = layers.ReLU()(normed(mirrored(inputs, variant.width, 7)))
    for times in (2, 4):
        x = resized(x, times * variant.width, Conv2D)
    for _ in range(variant.blocks):
        inner = layers.ReLU()(normed(mirrored(x, 4 * variant.width, 3)))
        x = layers.Add()([x, normed(mirrored(inner, 4 * variant.width, 3))])
    for times in (2, 1):
        x = resized(x, times * variant.width, Conv2DTranspose)
    x = mirrored(x, data.channels, 7, bias=True)
    return keras.Model({"input": inputs}, layers.Activation("tanh", dtype="float32")(x), name="translator")
