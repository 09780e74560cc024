"""DCGAN: a generator of transposed convolutions, a discriminator of strided ones. Radford, Metz & Chintala 2015.

Kernels of 5x5, N(0, 0.02) initial weights, ReLU in the generator with tanh at its end, LeakyReLU 0.2 in the
discriminator, no pooling, no hidden dense layers. Batch normalisation is an option of either network, since a gradient
penalty asks for a discriminator whose examples do not mix.
"""

import keras
from keras import layers

from models.config import Data, Network

KERNEL = 5


def generator(network: Network, data: Data) -> keras.Model:
    """Noise (and label) to image.

    Returns:
        A model of {`z`: [batch, latent_size] float32 (, `label`: [batch] int)} -> [batch, r, r, c] float32 in [-1, 1].
    """
    base, doublings = _base(data.resolution)
    channels = [network.generator_width * 2**i for i in reversed(range(doublings))]
    z = layers.Input([network.latent_size], name="z")
    inputs = {"z": z}
    x = z
    if network.condition != "none":
        inputs["label"] = label = layers.Input([], dtype="int32", name="label")
        embedded = layers.Embedding(data.labels, network.latent_size, embeddings_initializer="random_normal")(label)
        x = layers.Concatenate()([x, embedded])
    x = layers.Dense(base * base * 2 * channels[0], kernel_initializer=_weights())(x)
    x = layers.Reshape([base, base, 2 * channels[0]])(x)
    x = layers.ReLU()(_normal(x, network.generator_norm))
    for filters, stride in zip(channels, [1] + [2] * (doublings - 1), strict=True):
        x = layers.Conv2DTranspose(filters, KERNEL, stride, "same", kernel_initializer=_weights())(x)
        x = layers.ReLU()(_normal(x, network.generator_norm))
    x = layers.Conv2DTranspose(data.channels, KERNEL, 2, "same", kernel_initializer=_weights())(x)
    image = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, image, name="generator")


def discriminator(network: Network, data: Data) -> keras.Model:
    """Image (and label) to a logit.

    Returns:
        A model of {`image`: [batch, r, r, c] in [-1, 1] (, `label`: [batch] int)} -> [batch] float32 logits.
    """
    _, doublings = _base(data.resolution)
    image = layers.Input([data.resolution, data.resolution, data.channels], name="image")
    inputs = {"image": image}
    x = image
    for i in range(doublings):
        x = layers.Conv2D(network.discriminator_width * 2**i, KERNEL, 2, "same", kernel_initializer=_weights())(x)
        x = layers.LeakyReLU(0.2)(_normal(x, network.discriminator_norm if i else "none"))
    x = layers.Flatten()(x)
    logit = layers.Dense(1, kernel_initializer=_weights(), dtype="float32")(x)
    if network.condition != "none":
        inputs["label"] = label = layers.Input([], dtype="int32", name="label")
        embedded = layers.Embedding(data.labels, x.shape[-1], embeddings_initializer=_weights())(label)
        logit = layers.Add(dtype="float32")([logit, layers.Dot(1, dtype="float32")([x, embedded])])
    return keras.Model(inputs, layers.Reshape([], dtype="float32")(logit), name="discriminator")


def _base(resolution: int) -> tuple[int, int]:
    """The smallest feature map's size, 4 to 7, and how often it doubles up to the resolution."""
    doublings = 0
    while resolution % 2 == 0 and resolution > 7:
        resolution, doublings = resolution // 2, doublings + 1
    return resolution, doublings


def _normal(x: keras.KerasTensor, norm: str) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=True)(x) if norm == "batch" else x


def _weights() -> keras.initializers.Initializer:
    # an instance draws the same values for every layer of one shape, so each layer gets its own
    return keras.initializers.RandomNormal(stddev=0.02)
