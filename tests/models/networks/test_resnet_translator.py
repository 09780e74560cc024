import numpy as np
import pytest

from models.config import Images, Photographs, Points, ResNetTranslator
from models.networks import resnet_translator
from tests.harness import check_all, trained
from tests.models.networks.reach import check_tile, reach

COLOUR = Images(resolution=12, channels=3)
ANY = Photographs(source="digits", crop=16)


def small(**fields):
    return ResNetTranslator(width=2, **{"blocks": 1} | fields)


@pytest.mark.parametrize(("blocks", "millions"), [(9, "11.38"), (6, "7.84")])
def test_the_full_networks_are_the_published_ones(blocks, millions):
    """If this fails, the full-size network is not CycleGAN's: 11.38 M weights, as its authors' code counts them.

    By hand: their PyTorch code has a bias for each convolution and no scale and shift in its instance normalisation;
    ours has these two instead of the bias, but for the last convolution.
    """
    model = resnet_translator.translator(ResNetTranslator(blocks=blocks), Images(resolution=256, channels=3))
    kernels = 49 * 3 * 64 + 9 * (64 * 128 + 128 * 256) + blocks * 2 * 9 * 256 * 256
    kernels += 9 * (256 * 128 + 128 * 64) + 49 * 64 * 3
    channels = 64 + 128 + 256 + blocks * 2 * 256 + 128 + 64
    assert model.count_params() == kernels + 2 * channels + 3
    assert f"{model.count_params() / 1e6:.2f}" == f"{(kernels + channels + 3) / 1e6:.2f}" == millions
    sides = {layer.output.shape[1] for layer in model.layers if layer.name.startswith("add")}
    assert sides == {64}


# with few channels and large maps, as the statistics of small ones enlarge what bfloat16 rounds
@pytest.mark.parametrize(("norm", "width"), [("instance", 1), ("batch", 8), ("none", 8)])
def test_it_is_a_network_like_the_others(norm, width):
    data = Images(resolution=24)
    check_all(lambda: resnet_translator.translator(ResNetTranslator(width=width, blocks=1, norm=norm), data))


@pytest.mark.parametrize(("blocks", "side"), [(1, 56), (2, 72)])
def test_its_halo_is_as_far_as_it_reads(blocks, side):
    variant = small(blocks=blocks, norm="batch")
    assert reach(resnet_translator.translator(variant, ANY), side, 4) == variant.halo == 8 * blocks + 12
    check_tile(trained(lambda: resnet_translator.translator(variant, ANY)), variant.halo, multiple=4)


def test_instance_normalisation_reads_the_whole_image():
    """If this fails, a network is cut into tiles whose colours do not match."""
    variant = small()
    assert variant.halo is None
    model = resnet_translator.translator(variant, ANY)
    image = np.random.default_rng(0).uniform(-1, 1, [1, 64, 64, 3]).astype(np.float32)
    other = image.copy()
    other[0, 0, 0] += 5
    assert (np.asarray(model({"input": other})) != np.asarray(model({"input": image})))[0, -1, -1].any()


def test_sizes_are_those_of_squares_or_any_for_photographs():
    model = resnet_translator.translator(small(), COLOUR)
    assert model.input["input"].shape == model.output_shape == (None, 12, 12, 3)
    model = resnet_translator.translator(small(), ANY)
    assert model.input["input"].shape == model.output_shape == (None, None, None, 3)
    assert model({"input": np.zeros([1, 8, 20, 3], np.float32)}).shape == (1, 8, 20, 3)


class TestRefusals:
    def test_a_size_that_is_no_multiple_of_four(self):
        with pytest.raises(ValueError, match=r"multiples of 4; received 30: .* to 28 or 32"):
            small().check(Images(resolution=30))

    def test_a_size_whose_quarter_has_no_edge_to_mirror(self):
        with pytest.raises(ValueError, match="at least 8 pixels; received 4"):
            small().check(Images(resolution=4))
        small().check(Images(resolution=8))
        resnet_translator.translator(small(), Images(resolution=8))

    def test_points(self):
        with pytest.raises(ValueError, match="resnet is for images, but mixture:ring has points"):
            small().check(Points(source="mixture:ring"))
