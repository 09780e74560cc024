import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from models.config import Images, Photographs, Points, SRResNetTranslator
from models.networks import srresnet
from tests.harness import check_all, trained
from tests.models.networks.reach import check_tile, reach

COLOUR = Images(resolution=16, channels=3)
ANY = Photographs(source="digits", crop=16)


def small(**fields):
    return SRResNetTranslator(width=4, blocks=1, **fields)


@pytest.mark.parametrize(("scale", "doublings"), [(4, 2), (2, 1)])
def test_the_full_network_is_the_published_one(scale, doublings):
    """If this fails, the full-size network is not SRGAN's generator: 16 blocks of 64 channels.

    The paper names no number. By hand, from its figure 4: 1.55 M weights for x4, with a slope a channel for each PReLU
    and a scale and a shift in the place of the bias of a convolution that is normalised.
    """
    data = Photographs(source="digits", crop=96)
    model = srresnet.translator(SRResNetTranslator(scale=scale), data)
    ends = 81 * 3 * 64 + 64 + 81 * 64 * 3 + 3
    trunk = (2 * 16 + 1) * (9 * 64 * 64 + 2 * 64)
    enlarging = doublings * (9 * 64 * 256 + 256)
    slopes = 64 * (1 + 16 + doublings)
    count = sum(int(np.prod(each.shape)) for each in model.trainable_variables)
    assert count == ends + trunk + enlarging + slopes
    if scale == 4:
        assert f"{count / 1e6:.2f}" == "1.55"


@pytest.mark.parametrize("fields", [{"scale": 2}, {"scale": 4, "norm": "none"}, {"scale": 2, "bicubic": True}])
def test_it_is_a_network_like_the_others(fields):
    check_all(lambda: srresnet.translator(small(**fields), COLOUR))


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_its_halo_is_as_far_as_it_reads(scale):
    variant = small(scale=scale, bicubic=scale == 2)
    assert reach(srresnet.translator(variant, ANY), 32, scale=scale) == variant.halo == (11 if scale == 1 else 10)
    check_tile(trained(lambda: srresnet.translator(variant, ANY)), variant.halo, scale=scale)


def test_sizes_are_those_of_squares_or_any_for_photographs():
    model = srresnet.translator(small(scale=4), COLOUR)
    assert (model.input["input"].shape, model.output_shape) == ((None, 4, 4, 3), (None, 16, 16, 3))
    model = srresnet.translator(small(scale=4), ANY)
    assert model.input["input"].shape == model.output_shape == (None, None, None, 3)
    assert model({"input": np.zeros([1, 1, 3, 3], np.float32)}).shape == (1, 4, 12, 3)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_with_bicubic_it_begins_at_the_enlargement(scale):
    """If this fails, what is learned is added to something else than what it is compared with."""
    keras.utils.set_random_seed(0)
    model = srresnet.translator(small(scale=scale, bicubic=True), Images(resolution=24))
    x = np.random.default_rng(0).uniform(-1, 1, [24 // scale, 24 // scale]).astype(np.float32)
    expected = Image.fromarray(x).resize((24, 24), Image.Resampling.BICUBIC)
    assert_allclose(model({"input": x[None, ..., None]})[0, ..., 0], expected, atol=1e-5)


class TestRefusals:
    def test_a_size_that_no_input_enlarges_to(self):
        with pytest.raises(ValueError, match=r"4 times as large: .* received 30"):
            small(scale=4).check(Images(resolution=30))
        small(scale=2).check(Images(resolution=30))

    def test_points(self):
        with pytest.raises(ValueError, match="srresnet is for images, but mixture:ring has points"):
            small().check(Points(source="mixture:ring"))

    def test_a_scale_that_is_no_power_of_two(self):
        with pytest.raises(ValueError, match=r"scale\n"):
            small(scale=3)
