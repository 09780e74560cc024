"""U-Net, pix2pix's generator: an encoder that halves, a decoder that doubles, skips between maps of one size.

Convolutions of 4x4 with a stride of 2; LeakyReLU 0.2 on the way down, ReLU on the way up, tanh at the end; N(0, 0.02)
initial weights. As in the authors' code, neither the first map nor the smallest is normalised: of one place, the
statistics would take all away. A convolution before a normalisation has no bias, which it would take away.

The paper keeps dropout and the statistics of the batch at test time, for a batch of one, and reports little variety of
it. Here an answer depends on its picture alone: what is served has no dropout, and the moving statistics. With
norm=instance, training and serving have the very statistics that the paper has at test time.

Reference: Isola, Zhu, Zhou & Efros 2017, section 6.1; Ronneberger, Fischer & Brox 2015.
"""

import keras
from keras import layers

from models.config import Data, UNetTranslator
from models.layers.activation import LeakyReLU
from models.layers.convolution import Conv2D, Conv2DTranspose
from models.layers.dropout import Dropout
from models.networks import translating

KERNEL = 4
DROPOUT_LEVELS = 3


def translator(variant: UNetTranslator, data: Data) -> keras.Model:
    """Image to image of one size.

    Returns:
        A model of {`input`: [batch, h, w, c] float32 in [-1, 1]} -> [batch, h, w, channels of the target] float32 in
        [-1, 1]. Both sides are multiples of `variant.size_multiple`.
    """
    x = inputs = translating.example(data)
    normed, bias = translating.norm_layer(variant.norm), variant.norm == "none"
    widths = [variant.width * min(2**i, 8) for i in range(variant.levels)]
    skips = []
    for i, width in enumerate(widths):
        plain = i in (0, variant.levels - 1)
        x = LeakyReLU(0.2)(x) if i else x
        x = Conv2D(width, KERNEL, 2, "same", use_bias=plain or bias, kernel_initializer=translating.weights())(x)
        x = x if plain else normed(x)
        skips.append(x)
    for i, width in enumerate(reversed(widths[:-1])):
        x = layers.ReLU()(x)
        x = Conv2DTranspose(width, KERNEL, 2, "same", use_bias=bias, kernel_initializer=translating.weights())(x)
        x = normed(x)
        x = Dropout(variant.dropout)(x) if variant.dropout and i < DROPOUT_LEVELS else x
        x = layers.Concatenate()([x, skips[-2 - i]])
    x = Conv2DTranspose(data.channels, KERNEL, 2, "same", kernel_initializer=translating.weights())(layers.ReLU()(x))
    return keras.Model({"input": inputs}, layers.Activation("tanh", dtype="float32")(x), name="translator")
