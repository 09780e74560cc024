"""LAPGAN: the pyramid, what each level is given and adds, and what is served."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from models.config import DCGANDiscriminator, DCGANGenerator, Experiment, Images, Laplacian, Latent
from models.config.schemes.laplacian import Refiner
from models.export.signatures import Sampler
from models.gans import pyramids
from models.pixels import scaled
from tests import trainings
from tests.harness import experiment
from tests.models.gans.tiny import make, number

PLAYERS = {
    "generator": DCGANGenerator(latent=Latent(size=7), width=4, condition="embedding"),
    "refiner": Refiner(width=4, kernel=3, hidden=1),
    "discriminator": DCGANDiscriminator(width=4, norm="none", condition="projection"),
}


def pyramid(**fields) -> Experiment:
    """Three levels, of 8, 16 and 32 pixels."""
    training = fields.pop("training", {})
    data = Images(resolution=32, classes=3)
    return experiment(data=data, scheme=Laplacian(**PLAYERS | fields), training=training)


@pytest.fixture(scope="module")
def gan():
    """Three levels whose refiners add something, as after some training."""
    made, random = make(pyramid()), np.random.default_rng(0)
    for level in (1, 2):
        for variable in made.networks[f"generator_{level}"].trainable_variables:
            variable.assign_add(random.normal(0, 0.2, variable.shape))
    return made


def real(gan, count=8):
    columns = trainings.arrays(gan.experiment.data, count).columns
    return {"target": tf.constant(scaled(columns["target"])), "label": tf.constant(columns["label"])}


class TestPyramid:
    PIXELS = np.random.default_rng(0).integers(-128, 128, (2, 16, 16, 3)).astype(np.float32) / 128

    def test_its_parts_give_the_image_back_exactly(self):
        """Pixels are multiples of 1/128: means and bilinear weights of them are exact in float32."""
        parts = pyramids.split(tf.constant(self.PIXELS), 3)
        assert [part.shape[1] for part in parts] == [4, 8, 16]
        assert_array_equal(pyramids.join(parts), self.PIXELS)

    def test_down_is_the_mean_of_four_pixels(self):
        by_hand = self.PIXELS.reshape(2, 8, 2, 8, 2, 3).mean((2, 4))
        assert_array_equal(pyramids.down(tf.constant(self.PIXELS)), by_hand)

    def test_up_is_bilinear(self):
        """By hand: a new pixel lies at 1/4 and 3/4 between the old ones, and at the edge repeats them."""
        row = tf.constant([0.0, 4.0, 8.0], tf.float32)[tf.newaxis, tf.newaxis, :, tf.newaxis]
        assert_array_equal(pyramids.up(row)[0, 0, :, 0], [0, 1, 3, 5, 7, 8])


class TestLevels:
    def test_a_finer_level_is_given_the_real_image_halved_and_enlarged(self, gan):
        examples = real(gan)
        sizes = pyramids.images(examples["target"], 3)
        inputs, below = gan.fed(2, examples, sizes[1], gan.key(number(0), "x"))
        expected = pyramids.up(pyramids.down(examples["target"]))
        assert_array_equal(inputs["input"], expected)
        assert_array_equal(below, expected)
        assert inputs["z"].shape == (8, 2)

    def test_the_discriminator_judges_the_sum(self, gan, monkeypatch):
        seen = {}

        def watched(real, fake, step, key):
            seen.update(real=real["target"], fake=fake["target"], label=fake["label"])
            return {}

        monkeypatch.setattr(gan.games[1], "discriminator_step", watched)
        examples = real(gan)
        sizes = pyramids.images(examples["target"], 3)
        inputs, below = gan.fed(1, examples, sizes[0], gan.key(number(0), "discriminator_1"))
        added = gan.networks["generator_1"](inputs, training=True)
        gan.play(1, examples | {"target": sizes[1]}, sizes[0], number(0))
        assert_array_equal(seen["real"], sizes[1])
        np.testing.assert_allclose(seen["fake"], below + added, atol=1e-6)
        assert_array_equal(seen["label"], examples["label"])
        assert np.abs(added).max() > 0.01

    def test_all_levels_learn_in_one_step_or_one_after_the_other(self):
        together = make(pyramid(training={"steps": 4}))
        assert [(phase.name, phase.steps) for phase in together.phases()] == [("levels", 4)]
        in_turn = make(pyramid(coarse_steps=2, training={"steps": 4}))
        assert [(phase.name, phase.steps, phase.trains) for phase in in_turn.phases()] == [
            ("level_0", 2, ("generator_0", "discriminator_0")),
            ("level_1", 2, ("generator_1", "discriminator_1")),
            ("level_2", 4, ("generator_2", "discriminator_2")),
        ]
        assert in_turn.experiment.total_steps == 8
        assert {name: player.updates for name, player in in_turn.players.items()} == {
            **{f"{player}_{level}": 2 for player in ("generator", "discriminator") for level in (0, 1)},
            **{f"{player}_2": 4 for player in ("generator", "discriminator")},
        }


class TestSampling:
    def test_runs_from_coarse_to_fine(self, gan):
        networks = [gan.networks[f"generator_{level}"] for level in range(3)]
        z, label = tf.random.stateless_normal([2, 7], [0, 1]), tf.constant([0, 2])
        image = networks[0]({"z": z[:, :3], "label": label})
        for network, part in ((networks[1], z[:, 3:5]), (networks[2], z[:, 5:])):
            below = pyramids.up(image)
            image = below + network({"z": part, "label": label, "input": below})
        assert_array_equal(gan.drawn(networks, {"z": z, "label": label}), image)

    def test_goes_on_from_coarse_images(self, gan):
        """The level above them takes what it takes in training, the real image halved and enlarged; then as always."""
        networks = [gan.networks[f"generator_{level}"] for level in range(3)]
        z, label = tf.random.stateless_normal([2, 7], [0, 1]), tf.constant([0, 2])
        sizes = pyramids.images(real(gan, 2)["target"], 3)
        inputs = {"z": z, "label": label}
        enlarged = pyramids.up(sizes[1])
        expected = enlarged + networks[2]({"z": z[:, 5:], "label": label, "input": enlarged})
        assert_array_equal(gan.drawn(networks, inputs, sizes[1]), expected)
        drawn = tf.convert_to_tensor(networks[0]({"z": z[:, :3], "label": label}))
        assert_array_equal(gan.drawn(networks, inputs, drawn), gan.drawn(networks, inputs))

    def test_goes_on_from_no_other_size(self, gan):
        networks = [gan.networks[f"generator_{level}"] for level in range(3)]
        with pytest.raises(ValueError, match="go on from images of 8 or 16 pixels; received 32"):
            gan.drawn(networks, {"z": tf.zeros([1, 7])}, tf.zeros([1, 32, 32, 1]))

    def test_is_served_by_one_signature(self, gan):
        sampler = Sampler(gan.samplers(), gan.experiment, gan.judges())
        assert set(sampler.interface.signatures) == {
            *("serving_default", "sample", "sample_truncated", "sample_from_examples", "interpolate", "latent"),
            *("discriminate", "interface"),
        }
        assert sampler.interface.signatures["serving_default"].inputs["z"].shape == (None, 7)
        assert sampler.interface.signatures["discriminate"].inputs["image"].shape == (None, 32, 32, 1)
        image = sampler.main({"z": 3 * tf.random.stateless_normal([4, 7], [0, 1]), "label": tf.zeros([4], tf.int32)})
        assert image.shape == (4, 32, 32, 1)
        assert np.abs(image).max() <= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": Images(resolution=36, classes=3), "levels": 4}, "data.resolution is a multiple of 8; received 36"),
        (
            {"generator": DCGANGenerator(latent=Latent(size=2))},
            "scheme.generator.latent.size is at least 3; received 2",
        ),
        ({"generator": DCGANGenerator(latent=Latent(size=7, continuous_codes=1))}, "codes and generator_penalties are"),
    ],
    ids=["sizes", "noise", "codes"],
)
def test_what_does_not_fit_is_refused(changes, message):
    data = changes.pop("data", Images(resolution=32, classes=3))
    with pytest.raises(ValueError, match=message):
        experiment(data=data, scheme=Laplacian(**PLAYERS | changes))
