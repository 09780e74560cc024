"""A restorer of images blurred by a kernel that it knows: SRResNet's blocks, which start from Wiener's answer.

All images have one kernel, which is a part of the network, or each has its own, which is given beside it. The blocks
take the blurred image and what the finite Wiener filter makes of it, side by side in channels, and learn what is added
to the latter, from 0 on: before any training, the network is that filter. It is convolutions throughout, and takes
images of any size.

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
        A model of {`input`: [batch, h, w, c] float32 in [-1, 1] (, `kernel`: [batch, side, side] float32 of sum 1)} ->
        [batch, h, w, c] float32, about in [-1, 1] but unbounded.
    """
    inputs = {"input": translating.example(data)}
    for name in variant.beside:
        inputs[name] = layers.Input([variant.side, variant.side], name=name, dtype="float32")
    undone = WienerFilter(variant.kernel, variant.side, variant.noise, variant.support, dtype="float32")
    filtered = undone(*inputs.values())
    both = layers.Concatenate()([inputs["input"], filtered])
    return keras.Model(inputs, srresnet.residual(variant, data, both, filtered), name="translator")
