import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.config import DeconvolutionTranslator, Experiment, Images, Photographs, Points
from models.degradations import known_kernel
from models.kernels import blurred, motion, wiener
from models.layers.wiener import WienerFilter, repeated_edges
from models.networks import deconvolution
from models.randomness import key
from tests.harness import check_all, trained
from tests.models.networks.reach import check_tile, reach
from tests.translators import deblurrer, told_deblurrer, translator

ANY = Photographs(source="digits", crop=16)


def small(**fields):
    return DeconvolutionTranslator(**{"width": 4, "blocks": 1, "side": 5, "support": 9} | fields)


GIVEN = small(kernel="given")


@pytest.mark.parametrize("variant", [small(), GIVEN], ids=["known", "given"])
def test_it_is_a_network_like_the_others(variant):
    check_all(lambda: deconvolution.translator(variant, Images(resolution=16, channels=3)))


@pytest.mark.parametrize("variant", [small(), GIVEN], ids=["known", "given"])
def test_its_halo_is_as_far_as_it_reads(variant):
    """If this fails, a large photograph that is restored in tiles shows their edges."""
    assert reach(of_images(deconvolution.translator(variant, ANY)), 40) == variant.halo == 15
    check_tile(of_images(trained(lambda: deconvolution.translator(variant, ANY))), variant.halo)


def of_images(model):
    """A network of images alone: one that takes kernels is given the same always."""
    if "kernel" not in model.input:
        return model
    x, kernel = keras.Input([None, None, 3], name="input"), motion(key(0, 0, "test"), 1, 5)
    given = keras.layers.Lambda(lambda x: tf.repeat(kernel, tf.shape(x)[0], axis=0), output_shape=(5, 5))(x)
    return keras.Model({"input": x}, model({"input": x, "kernel": given}))


def test_it_begins_at_the_answer_of_the_wiener_filter():
    """If this fails, what is learned is added to something else than what it is compared with."""
    keras.utils.set_random_seed(0)
    model = deconvolution.translator(small(kernel="known_gaussian_blur", noise=0.05), ANY)
    x = np.random.default_rng(0).uniform(-1, 1, [2, 20, 17, 3]).astype(np.float32)
    filters = wiener(known_kernel("known_gaussian_blur", 5), 0.05, 9)
    expected = blurred(tf.constant(np.pad(x, [(0, 0), (4, 4), (4, 4), (0, 0)], "edge")), filters)
    assert_allclose(model({"input": x}), expected, atol=1e-5)


def test_it_begins_at_the_answer_of_the_filter_of_each_kernel_that_is_given():
    """If this fails, a picture is restored by the kernel of another one."""
    keras.utils.set_random_seed(0)
    model = deconvolution.translator(small(kernel="given", noise=0.05), ANY)
    x = np.random.default_rng(0).uniform(-1, 1, [2, 20, 17, 3]).astype(np.float32)
    kernels = motion(key(0, 0, "test"), 2, 5).numpy()
    made = model({"input": x, "kernel": kernels})
    for row in range(2):
        filters = wiener(tf.constant(kernels[row : row + 1]), 0.05, 9)
        wide = np.pad(x[row : row + 1], [(0, 0), (4, 4), (4, 4), (0, 0)], "edge")
        assert_allclose(made[row : row + 1], blurred(tf.constant(wide), filters), atol=1e-5)


def test_an_image_smaller_than_the_filter_has_its_edges_repeated():
    x = np.random.default_rng(1).uniform(-1, 1, [1, 2, 3, 1]).astype(np.float32)
    assert_allclose(repeated_edges(tf.constant(x), 4), np.pad(x, [(0, 0), (4, 4), (4, 4), (0, 0)], "edge"))


@pytest.mark.parametrize("kernel", ["known_motion_blur", "given"])
def test_the_layer_is_made_again_from_its_configuration(kernel):
    layer = WienerFilter(kernel, 5, 0.1, 9)
    again = WienerFilter.from_config(layer.get_config())
    x, given = np.random.default_rng(0).uniform(-1, 1, [2, 8, 8, 3]).astype(np.float32), motion(key(0, 0, "test"), 2, 5)
    np.testing.assert_array_equal(again(x, given), layer(x, given))


class TestRefusals:
    @pytest.mark.parametrize("name", ["side", "support"])
    def test_a_kernel_without_a_middle(self, name):
        with pytest.raises(ValueError, match=f"{name} is odd; received 6"):
            small(**{name: 6}).check(ANY)

    def test_points(self):
        with pytest.raises(ValueError, match="deconvolution is for images, but mixture:ring has points"):
            small().check(Points(source="mixture:ring"))

    def test_another_kernel_or_noise_than_there_is(self):
        """If this fails, a restorer is trained to undo what was not done."""
        with pytest.raises(ValueError, match=r"knows those of scheme.degradations; received .*0.02"):
            deblurrer().override(["scheme.generator.noise=0.05"])

    @pytest.mark.parametrize(
        ("degradations", "told"),
        [
            ({"noise": 0.02}, "undoes one blur: .* gaussian_blur, .*; received none of them"),
            ({"gaussian_blur": 3, "motion_blur": 5}, "undoes one blur: .*; received gaussian_blur, motion_blur"),
            ({"motion_blur": 3, "noise": 0.02}, "received .*'motion_blur': 3.* and of scheme.generator .*: 5"),
            ({"motion_blur": 5}, "knows those of scheme.degradations"),
        ],
    )
    def test_a_kernel_that_is_given_is_that_of_one_blur(self, degradations, told):
        """If this fails, a training begins of a network that nobody can give a kernel."""
        reach = sum(side // 2 for name, side in degradations.items() if name != "noise")
        with pytest.raises(ValueError, match=told):
            told_deblurrer(degradations=degradations, margin=reach or None)

    def test_a_scheme_that_gives_no_kernel(self):
        cycle = translator(Images(resolution=16, channels=3))
        with pytest.raises(ValueError, match=r"deconvolution takes a kernel beside each example, .* cycle does not"):
            cycle.override(["scheme.generator.name=deconvolution", "scheme.generator.kernel=given"])

    @pytest.mark.parametrize(
        ("setting", "told"), [("data.margin=3", "set data.margin to 2"), ("data.margin=null", "2")]
    )
    def test_a_margin_that_is_not_as_far_as_the_kernel_reaches(self, setting, told):
        with pytest.raises(ValueError, match=f"reads 2 pixels beside each edge .*{told}"):
            deblurrer().override([setting])

    def test_a_margin_that_nothing_reads(self):
        data = {"name": "photographs", "source": "digits", "margin": 2}
        with pytest.raises(ValueError, match=r"adversarial reads 0 pixels .* a margin of 2: set data.margin to null"):
            Experiment.parse({"name": "tiny", "data": data, "training": {"steps": 1}})
