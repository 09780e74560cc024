"""ResNet-SN: residual blocks, spectral normalisation, projection. Miyato, Kataoka, Koyama & Yoshida 2018; Miyato &
Koyama 2018 ("cGANs with projection discriminator"), whose networks these are at 128 pixels.

The published choice is norm batch of the generator, spectral of the discriminator and, with labels, condition
batch_norm of the first and projection of the second. At smaller resolutions the widths double as they do there, from as
many channels at full resolution; the papers' networks for 32 and 64 pixels differ in widths or in their last blocks.
The generator's last normalisation reads the label like the others, where the authors' does not. With `attention` it is
SAGAN's pair (Zhang et al. 2019), but for the generator's spectral norm.
"""

from collections.abc import Callable

import keras
from keras import layers

from models.config import Data, ResNetDiscriminator, ResNetGenerator
from models.config.networks.base import scales
from models.networks import parts

Norm = Callable[[keras.KerasTensor], keras.KerasTensor]


def generator(variant: ResNetGenerator, data: Data) -> keras.Model:
    """Noise (with label and codes) to image.

    Returns:
        A model of {`z`: [batch, latent.size] float32 (, `label`: [batch] int) (, `code`: [batch, codes])} ->
        [batch, r, r, c] float32 in [-1, 1].
    """
    base, doublings = scales(data.resolution)
    channels = [variant.width * 2**i for i in reversed(range(doublings))]
    inputs, x = parts.generator_inputs(variant, data)

    def norm(x: keras.KerasTensor) -> keras.KerasTensor:
        return parts.generator_norm(x, inputs, variant, data)

    x = layers.Dense(base * base * channels[0], kernel_initializer=_weights())(x)
    x = layers.Reshape([base, base, channels[0]])(x)
    for filters in channels:
        x = _up(x, filters, norm)
        x = parts.attend(x, variant.attention, largest=data.resolution)
    x = layers.Conv2D(data.channels, 3, padding="same", kernel_initializer=_weights())(layers.ReLU()(norm(x)))
    image = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, image, name="generator")


def discriminator(variant: ResNetDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """Image (and label) to a logit.

    Returns:
        A model of {`target`: [batch, r, r, c * pack] in [-1, 1] (, `label`: [batch] int)} -> [batch] float32 logits, or
        a dict with further answers, `codes` of them of this width; see `parts.discriminator`.
    """
    _, doublings = scales(data.resolution)
    inputs = parts.discriminator_inputs(variant, data)
    x = parts.with_label(inputs["target"], inputs, variant, data)
    for i in range(doublings):
        x = _down(x, variant.width * 2**i, variant, first=i == 0)
        x = parts.attend(x, variant.attention, largest=data.resolution // 2, spectral=variant.norm == "spectral")
    x = parts.stddev(x, variant)
    x = _down(x, variant.width * 2 ** (doublings - 1), variant, shrink=False)
    # float32: the sum is over up to 49 places
    x = keras.ops.sum(layers.ReLU(dtype="float32")(parts.discriminator_norm(x, variant)), axis=[1, 2])
    return parts.discriminator(x, inputs, variant, data, codes, _weights)


def _up(x: keras.KerasTensor, filters: int, norm: Norm) -> keras.KerasTensor:
    """A residual block that doubles the map."""
    # of a 1x1 convolution and an upsampling by repetition the order changes nothing but the cost
    short = layers.UpSampling2D(2)(layers.Conv2D(filters, 1, kernel_initializer=_weights())(x))
    x = layers.UpSampling2D(2)(layers.ReLU()(norm(x)))
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=_weights(gain=2))(x)
    x = layers.ReLU()(norm(x))
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=_weights(gain=2))(x)
    return layers.Add()([x, short])


def _down(
    x: keras.KerasTensor, filters: int, variant: ResNetDiscriminator, *, first: bool = False, shrink: bool = True
) -> keras.KerasTensor:
    """A residual block that halves the map, or leaves its size; the first sees pixels, which it does not rectify."""

    def convolution(x: keras.KerasTensor, filters: int, size: int, gain: int) -> keras.KerasTensor:
        layer = layers.Conv2D(filters, size, padding="same", kernel_initializer=_weights(gain))
        return parts.spectral(layer, variant)(x)

    # likewise of a 1x1 convolution and a mean
    short = layers.AveragePooling2D(2)(x) if shrink else x
    if short.shape[-1] != filters or shrink:
        short = convolution(short, filters, 1, gain=1)
    hidden = filters if first else x.shape[-1]
    if not first:
        x = layers.ReLU()(parts.discriminator_norm(x, variant))
    x = convolution(x, hidden, 3, gain=2)
    x = layers.ReLU()(parts.discriminator_norm(x, variant))
    x = convolution(x, filters, 3, gain=2)
    return layers.Add()([layers.AveragePooling2D(2)(x) if shrink else x, short])


def _weights(gain: int = 1) -> keras.initializers.Initializer:
    """Glorot & Bengio's uniform distribution, its variance times this."""
    return keras.initializers.VarianceScaling(gain, "fan_avg", "uniform")
