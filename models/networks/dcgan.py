"""DCGAN: a generator of transposed convolutions, a discriminator of strided ones. Radford, Metz & Chintala 2015.

N(0, 0.02) initial weights, ReLU in the generator with tanh at its end, LeakyReLU 0.2 in the discriminator, no pooling,
no hidden dense layers. Batch normalisation is an option of either variant, since a gradient penalty asks for a
discriminator whose examples do not mix; the paper has it in both, not in D's first layer. Before a batch normalisation
there is no bias, which it would take away.

The paper's kernels are 5x5. A stride of 2 does not divide them, so that some places of a map are reached by more taps
than others: a grid (Odena et al. 2016). Kernels of 4x4 have none, and 0.64 of the multiplications.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from models.config import Data, DCGANDiscriminator, DCGANGenerator
from models.config.networks.base import scales
from models.layers.activation import LeakyReLU
from models.layers.convolution import Conv2D, Conv2DTranspose
from models.networks import parts


@keras.saving.register_keras_serializable("ganworks")
class EvenWeights(keras.initializers.Initializer):
    """N(0, 0.02) weights of a transposed convolution, equal over each square of a stride: a nearest enlargement.

    Of independent weights, neighbouring places differ from the first step on. In pictures of little contrast that grid
    is as strong as all else, and is long learnt away.

    Args:
        stride: divides the sides of the kernel.

    Reference: Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution" (ICNR).
    """

    def __init__(self, stride: int):
        self.stride = stride

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """[height, width, out, in], as Keras lays out the kernel of a transposed convolution."""
        rows, columns, *channels = shape
        small = _weights()([rows // self.stride, columns // self.stride, *channels], dtype)
        return keras.ops.repeat(keras.ops.repeat(small, self.stride, axis=0), self.stride, axis=1)

    def get_config(self) -> dict[str, Any]:
        """See Keras."""
        return {"stride": self.stride}


def generator(variant: DCGANGenerator, data: Data) -> keras.Model:
    """Noise (with label and codes) to image.

    Returns:
        A model of {`z`: [batch, latent.size] float32 (, `label`: [batch] int) (, `code`: [batch, codes])} ->
        [batch, r, r, c] float32 in [-1, 1].
    """
    base, doublings = scales(data.resolution)
    channels = [variant.width * 2**i for i in reversed(range(doublings))]
    bias = variant.norm == "none"
    inputs, x = parts.generator_inputs(variant, data)
    x = layers.Dense(base * base * 2 * channels[0], use_bias=bias, kernel_initializer=_weights())(x)
    x = layers.Reshape([base, base, 2 * channels[0]])(x)
    x = layers.ReLU()(parts.generator_norm(x, inputs, variant, data))
    unstrided = variant.kernel - 1 + variant.kernel % 2  # an even kernel would move the map by half a pixel
    sizes = [(unstrided, 1)] + [(variant.kernel, 2)] * (doublings - 1)
    for filters, (kernel, stride) in zip(channels, sizes, strict=True):
        begin = EvenWeights(stride) if variant.even_start and stride > 1 else _weights()
        x = Conv2DTranspose(filters, kernel, stride, "same", use_bias=bias, kernel_initializer=begin)(x)
        x = layers.ReLU()(parts.generator_norm(x, inputs, variant, data))
        x = parts.attend(x, variant.attention, largest=data.resolution // 2)
    begin = EvenWeights(2) if variant.even_start else _weights()
    x = Conv2DTranspose(data.channels, variant.kernel, 2, "same", kernel_initializer=begin)(x)
    image = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, image, name="generator")


def discriminator(variant: DCGANDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """Image (and label) to a logit.

    Returns:
        A model of {`target`: [batch, r, r, c * pack] in [-1, 1] (, `label`: [batch] int)} -> [batch] float32 logits, or
        a dict with further answers, `codes` of them of this width; see `parts.discriminator`.
    """
    halvings = _halvings(data.resolution, variant.smallest_map)
    inputs = parts.discriminator_inputs(variant, data)
    x = parts.with_label(inputs["target"], inputs, variant, data)
    for i in range(halvings):
        if i == halvings - 1:
            x = parts.stddev(x, variant)
        filters, normal = variant.width * 2**i, i > 0 and variant.norm == "batch"
        convolution = Conv2D(filters, variant.kernel, 2, "same", use_bias=not normal, kernel_initializer=_weights())
        x = parts.spectral(convolution, variant)(x)
        x = LeakyReLU(0.2)(parts.batch_norm(x) if normal else x)
        x = parts.attend(x, variant.attention, largest=data.resolution // 2, spectral=variant.norm == "spectral")
    return parts.discriminator(layers.Flatten()(x), inputs, variant, data, codes, _weights)


def _halvings(side: int, smallest: int) -> int:
    """How often maps are halved, rounding up, until they have at most `smallest` pixels a side."""
    return 0 if side <= smallest else 1 + _halvings(-(-side // 2), smallest)


def _weights() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)
