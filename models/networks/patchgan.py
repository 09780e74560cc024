"""PatchGAN: a discriminator that judges each patch of an image by itself, and gives a map of logits.

Convolutions of 4x4, LeakyReLU 0.2, no normalisation of the first and the last; N(0, 0.02) initial weights. After the
halvings come two convolutions without a stride, each of which takes one place off, as in the authors' code: 256 pixels
become 30 x 30 logits. With `layers` 0, 1x1 convolutions judge single pixels.

The published choices are norm batch and the pair of input and target for pix2pix, norm instance and the target alone
for CycleGAN, 3 layers for both.

Reference: Isola, Zhu, Zhou & Efros 2017, sections 3.2.2 and 6.1.2; Li & Wand 2016.
"""

import math

import keras
from keras import layers

from models.config import Data, PatchGANDiscriminator
from models.layers.activation import LeakyReLU
from models.layers.convolution import Conv2D
from models.networks import parts, translating


def receptive_field(halvings: int) -> int:
    """Pixels a side of the patch that a logit is decided by: 70 for 3 halvings, 1 for none."""
    side = 7 if halvings else 1
    for _ in range(halvings):
        side = 2 * side + 2
    return side


def discriminator(variant: PatchGANDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """Image (with its input, and label) to a map of logits.

    Returns:
        A model of {`target`: [batch, r, r, c * pack] in [-1, 1] (, `input`: likewise) (, `label`: [batch] int)} ->
        [batch, h, w] float32 logits, one a patch; or, with an auxiliary classifier or codes, a dict of `logit` and of
        `label` [batch, classes] logits, `code` [batch, codes]. These, and a projection, are read off the mean over all
        places.
    """
    inputs = parts.discriminator_inputs(variant, data)
    x = inputs["target"]
    if variant.takes_input:
        taken = next(column for column in data.columns if column.role == "input")
        *sides, channels = taken.shape
        inputs["input"] = layers.Input([*sides, channels * variant.pack], name="input")
        x = layers.Concatenate()([inputs["input"], x])
    x = parts.with_label(x, inputs, variant, data)
    for i in range(variant.layers):
        x = _layer(x, variant, i, kernel=4, stride=2)
    if not variant.layers:
        x = _layer(x, variant, 0, kernel=1)
    x = parts.stddev(x, variant)
    x = _layer(x, variant, max(variant.layers, 1), kernel=4 if variant.layers else 1)
    return _answers(x, inputs, variant, data, codes)


def _layer(
    x: keras.KerasTensor, variant: PatchGANDiscriminator, number: int, *, kernel: int, stride: int = 1
) -> keras.KerasTensor:
    """A convolution, its norm but for the first, and what is not linear."""
    norm = variant.norm if number else "none"
    normal = norm in ("batch", "instance")
    x = _convolution(variant, variant.width * min(2**number, 8), kernel, stride, bias=not normal)(x)
    x = _trimmed(x, kernel, stride)
    return LeakyReLU(0.2)(translating.norm_layer(norm)(x) if normal else x)


def _convolution(
    variant: PatchGANDiscriminator, filters: int, kernel: int, stride: int = 1, *, bias: bool = True, **more: str
) -> layers.Layer:
    layer = Conv2D(filters, kernel, stride, "same", use_bias=bias, kernel_initializer=translating.weights(), **more)
    return parts.spectral(layer, variant)


def _trimmed(x: keras.KerasTensor, kernel: int, stride: int) -> keras.KerasTensor:
    """Takes the last row and column off, which a convolution of 4x4 with one zero at each edge does not have."""
    return layers.Cropping2D(((0, 1), (0, 1)), dtype=x.dtype)(x) if kernel == 4 and stride == 1 else x


def _answers(
    x: keras.KerasTensor, inputs: parts.Inputs, variant: PatchGANDiscriminator, data: Data, codes: int
) -> keras.Model:
    kernel = 4 if variant.layers else 1
    logit = _trimmed(_convolution(variant, 1, kernel, dtype="float32")(x), kernel, 1)
    logit = layers.Reshape(logit.shape[1:3], dtype="float32")(logit)
    mean = layers.GlobalAveragePooling2D(dtype="float32")(x)
    if variant.condition == "projection":
        embedding = layers.Embedding(data.classes, x.shape[-1], embeddings_initializer=translating.weights())
        embedded = parts.spectral(embedding, variant)(inputs["label"])
        match = layers.Dot(1, dtype="float32")([mean, embedded])
        # at each place: Keras adds [batch, 1, 1] to columns where a map has as many of them as a batch has rows
        match = layers.RepeatVector(math.prod(logit.shape[1:]), dtype="float32")(match)
        logit = layers.Add(dtype="float32")([logit, layers.Reshape(logit.shape[1:], dtype="float32")(match)])
    answers = {"logit": logit}
    sizes = {"label": data.classes if variant.condition == "auxiliary" else 0, "code": codes}
    for name, size in sizes.items():
        if size:
            answers[name] = layers.Dense(size, kernel_initializer=translating.weights(), dtype="float32")(mean)
    return keras.Model(inputs, answers if len(answers) > 1 else logit, name="discriminator")
