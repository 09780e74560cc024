import keras
import numpy as np
import pytest

from models.config import Images, Photographs, Points, UNetTranslator, Unpaired
from models.networks import unet
from tests.harness import check_all, trained
from tests.models.networks.reach import check_tile, reach

COLOUR = Images(resolution=16, channels=3)
ANY = Photographs(source="digits", crop=16)


def small(**fields):
    return UNetTranslator(width=2, **{"levels": 2} | fields)


def test_the_256_pixel_network_is_the_published_one():
    """If this fails, the full-size network is not pix2pix's: 54.41 M weights, as its authors' code counts them.

    By hand: 16 values of a kernel for each pair of channels, a bias where no normalisation follows (the authors leave
    out two of these, 576 values), a scale and a shift for each channel that is normalised.
    """
    model = unet.translator(UNetTranslator(), Images(resolution=256, channels=3))
    down = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 4 * 512 * 512)
    up = 16 * (512 * 512 + 3 * 1024 * 512 + 1024 * 256 + 512 * 128 + 256 * 64 + 128 * 3)
    norms = 2 * (128 + 256 + 4 * 512) + 2 * (4 * 512 + 256 + 128 + 64)
    count = sum(int(np.prod(each.shape)) for each in model.trainable_variables)
    assert count == down + up + norms + (64 + 512 + 3)
    assert f"{count / 1e6:.2f}" == f"{(count - 576) / 1e6:.2f}" == "54.41"
    shapes = [layer.output.shape[1:] for layer in model.layers if "conv2d" in layer.name]
    sides = [128, 64, 32, 16, 8, 4, 2, 1, 2, 4, 8, 16, 32, 64, 128, 256]
    widths = [64, 128, 256, *[512] * 5, *[512] * 4, 256, 128, 64, 3]
    assert shapes == [(side, side, width) for side, width in zip(sides, widths, strict=True)]


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_it_is_a_network_like_the_others(norm):
    check_all(lambda: unet.translator(UNetTranslator(width=8, levels=2, norm=norm), COLOUR))


def test_dropout_is_on_the_first_three_levels_of_the_decoder_in_training_alone():
    model = unet.translator(UNetTranslator(width=2, levels=6), Images(resolution=64))
    dropped = [layer for layer in model.layers if "dropout" in layer.name]
    assert [layer.output.shape[1] for layer in dropped] == [2, 4, 8]
    assert all(layer.rate == 0.5 for layer in dropped)
    x = {"input": np.random.default_rng(0).uniform(-1, 1, [2, 64, 64, 1]).astype(np.float32)}
    np.testing.assert_array_equal(model(x, training=False), model(x, training=False))
    assert (np.asarray(model(x, training=True)) != np.asarray(model(x, training=True))).any()
    without = unet.translator(UNetTranslator(width=2, levels=6, dropout=0), Images(resolution=64))
    assert not [layer for layer in without.layers if "dropout" in layer.name]


def test_skips_join_each_level_with_the_one_of_its_size():
    """If this fails, details that the smallest map cannot hold do not reach the output."""
    model = unet.translator(small(levels=3, norm="none"), COLOUR)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Concatenate):
            assert len({each.shape[1:3] for each in layer.input}) == 1
    # with the smallest map cut off, the output still tells where the input differs
    convolutions = [layer for layer in model.layers if "conv2d" in layer.name]
    convolutions[2].set_weights([np.zeros_like(each) for each in convolutions[2].get_weights()])
    x = np.zeros([1, 16, 16, 3], np.float32)
    other = x.copy()
    other[0, 1, 12] = 1
    difference = np.abs(np.asarray(model({"input": other})) - np.asarray(model({"input": x}))).max(axis=-1)[0]
    assert difference.max() > 0
    # as far as two levels read
    assert difference[1 + 9 + 1 :].max() == 0


@pytest.mark.parametrize(("levels", "side"), [(2, 32), (3, 64)])
def test_its_halo_is_as_far_as_it_reads(levels, side):
    variant = small(levels=levels)
    model = unet.translator(variant, ANY)
    assert reach(model, side, variant.size_multiple) == variant.halo == 3 * (2**levels - 1)
    check_tile(trained(lambda: unet.translator(variant, ANY)), variant.halo, multiple=variant.size_multiple)
    assert small(norm="instance").halo is None


def test_sizes_are_those_of_squares_or_any_for_photographs():
    model = unet.translator(small(), COLOUR)
    assert model.input["input"].shape == model.output_shape == (None, 16, 16, 3)
    model = unet.translator(small(), ANY)
    assert model.input["input"].shape == model.output_shape == (None, None, None, 3)
    assert model({"input": np.zeros([1, 8, 20, 3], np.float32)}).shape == (1, 8, 20, 3)


class TestRefusals:
    @pytest.mark.parametrize(("resolution", "near"), [(28, "16 or 32"), (8, "16$"), (250, "240 or 256")])
    def test_a_size_that_cannot_be_halved_so_often(self, resolution, near):
        with pytest.raises(
            ValueError, match=rf"multiples of 16; received {resolution}: .* take fewer levels.* to {near}"
        ):
            UNetTranslator(levels=4).check(Images(resolution=resolution))

    def test_a_crop_likewise(self):
        with pytest.raises(ValueError, match="multiples of 64; received 96"):
            UNetTranslator(levels=6).check(Photographs(source="digits", crop=96))

    def test_what_fits_passes(self):
        UNetTranslator(levels=4).check(Images(resolution=48))
        UNetTranslator(levels=5).check(Photographs(source="digits", crop=96))

    def test_points(self):
        points = Points(source="mixture:ring")
        for data in (points, Unpaired(input=points, target=points)):
            with pytest.raises(ValueError, match="unet is for images, but mixture:ring has points"):
                small().check(data)
