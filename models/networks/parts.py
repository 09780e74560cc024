"""What every architecture is made with: its inputs, norms and conditions, and what a discriminator answers."""

import math
from collections.abc import Callable

import keras
from keras import layers

from models.config import Data, Discriminator, NoiseGenerator, PointsTranslator
from models.layers.attention import SelfAttention
from models.layers.batch_normalization import BatchNormalization
from models.layers.minibatch import MinibatchDiscrimination, MinibatchStddev
from models.layers.normalization import ConditionalBatchNormalization, SpectralNormalization

Inputs = dict[str, keras.KerasTensor]
Weights = Callable[[], keras.initializers.Initializer]
"""Makes an initializer. One instance draws the same values for every layer of one shape, so each layer gets its own."""

ATTENTION_SIZE = 16


def generator_inputs(variant: NoiseGenerator, data: Data) -> tuple[Inputs, keras.KerasTensor]:
    """The generator's inputs, and the vector of all that it is driven by.

    Returns:
        `z` [batch, size] standard normal (, `label` [batch] int) (, `code` [batch, codes]); and [batch, size] of
        z, made uniform in [-1, 1] where the variant asks for that, the label's one-hot vector or embedding, and codes.

    Reference: Mirza & Osindero 2014 (concatenation), Chen et al. 2016 (codes).
    """
    z = layers.Input([variant.latent.size], name="z")
    # the distribution function of the normal distribution, from [0, 1] to [-1, 1]
    inputs, driving = {"z": z}, [keras.ops.erf(z / math.sqrt(2)) if variant.latent.distribution == "uniform" else z]
    if variant.conditional:
        inputs["label"] = label = layers.Input([], dtype="int32", name="label")
        if variant.condition == "concatenation":
            driving.append(keras.ops.one_hot(label, data.classes))
        if variant.condition == "embedding":
            embedding = layers.Embedding(data.classes, variant.latent.size, embeddings_initializer="random_normal")
            driving.append(embedding(label))
    if codes := variant.codes:
        inputs["code"] = layers.Input([codes], name="code")
        driving.append(inputs["code"])
    return inputs, layers.Concatenate()(driving) if len(driving) > 1 else driving[0]


def generator_norm(
    x: keras.KerasTensor, inputs: Inputs, variant: NoiseGenerator | PointsTranslator, data: Data
) -> keras.KerasTensor:
    """Normalises as the generator's hidden layers do it, by the label where that is the condition."""
    if isinstance(variant, NoiseGenerator) and variant.condition == "batch_norm":
        return ConditionalBatchNormalization(data.classes)([x, inputs["label"]])
    return batch_norm(x) if variant.norm == "batch" else x


def batch_norm(x: keras.KerasTensor) -> keras.KerasTensor:
    """Normalises over the batch of all replicas."""
    return BatchNormalization()(x)


def attend(x: keras.KerasTensor, wanted: bool, *, largest: int, spectral: bool = False) -> keras.KerasTensor:
    """Adds self-attention where x is the network's map for that: of 16 pixels, or the largest below.

    Args:
        x: a hidden map, [batch, size, size, channels].
        wanted: whether the network has attention.
        largest: the size of the network's largest hidden map.
        spectral: whether the attention's weights are spectrally normalised.
    """
    while largest > ATTENTION_SIZE:
        largest //= 2
    return SelfAttention(spectral)(x) if wanted and x.shape[1] == largest else x


def discriminator_inputs(variant: Discriminator, data: Data) -> Inputs:
    """`target` [batch, ...] of `pack` examples behind one another on the last axis (, `label` [batch] int if read)."""
    *inner, channels = data.shape
    inputs = {"target": layers.Input([*inner, channels * variant.pack], name="target")}
    if variant.condition not in ("none", "auxiliary"):
        inputs["label"] = layers.Input([], dtype="int32", name="label")
    return inputs


def with_label(x: keras.KerasTensor, inputs: Inputs, variant: Discriminator, data: Data) -> keras.KerasTensor:
    """Puts the label beside x, where the discriminator reads it there.

    `concatenation` adds its one-hot vector, at each place of an image; `embedding` as much again as x has, learned.
    """
    if variant.condition not in ("concatenation", "embedding"):
        return x
    *inner, channels = x.shape[1:]
    if variant.condition == "concatenation":
        label = keras.ops.one_hot(inputs["label"], data.classes)
        label = layers.Reshape([*inner, data.classes])(layers.RepeatVector(math.prod(inner))(label))
    else:
        label = layers.Embedding(data.classes, math.prod(inner) * channels)(inputs["label"])
        label = layers.Reshape([*inner, channels])(label)
    return layers.Concatenate()([x, label])


def spectral(layer: layers.Layer, variant: Discriminator) -> layers.Layer:
    """A layer of the discriminator, its matrix normalised where the network says so."""
    return SpectralNormalization(layer) if variant.norm == "spectral" else layer


def discriminator_norm(x: keras.KerasTensor, variant: Discriminator) -> keras.KerasTensor:
    """Normalises as the discriminator's hidden layers do it."""
    return batch_norm(x) if variant.norm == "batch" else x


def stddev(x: keras.KerasTensor, variant: Discriminator) -> keras.KerasTensor:
    """Adds the deviation over a group, where the network has it: for the input of the last hidden layer."""
    return MinibatchStddev(variant.batch_group)(x) if variant.batch_statistics == "stddev" else x


def discriminator(
    x: keras.KerasTensor, inputs: Inputs, variant: Discriminator, data: Data, codes: int, weights: Weights
) -> keras.Model:
    """The discriminator whose last hidden layer is x.

    Args:
        x: [batch, features].
        inputs: what `discriminator_inputs` gave.
        variant: says what is asked.
        data: says how many classes there are.
        codes: the width of the codes that are asked for; 0 for none.
        weights: of the answers' layers.

    Returns:
        A model of the inputs -> [batch] float32 logits; or, with an auxiliary classifier or codes, a dict of `logit`
        [batch], `label` [batch, classes] logits, `code` [batch, codes]: logits of the category, then means of the
        continuous codes.

    Reference: Miyato & Koyama 2018 (projection), Odena, Olah & Shlens 2017 (AC-GAN), Chen et al. 2016 (InfoGAN).
    """
    if variant.batch_statistics == "discrimination":
        x = MinibatchDiscrimination(variant.batch_group)(x)
    logit = spectral(layers.Dense(1, kernel_initializer=weights(), dtype="float32"), variant)(x)
    if "label" in inputs and variant.condition == "projection":
        embedding = layers.Embedding(data.classes, x.shape[-1], embeddings_initializer=weights())
        embedded = spectral(embedding, variant)(inputs["label"])
        logit = layers.Add(dtype="float32")([logit, layers.Dot(1, dtype="float32")([x, embedded])])
    answers = {"logit": layers.Reshape([], dtype="float32")(logit)}
    auxiliary = variant.condition == "auxiliary"
    sizes = {
        "label": data.classes if auxiliary else 0,
        "code": codes,
    }
    for name, size in sizes.items():
        if size:
            # no spectral norm: what bounds the slope of a critic would keep a classifier from being sure
            answers[name] = layers.Dense(size, kernel_initializer=weights(), dtype="float32")(x)
    return keras.Model(inputs, answers if len(answers) > 1 else answers["logit"], name="discriminator")
