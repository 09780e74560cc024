import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.config import Data, Images, Pairs, PatchGANDiscriminator, Photographs, Points
from models.layers.instance_normalization import InstanceNormalization
from models.layers.normalization import SpectralNormalization
from models.networks import patchgan
from tests.harness import check_all, trained
from tests.models.networks.reach import touched

COLOUR = Images(resolution=16, channels=3, classes=3)


PAIRS = Pairs(source="folder:drawings", resolution=16, input_channels=1)


def small(**fields):
    return PatchGANDiscriminator(width=8, **{"layers": 1} | fields)


def counted(model):
    return sum(int(np.prod(each.shape)) for each in model.trainable_variables)


class TestPublished:
    def test_pix2pix_at_256_pixels(self):
        """If this fails, the full-size discriminator is not pix2pix's 70x70 one: 2.77 M weights, 30 x 30 logits.

        By hand, as the authors' code counts: 16 values a pair of channels, a bias where nothing is normalised, a scale
        and a shift where it is.
        """
        data = Pairs(source="folder:drawings", resolution=256, input_channels=1)
        variant = PatchGANDiscriminator(pairs=True)
        model = patchgan.discriminator(variant, data)
        hidden = 16 * (64 * 128 + 128 * 256 + 256 * 512) + 2 * (128 + 256 + 512)
        # here a pair has 1 + 3 channels, there 3 + 3
        assert counted(model) == 16 * 4 * 64 + 64 + hidden + 16 * 512 + 1
        assert f"{(counted(model) + 16 * 2 * 64) / 1e6:.2f}" == "2.77"
        assert model.output_shape == (None, 30, 30)
        normed = [layer.output.shape[1:] for layer in model.layers if "batch_norm" in layer.name]
        assert normed == [(64, 64, 128), (32, 32, 256), (31, 31, 512)]

    def test_cyclegan_at_256_pixels(self):
        """If this fails, the full-size discriminator is not CycleGAN's: 2.76 M weights by its authors' code."""
        variant = PatchGANDiscriminator(norm="instance")
        model = patchgan.discriminator(variant, Images(resolution=256, channels=3))
        kernels = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)
        # theirs has biases where ours has scales and shifts
        assert counted(model) == kernels + 64 + 2 * (128 + 256 + 512) + 1
        assert f"{(kernels + 64 + 128 + 256 + 512 + 1) / 1e6:.2f}" == "2.76"

    # the sizes that the paper names are 1, 16, 70 and 286
    @pytest.mark.parametrize(("layers", "side"), [(0, 1), (1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
    def test_sizes_of_patches(self, layers, side):
        assert patchgan.receptive_field(layers) == side

    @pytest.mark.parametrize(("layers", "map_"), [(0, 256), (1, 126), (2, 62), (3, 30), (4, 14), (5, 6)])
    def test_sizes_of_maps(self, layers, map_):
        variant = PatchGANDiscriminator(width=1, layers=layers)
        model = patchgan.discriminator(variant, Images(resolution=256))
        assert model.output_shape == (None, map_, map_)


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_a_logit_reads_its_patch_and_no_more(layers):
    """If this fails, `layers` does not choose how much of an image is judged together."""
    variant = PatchGANDiscriminator(width=1, layers=layers, norm="none")
    field = patchgan.receptive_field(layers)
    side = field + 4 * 2**layers
    model = patchgan.discriminator(variant, Images(resolution=side))
    middle = side // 2
    read = touched(model, side, [(middle, column) for column in range(side)], "target")
    # a logit in the middle of the map is read from so many columns
    rows, columns = read.shape[1:]
    reading = read[:, rows // 2, columns // 2]
    assert reading.sum() == field
    assert np.flatnonzero(reading)[-1] - np.flatnonzero(reading)[0] == field - 1


@pytest.mark.parametrize(
    "fields",
    [
        {"norm": "batch", "layers": 0},
        {"norm": "instance", "condition": "projection"},
        {"norm": "spectral", "condition": "embedding", "batch_statistics": "stddev"},
        {"norm": "none", "condition": "concatenation"},
        {"norm": "none", "condition": "auxiliary", "layers": 2},
    ],
)
def test_it_is_a_network_like_the_others(fields):
    check_all(lambda: patchgan.discriminator(small(**fields), COLOUR))


def test_it_judges_pairs_as_networks_like_the_others():
    check_all(lambda: patchgan.discriminator(small(pairs=True, pack=2), PAIRS))
    model = patchgan.discriminator(small(pairs=True, pack=2), PAIRS)
    assert model.input["input"].shape == (None, 16, 16, 2)
    assert model.input["target"].shape == (None, 16, 16, 6)


def test_heads_are_of_the_whole_image():
    model = trained(lambda: patchgan.discriminator(small(norm="none", condition="auxiliary"), COLOUR, codes=5))
    x = np.random.default_rng(0).uniform(-1, 1, [4, 16, 16, 3]).astype(np.float32)
    answers = model({"target": x})
    assert {name: tuple(each.shape) for name, each in answers.items()} == {
        "logit": (4, 6, 6),
        "label": (4, 3),
        "code": (4, 5),
    }
    # the head's dense layer, by hand, of the last hidden map
    hidden = [layer for layer in model.layers if isinstance(layer, keras.layers.LeakyReLU)][-1]
    means = np.asarray(keras.Model(model.input, hidden.output)({"target": x})).mean(axis=(1, 2))
    head = next(layer for layer in model.layers if isinstance(layer, keras.layers.Dense) and layer.units == 5)
    assert_allclose(answers["code"], means @ head.kernel + head.bias, atol=1e-5)


def test_norms_are_in_every_hidden_layer_but_the_first():
    data = Images(resolution=64)

    def count(norm, kind):
        model = patchgan.discriminator(PatchGANDiscriminator(width=1, norm=norm), data)
        return sum(isinstance(layer, kind) for layer in model.layers)

    assert count("batch", keras.layers.BatchNormalization) == 3
    assert count("instance", InstanceNormalization) == 3
    # of the weights, the first and the last as well
    assert count("spectral", SpectralNormalization) == 5
    assert count("none", (keras.layers.BatchNormalization, InstanceNormalization, SpectralNormalization)) == 0


class TestRefusals:
    @pytest.mark.parametrize(("layers", "least"), [(1, 6), (2, 12), (3, 24), (5, 96)])
    def test_an_image_that_leaves_no_place_to_judge(self, layers, least):
        variant = PatchGANDiscriminator(width=1, layers=layers)
        with pytest.raises(ValueError, match=f"at least {least} pixels a side; received {least - 1}: take fewer"):
            variant.check(Images(resolution=least - 1))
        variant.check(Images(resolution=least))
        assert patchgan.discriminator(variant, Images(resolution=least)).output_shape == (None, 1, 1)

    def test_pairs_of_data_without_any(self):
        for data in (COLOUR, Photographs(source="digits")):
            with pytest.raises(ValueError, match=r"data\.name=\w+ has no pairs: set pairs=false"):
                small(pairs=True).check(data)
        small(pairs=True).check(PAIRS)

    def test_points(self):
        points: Data = Points(source="mixture:ring")
        with pytest.raises(ValueError, match="patchgan is for images, but mixture:ring has points"):
            small().check(points)

    @pytest.mark.parametrize("fields", [{"batch_statistics": "discrimination"}, {"norm": "layer"}, {"depth": 2}])
    def test_what_it_lacks(self, fields):
        with pytest.raises(ValueError, match=next(iter(fields))):
            small(**fields)
