"""DCGAN: a generator of transposed convolutions, a discriminator of strided ones. Radford, Metz & Chintala 2015.

Kernels of 5x5, N(0, 0.02) initial weights, ReLU in the generator with tanh at its end, LeakyReLU 0.2 in the
discriminator, no pooling, no hidden dense layers. Batch normalisation is an option of either network, since a gradient
penalty asks for a discriminator whose examples do not mix; the paper has it in both, not in D's first layer. Before a
batch normalisation there is no bias, which it would take away.
"""

import keras
from keras import layers

from models.config import Data, Network
from models.fit import check_network
from models.layers.activation import LeakyReLU
from models.layers.convolution import Conv2D, Conv2DTranspose
from models.networks import parts

KERNEL = 5


def generator(network: Network, data: Data) -> keras.Model:
    """Noise (with label and codes) to image.

    Returns:
        A model of {`z`: [batch, latent_size] float32 (, `label`: [batch] int) (, `code`: [batch, codes])} ->
        [batch, r, r, c] float32 in [-1, 1].

    Raises:
        ValueError: the network has fields that this architecture has not, or the data are no images.
    """
    check_network(network, data)
    base, doublings = parts.scales(data.resolution)
    channels = [network.generator_width * 2**i for i in reversed(range(doublings))]
    bias = network.generator_norm == "none"
    inputs, x = parts.generator_inputs(network, data)
    x = layers.Dense(base * base * 2 * channels[0], use_bias=bias, kernel_initializer=_weights())(x)
    x = layers.Reshape([base, base, 2 * channels[0]])(x)
    x = layers.ReLU()(parts.generator_norm(x, inputs, network, data))
    for filters, stride in zip(channels, [1] + [2] * (doublings - 1), strict=True):
        x = Conv2DTranspose(filters, KERNEL, stride, "same", use_bias=bias, kernel_initializer=_weights())(x)
        x = layers.ReLU()(parts.generator_norm(x, inputs, network, data))
        x = parts.attend(x, network, largest=data.resolution // 2)
    x = Conv2DTranspose(data.channels, KERNEL, 2, "same", kernel_initializer=_weights())(x)
    image = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, image, name="generator")


def discriminator(network: Network, data: Data) -> keras.Model:
    """Image (and label) to a logit.

    Returns:
        A model of {`x`: [batch, r, r, c * pack] in [-1, 1] (, `label`: [batch] int)} -> [batch] float32 logits, or a
        dict with further answers; see `parts.discriminator`.

    Raises:
        ValueError: the network has fields that this architecture has not, or the data are no images.
    """
    check_network(network, data)
    halvings = _halvings(data.resolution, network.discriminator_smallest_map)
    inputs = parts.discriminator_inputs(network, data)
    x = parts.with_label(inputs["x"], inputs, network, data)
    for i in range(halvings):
        if i == halvings - 1:
            x = parts.stddev(x, network)
        filters, normal = network.discriminator_width * 2**i, i > 0 and network.discriminator_norm == "batch"
        convolution = Conv2D(filters, KERNEL, 2, "same", use_bias=not normal, kernel_initializer=_weights())
        x = parts.spectral(convolution, network)(x)
        x = LeakyReLU(0.2)(parts.batch_norm(x) if normal else x)
        x = parts.attend(x, network, largest=data.resolution // 2, spectral=network.discriminator_norm == "spectral")
    return parts.discriminator(layers.Flatten()(x), inputs, network, data, _weights)


def _halvings(side: int, smallest: int) -> int:
    """How often maps are halved, rounding up, until they have at most `smallest` pixels a side."""
    return 0 if side <= smallest else 1 + _halvings(-(-side // 2), smallest)


def _weights() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)
