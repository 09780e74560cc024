"""LAPGAN at the size of the paper, and the two that are compared."""

import numpy as np

from models.gans.lapgan import LaplacianGAN
from pipeline.experiments.lapgan import FASHION_DCGAN_32, FASHION_LAPGAN, LAPGAN


class TestFullSize:
    def test_weights_are_as_many_as_the_authors(self):
        """By hand from the paper, section 4, for 8 pixels, and from its authors' code for 16 and 32.

        8 pixels: 1,200 units twice, and 600 twice. Above: 7x7, 7x7 and 5x5 of 64 channels over colours and a plane of
        noise; 5x5 and 5x5 with a stride of 2, without zeros at the edges, so that 12 or 4 pixels a side are left. Their
        plane is noise itself, ours made of 100 dimensions: a matrix of so many rows and a bias more.
        """
        gan = LaplacianGAN(LAPGAN)
        weights = {
            name: sum(int(np.prod(each.shape)) for each in network.trainable_variables)
            for name, network in gan.networks.items()
        }
        refined = (49 * 4 * 64 + 64) + (49 * 64 * 64 + 64) + (25 * 64 * 3 + 3)
        assert refined == 218_179
        convolved = (25 * 3 * 64 + 64) + (25 * 64 * 64 + 64)
        assert weights == {
            "generator_0": (100 * 1200 + 1200) + (1200 * 1200 + 1200) + (1200 * 192 + 192),
            "generator_1": refined + 101 * 16**2,
            "generator_2": refined + 101 * 32**2,
            "discriminator_0": (192 * 600 + 600) + (600 * 600 + 600) + 601,
            "discriminator_1": convolved + 64 * 4**2 + 1,
            "discriminator_2": convolved + 64 * 12**2 + 1,
        }

    def test_settings_are_the_papers(self):
        """Denton et al. 2015, section 4: a rate of 0.02, a momentum of 0.5 at first, noise in [-1, 1], dropout."""
        scheme, training = LAPGAN.scheme, LAPGAN.training
        for optimizer in (training.generator_optimizer, training.discriminator_optimizer):
            assert (optimizer.name, optimizer.learning_rate, optimizer.momentum) == ("sgd", 0.02, 0.5)
        assert (scheme.noise, scheme.generator.latent.distribution) == ((100, 100, 100), "uniform")
        assert (scheme.discriminator.dropout, scheme.objective.name) == (0.5, "non_saturating")


def test_the_pyramid_and_the_dcgan_draw_the_same_examples():
    """If this fails, what is compared is more than the scheme."""
    assert FASHION_LAPGAN.data == FASHION_DCGAN_32.data
    assert FASHION_LAPGAN.evaluation == FASHION_DCGAN_32.evaluation
    assert FASHION_LAPGAN.scheme.discriminator == FASHION_DCGAN_32.scheme.discriminator
    assert FASHION_LAPGAN.scheme.noise[0] == FASHION_DCGAN_32.latent.size
