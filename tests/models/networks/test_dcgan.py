import pytest

from models.config import Data, Network
from models.networks import dcgan
from tests.harness import check_network


@pytest.mark.parametrize("resolution", [16, 28, 32, 64, 128])
@pytest.mark.parametrize("condition", ["none", "embedding"])
def test_shapes_range_and_conditioning(resolution, condition):
    network = Network(latent_size=4, generator_width=4, discriminator_width=4, condition=condition)
    check_network("dcgan", network, Data(resolution=resolution, channels=3, labels=3))


def test_the_28_pixel_generator_is_the_published_one():
    # 100 -> 7x7x256 -> 128 -> 64 -> 1 with kernels of 5x5: kernels and biases counted by hand
    model = dcgan.generator(Network(generator_norm="none", generator_width=64), Data(resolution=28))
    dense = 100 * 7 * 7 * 256 + 7 * 7 * 256
    convolutions = 25 * (256 * 128 + 128 * 64 + 64 * 1) + 128 + 64 + 1
    assert model.count_params() == dense + convolutions
