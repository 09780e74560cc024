import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.config import DeconvolutionTranslator, Experiment, Images, Photographs, Points
from models.degradations import known_kernel
from models.kernels import blurred, wiener
from models.layers.wiener import WienerFilter, repeated_edges
from models.networks import deconvolution
from tests.harness import check_all, trained
from tests.models.networks.reach import check_tile, reach
from tests.translators import deblurrer

ANY = Photographs(source="digits", crop=16)


def small(**fields):
    return DeconvolutionTranslator(**{"width": 4, "blocks": 1, "side": 5, "support": 9} | fields)


def test_it_is_a_network_like_the_others():
    check_all(lambda: deconvolution.translator(small(), Images(resolution=16, channels=3)))


def test_its_halo_is_as_far_as_it_reads():
    """If this fails, a large photograph that is restored in tiles shows their edges."""
    assert reach(deconvolution.translator(small(), ANY), 40) == small().halo == 15
    check_tile(trained(lambda: deconvolution.translator(small(), ANY)), small().halo)


def test_it_begins_at_the_answer_of_the_wiener_filter():
    """If this fails, what is learned is added to something else than what it is compared with."""
    keras.utils.set_random_seed(0)
    model = deconvolution.translator(small(kernel="known_gaussian_blur", noise=0.05), ANY)
    x = np.random.default_rng(0).uniform(-1, 1, [2, 20, 17, 3]).astype(np.float32)
    filters = wiener(known_kernel("known_gaussian_blur", 5), 0.05, 9)
    expected = blurred(tf.constant(np.pad(x, [(0, 0), (4, 4), (4, 4), (0, 0)], "edge")), filters)
    assert_allclose(model({"input": x}), expected, atol=1e-5)


def test_an_image_smaller_than_the_filter_has_its_edges_repeated():
    x = np.random.default_rng(1).uniform(-1, 1, [1, 2, 3, 1]).astype(np.float32)
    assert_allclose(repeated_edges(tf.constant(x), 4), np.pad(x, [(0, 0), (4, 4), (4, 4), (0, 0)], "edge"))


def test_the_layer_is_made_again_from_its_configuration():
    layer = WienerFilter("known_motion_blur", 5, 0.1, 9)
    again = WienerFilter.from_config(layer.get_config())
    np.testing.assert_array_equal(again.filters, layer.filters)


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
        ("setting", "told"), [("data.margin=3", "set data.margin to 2"), ("data.margin=null", "2")]
    )
    def test_a_margin_that_is_not_as_far_as_the_kernel_reaches(self, setting, told):
        with pytest.raises(ValueError, match=f"reads 2 pixels beside each edge .*{told}"):
            deblurrer().override([setting])

    def test_a_margin_that_nothing_reads(self):
        data = {"name": "photographs", "source": "digits", "margin": 2}
        with pytest.raises(ValueError, match=r"adversarial reads 0 pixels .* a margin of 2: set data.margin to null"):
            Experiment.parse({"name": "tiny", "data": data, "training": {"steps": 1}})
