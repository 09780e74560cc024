import numpy as np

from models.config import GanMLPDiscriminator, GanMLPGenerator, Images, Latent
from models.networks import gan_mlp

GENERATOR = GanMLPGenerator(latent=Latent(distribution="uniform"), width=1200, norm="none")
DISCRIMINATOR = GanMLPDiscriminator(width=240, norm="none", dropout=0.5)


def test_the_mnist_pair_is_the_published_one():
    generator = gan_mlp.generator(GENERATOR, Images(resolution=28))
    assert generator.count_params() == 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    discriminator = gan_mlp.discriminator(DISCRIMINATOR, Images(resolution=28))
    # 240 units of 5 pieces, twice
    weights = 784 * 1200 + 1200 + 240 * 1200 + 1200 + 240 + 1
    assert sum(int(np.prod(each.shape)) for each in discriminator.trainable_variables) == weights
    for model, bound in ((generator, 0.05), (discriminator, 0.005)):
        for variable in model.trainable_variables:
            largest = np.abs(variable).max()
            assert largest == 0 if variable.name == "bias" else 0.9 * bound < largest <= bound


def test_the_generator_is_a_rescaled_sigmoid_of_rectified_layers():
    variant = GanMLPGenerator(latent=Latent(size=3), width=5, norm="none")
    model = gan_mlp.generator(variant, Images(resolution=16))
    z = np.random.default_rng(0).normal(size=[4, 3]).astype(np.float32)
    *hidden, kernel, bias = model.get_weights()
    x = z
    for matrix, offset in zip(hidden[::2], hidden[1::2], strict=True):
        x = np.maximum(x @ matrix + offset, 0)
    expected = 2 / (1 + np.exp(-(x @ kernel + bias))) - 1
    np.testing.assert_allclose(model({"z": z}, training=False), expected.reshape(4, 16, 16, 1), rtol=1e-4, atol=1e-6)
