from itertools import pairwise

import keras
import numpy as np

from models.config import Images, Latent, ResNetDiscriminator, ResNetGenerator
from models.layers.attention import SelfAttention
from models.layers.normalization import ConditionalBatchNormalization, SpectralNormalization
from models.networks import resnet

GENERATOR = ResNetGenerator(latent=Latent(size=128), condition="batch_norm")
DISCRIMINATOR = ResNetDiscriminator(condition="projection", norm="spectral")


def test_the_128_pixel_pair_is_the_published_one():
    # weights of the authors' networks for 1000 classes, counted by hand
    def count(variables):
        return sum(int(np.prod(each.shape)) for each in variables)

    def block(inner, hidden, outer):
        return 9 * (inner * hidden + hidden * outer) + hidden + outer + inner * outer + outer

    data, classes = Images(resolution=128, channels=3, classes=1000), 1000
    widths = [1024, 1024, 512, 256, 128, 64]
    generator = 128 * 16 * 1024 + 16 * 1024 + 9 * 64 * 3 + 3
    generator += sum(block(i, o, o) + 2 * classes * (i + o) for i, o in pairwise(widths))
    # the last normalisation: the authors' has one scale and shift, ours one a class
    generator += 2 * classes * 64
    assert count(resnet.generator(GENERATOR, data).trainable_variables) == generator
    widths = [64, 128, 256, 512, 1024]
    discriminator = block(3, 64, 64) + sum(block(i, i, o) for i, o in pairwise(widths))
    discriminator += 2 * (9 * 1024 * 1024 + 1024) + 1024 + 1 + classes * 1024
    assert count(resnet.discriminator(DISCRIMINATOR, data).trainable_variables) == discriminator


def test_all_of_the_discriminator_is_spectrally_normalised():
    data = Images(resolution=32, classes=3)
    model = resnet.discriminator(DISCRIMINATOR.model_copy(update={"width": 2, "attention": True}), data)
    (attention,) = [each for each in model.layers if isinstance(each, SelfAttention)]
    layers = [*model.layers, attention.query, attention.key, attention.value, attention.attended]
    # 4 blocks of 2, 3 shortcuts, 4 of the attention, the logit and the projection
    assert sum(isinstance(each, SpectralNormalization) for each in layers) == 17
    assert not [each for each in layers if isinstance(each, keras.layers.Conv2D | keras.layers.Dense)]


def test_every_norm_of_the_generator_reads_the_label():
    data = Images(resolution=32, classes=3)
    model = resnet.generator(GENERATOR.model_copy(update={"width": 2}), data)
    assert sum(isinstance(layer, ConditionalBatchNormalization) for layer in model.layers) == 2 * 3 + 1
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
