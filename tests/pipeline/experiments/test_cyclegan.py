"""CycleGAN at the size of the paper, and what the smaller ones are trained on."""

import numpy as np
import pytest

from models.gans.base import builder
from models.gans.cycle import CycleGAN
from pipeline.experiments.cyclegan import CYCLEGAN, EMOJI_CYCLEGAN, MAPS_CYCLEGAN
from pipeline.experiments.named import MAPS_PIX2PIX


class TestFullSize:
    def test_weights_are_as_many_as_the_papers(self):
        """If this fails, `cyclegan` is not CycleGAN's: 11.38 M and 2.76 M weights, as its authors' code prints them.

        By hand from that code, which has a bias in each convolution and no scale and shift of a normalisation, where
        ours has these two instead of the bias: one weight more for each channel that is normalised.
        """
        counted = {
            kind: sum(int(np.prod(each.shape)) for each in builder(CYCLEGAN, kind)().trainable_variables)
            for kind in ("translator", "discriminator")
        }
        translated = 64 + 128 + 256 + 9 * 2 * 256 + 128 + 64
        judged = 128 + 256 + 512
        assert f"{(counted['translator'] - translated) / 1e6:.2f}" == "11.38"
        assert f"{(counted['discriminator'] - judged) / 1e6:.2f}" == "2.76"

    def test_settings_are_the_papers(self):
        """Zhu et al. 2017, sections 4 and 5.2; the cycle weight of 10 stands beside squares without a half."""
        scheme, training = CYCLEGAN.scheme, CYCLEGAN.training
        assert (2 * scheme.cycle_weight, scheme.identity_weight, scheme.pool_size) == (10, 0.5, 50)
        assert (scheme.objective.name, training.batch_size, training.steps) == ("least_squares", 1, 200 * 1_334)
        for optimizer in (training.generator_optimizer, training.discriminator_optimizer):
            assert (optimizer.name, optimizer.learning_rate, optimizer.beta_1) == ("adam", 2e-4, 0.5)
            assert optimizer.schedule == "half_linear"
        assert CYCLEGAN.data.shape == (256, 256, 3)

    def test_two_folders_are_named_by_a_source_and_a_setting(self):
        """If this fails, docs/your-own-images.md says how to do what cannot be done."""
        settings = [f"{CYCLEGAN.data.source_path}=folder:horses", "data.target.source=folder:zebras"]
        assert CYCLEGAN.override(settings).data.sources == ("folder:horses", "folder:zebras")


def test_maps_are_those_of_the_upper_bound():
    """If this fails, what pairs can reach was measured on other blocks."""
    whole, data = MAPS_PIX2PIX.data, MAPS_CYCLEGAN.data.held_out
    assert data == whole.model_copy(update={"resolution": data.resolution})


@pytest.mark.parametrize("experiment", [MAPS_CYCLEGAN, EMOJI_CYCLEGAN])
def test_small_ones_translate_both_ways(experiment):
    gan = CycleGAN(experiment)
    assert gan.samplers().keys() == {"serving_default", "reverse"}
    assert not gan.task.paired(experiment.data.columns)
    assert gan.task.paired(experiment.data.held_out.columns)
