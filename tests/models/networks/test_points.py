import numpy as np
import pytest

from models.config import Data, Network
from models.networks import points
from tests.harness import check_all

RING = Data(source="mixture:ring", labels=8)


def test_the_published_pair():
    network = Network(
        name="points",
        latent_size=2,
        generator_width=400,
        generator_depth=4,
        discriminator_width=200,
        discriminator_depth=3,
        discriminator_norm="none",
        pack=2,
    )
    generator, discriminator = points.generator(network, RING), points.discriminator(network, RING)
    # with the four values of batch normalisation for each hidden unit
    hidden = 2 * 400 + 3 * 400 * 400 + 4 * 400 + 4 * 4 * 400
    assert generator.count_params() == hidden + 400 * 2 + 2
    # maxout of 5 pieces on a pack of two points
    assert discriminator.count_params() == 4 * 1000 + 2 * 200 * 1000 + 3 * 1000 + 200 + 1


class TestTranslator:
    network = Network(name="points", generator_width=8, generator_depth=3)

    def test_it_is_a_network_like_the_others(self):
        check_all(lambda: points.translator(self.network, RING))

    def test_it_steps_from_where_a_point_is(self):
        model = points.translator(self.network, RING)
        model.layers[-2].set_weights([np.zeros([8, 2]), np.array([3.0, -1.0])])
        x = np.array([[0.5, 2.0], [-4.0, 1.0]], np.float32)
        np.testing.assert_array_equal(model({"x": x}, training=False), x + np.array([3, -1]))

    @pytest.mark.parametrize("more", [{"latent": "uniform"}, {"condition": "embedding"}, {"continuous_codes": 1}])
    def test_noise_labels_and_codes_are_refused(self, more):
        with pytest.raises(ValueError, match=rf"network\.{next(iter(more))} is no option of points"):
            points.translator(Network(name="points", **more), RING)
