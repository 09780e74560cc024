"""The generator of a finer level of a Laplacian pyramid: what to add to the coarser image, enlarged.

Convolutions at full resolution of the enlarged image, a plane of noise and a plane of the label; ReLU between them,
N(0, 0.02) initial weights, a linear end: at first next to nothing is added.

Reference: Denton, Chintala, Szlam & Fergus 2015, section 3.2 and appendix A.
"""

import keras
from keras import layers

from models.config import Data, NoiseGenerator, Refiner
from models.layers.convolution import Conv2D
from models.networks import parts, translating


def refiner(variant: Refiner, generator: NoiseGenerator, data: Data) -> keras.Model:
    """Enlarged coarser image and noise (and label) to the residual.

    Args:
        variant: the layers.
        generator: its noise, and how it reads a label.
        data: at the size of this level.

    Returns:
        A model of {`input`: [batch, r, r, c] float32 in [-1, 1], `z`: [batch, latent.size] (, `label`: [batch] int)} ->
        [batch, r, r, c] float32.
    """
    inputs, driving = parts.generator_inputs(generator, data)
    image = layers.Input(data.shape, name="input")
    height, width, channels = data.shape
    plane = layers.Dense(height * width, kernel_initializer=translating.weights())(driving)
    x = layers.Concatenate()([image, layers.Reshape([height, width, 1])(plane)])
    for _ in range(variant.hidden):
        x = Conv2D(variant.width, variant.kernel, 1, "same", kernel_initializer=translating.weights())(x)
        x = layers.ReLU()(x)
    last = variant.last_kernel or variant.kernel
    x = Conv2D(channels, last, 1, "same", kernel_initializer=translating.weights())(x)
    # one network is made of several, whose names differ
    return keras.Model(
        inputs | {"input": image}, layers.Activation("linear", dtype="float32")(x), name=f"refiner_{height}"
    )
