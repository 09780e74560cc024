"""A restorer of images blurred by a kernel that it knows: SRResNet's blocks, which start from Wiener's answer.

They take the blurred image and what the finite Wiener filter makes of it, side by side in channels, and learn what is
added to the latter, from 0 on: before any training, the network is that filter. It is convolutions throughout, and
takes images of any size.

Reference: Schuler, Burger, Harmeling & Scholkopf 2013 (a network after a regularised inverse); Ledig et al. 2017 for
the blocks.
"""

import keras
from keras import layers

from models.config import Data, DeconvolutionTranslator
from models.layers.wiener import WienerFilter
from models.networks import srresnet, translating


def translator(variant: DeconvolutionTranslator, data: Data) -> keras.Model:
    """Blurred image to a sharp one.

    Returns:
        A model of {`input`: [batch, h, w, c] float32 in [-1, 1]} -> [batch, h, w, c] float32, about in [-1, 1] but
        unbounded.
    """
    inputs = translating.example(data)
    filtered = WienerFilter(variant.kernel, variant.side, variant.noise, variant.support, dtype="float32")(inputs)
    both = layers.Concatenate()([inputs, filtered])
    return keras.Model({"input": inputs}, srresnet.residual(variant, data, both, filtered), name="translator")
