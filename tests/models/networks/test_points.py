import numpy as np
import pytest

from models.config import Latent, Points, PointsDiscriminator, PointsGenerator, PointsTranslator
from models.networks import points
from tests.harness import check_all

RING = Points(source="mixture:ring", classes=8)


def test_the_published_pair():
    generator = points.generator(PointsGenerator(latent=Latent(size=2), width=400, depth=4), RING)
    discriminator = points.discriminator(PointsDiscriminator(width=200, depth=3, norm="none", pack=2), RING)
    # with the four values of batch normalisation for each hidden unit
    hidden = 2 * 400 + 3 * 400 * 400 + 4 * 400 + 4 * 4 * 400
    assert generator.count_params() == hidden + 400 * 2 + 2
    # maxout of 5 pieces on a pack of two points
    assert discriminator.count_params() == 4 * 1000 + 2 * 200 * 1000 + 3 * 1000 + 200 + 1


class TestTranslator:
    variant = PointsTranslator(width=8, depth=3)

    def test_it_is_a_network_like_the_others(self):
        check_all(lambda: points.translator(self.variant, RING))

    def test_it_steps_from_where_a_point_is(self):
        model = points.translator(self.variant, RING)
        model.layers[-2].set_weights([np.zeros([8, 2]), np.array([3.0, -1.0])])
        x = np.array([[0.5, 2.0], [-4.0, 1.0]], np.float32)
        np.testing.assert_array_equal(model({"input": x}, training=False), x + np.array([3, -1]))

    @pytest.mark.parametrize("more", [{"latent": {}}, {"condition": "embedding"}])
    def test_noise_and_labels_are_refused(self, more):
        with pytest.raises(ValueError, match=f"{next(iter(more))}\n.*not permitted"):
            PointsTranslator(**more)
