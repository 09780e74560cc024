"""The game where a discriminator gives a map of logits, and where it judges a target beside its input."""

from typing import ClassVar, Literal

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.testing import assert_allclose

from models.catalog import OBJECTIVES, lookup
from models.config import Adversarial, Data, DCGANGenerator, Discriminator, Images, Latent, PatchGANDiscriminator
from models.config.objective import CrossEntropy, Objective
from models.config.variants import made_by
from models.gans.base import GAN
from tests.harness import experiment as of_images
from tests.models.gans.tiny import TINY, changed, copied, experiment, make, number, points

ANY = tf.constant([0, 0], tf.int64)
WEIGHTS = np.array([0.5, -1.0, 2.0])


class MapDiscriminator(Discriminator):
    """D(x) at place (i, j) = x_i w_j: a map of 2 x 3 logits of a point."""

    implementation: ClassVar[str] = f"{__name__}:map_discriminator"
    norm: Literal["none"] = "none"


def map_discriminator(variant: MapDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """Point to map, [b, 2, 3]."""
    x = layers.Input([2], name="target")
    dense = layers.Dense(3, use_bias=False, kernel_initializer=lambda shape, dtype: tf.constant(WEIGHTS[None], dtype))
    return keras.Model({"target": x}, dense(layers.Reshape([2, 1])(x)))


class PairDiscriminator(Discriminator):
    """D(y, x) = w times the largest difference of target and input."""

    implementation: ClassVar[str] = f"{__name__}:pair_discriminator"
    norm: Literal["none"] = "none"

    @property
    def takes_input(self) -> bool:
        """See `Discriminator`."""
        return True


def pair_discriminator(variant: PairDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """Pair of images to a logit, [b]."""
    *sides, channels = data.shape
    taken = {name: layers.Input([*sides, channels * variant.pack], name=name) for name in ("target", "input")}
    apart = layers.Subtract()([taken["target"], taken["input"]])
    largest = layers.Flatten()(layers.GlobalMaxPooling2D()(keras.ops.abs(apart)))
    dense = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    return keras.Model(taken, layers.Reshape([])(dense(largest)))


def game(training=None, unrolled=0, **objective):
    players = TINY | {"discriminator": {"name": f"{__name__}:MapDiscriminator"}}
    return make(experiment(**players, objective=objective, training=training, unrolled_steps=unrolled)).game


def maps(*examples: tf.Tensor) -> list[np.ndarray]:
    return [np.asarray(each, np.float64)[:, :, None] * WEIGHTS for each in examples]


def softplus(x):
    return np.log1p(np.exp(x))


REAL, FAKE = points(8), points(8, seed=1)
SHOWN = {"target": REAL}, {"target": FAKE}


class TestMaps:
    def test_losses_are_means_over_examples_and_places(self):
        a, b = maps(REAL, FAKE)
        loss, _ = game().discriminator_loss(*SHOWN, number(0), ANY)
        assert_allclose(loss, (softplus(-a).mean() + softplus(b).mean()) / 2, rtol=1e-5)
        assert_allclose(game().generator_loss(*SHOWN, number(0), ANY), softplus(-b).mean() / 2, rtol=1e-5)
        # not those of the mean logit, which a patch on the right side would make up for one on the wrong side
        assert abs(float(loss) - (softplus(-a.mean((1, 2))).mean() + softplus(b.mean((1, 2))).mean()) / 2) > 0.05

    def test_a_relativistic_loss_compares_each_place_with_the_mean_of_all(self):
        a, b = maps(REAL, FAKE)
        loss, _ = game(name="relativistic").discriminator_loss(*SHOWN, number(0), ANY)
        assert_allclose(loss, (softplus(b.mean() - a).mean() + softplus(b - a.mean()).mean()) / 2, rtol=1e-5)
        expected = (softplus(a - b.mean()).mean() + softplus(a.mean() - b).mean()) / 2
        assert_allclose(game(name="relativistic").generator_loss(*SHOWN, number(0), ANY), expected, rtol=1e-5)

    def test_logs_are_of_the_mean_logit_of_an_example(self):
        a, b = (each.mean((1, 2)) for each in maps(REAL, FAKE))
        _, logs = game().discriminator_loss(*SHOWN, number(0), ANY)
        expected = {
            "real_logit": a.mean(),
            "fake_logit": b.mean(),
            "real_accuracy": (a > 0).mean(),
            "fake_accuracy": (b < 0).mean(),
            "auc": (a[:, None] > b[None]).mean(),
        }
        assert_allclose([logs[f"d_{name}"] for name in expected], list(expected.values()), rtol=1e-5)

    def test_logs_hold_no_pair_of_places(self):
        """If this fails, 30 x 30 logits of 64 examples are compared pair by pair: 3.3 thousand million of them."""
        played = game()

        @tf.function
        def loss():
            return played.discriminator_loss(*SHOWN, number(0), ANY)

        graph = loss.get_concrete_function().graph
        sizes = [each.shape.num_elements() or 0 for node in graph.get_operations() for each in node.outputs]
        assert 8 * 8 <= max(sizes) < (8 * 6) ** 2

    @pytest.mark.parametrize("name", ["r1", "r2", "wgan_gp", "wgan_gp_one_sided", "dragan"])
    def test_penalties_are_of_the_mean_logit(self, name):
        """If this fails, a penalty grows with the number of patches."""
        _, logs = game(penalties={name: 1}).discriminator_loss(*SHOWN, number(0), ANY)
        # the mean over 2 x 3 places is mean(w) mean(x): its slope is the same everywhere
        slope = np.linalg.norm(np.full(2, WEIGHTS.mean() / 2))
        expected = {"r1": slope**2 / 2, "r2": slope**2 / 2, "wgan_gp_one_sided": 0}.get(name, (slope - 1) ** 2)
        assert_allclose(logs[f"d_{name}"], expected, rtol=1e-4)

    def test_a_generator_looks_ahead_at_maps(self):
        gan = game(unrolled=2).gan
        before = copied(gan)
        gan.step({"target": points(2, 8)}, number(0))
        assert {"generator", "discriminator"} <= changed(before, gan)

    def test_a_map_of_one_place_is_a_logit(self):
        """If this fails, the game of a single logit and that of a map are not the same game."""
        flat = make(experiment(**TINY, objective={"penalties": {"r1": 0.3}})).game
        plain = flat.network
        mapped = keras.Model(plain.input, layers.Reshape([1, 1])(plain.output))
        for judge in ("discriminator_loss", "generator_loss"):
            expected = getattr(flat, judge)(*SHOWN, number(0), ANY)
            flat.network = mapped
            found = getattr(flat, judge)(*SHOWN, number(0), ANY)
            flat.network = plain
            for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
                assert_allclose(one, other, rtol=1e-6)


class TestPatchGAN:
    @pytest.mark.parametrize("condition", ["none", "projection", "auxiliary"])
    def test_it_plays_the_whole_game_on_images(self, condition):
        """If this fails, a discriminator of patches cannot take the place of any other."""
        labels = "none" if condition == "none" else "embedding"
        gan = image_gan(
            PatchGANDiscriminator(width=4, layers=1, norm="none", condition=condition),
            CrossEntropy(penalties={"r1": 0.1, "consistency": 1}, augment=("color", "translation"), instance_noise=0.1),
            condition=labels,
        )
        random = np.random.default_rng(0)
        batch = {
            "target": tf.constant(random.integers(0, 256, [2, 8, 16, 16, 1]), tf.uint8),
            "label": tf.constant(random.integers(0, 3, [2, 8]), tf.int64),
        }
        before = copied(gan)
        logs = gan.step(batch, number(0))
        assert {"generator", "discriminator"} <= changed(before, gan)
        assert np.isfinite(list(logs.values())).all()
        assert {"d_loss", "d_auc", "d_r1", "d_consistency"} <= logs.keys()


def image_gan(discriminator: Discriminator, objective: Objective, condition: str = "none") -> GAN:
    """An adversarial training on images of 16 pixels."""
    generator = DCGANGenerator(latent=Latent(size=4), width=4, condition=condition)
    scheme = Adversarial(generator=generator, discriminator=discriminator, objective=objective)
    keras.utils.set_random_seed(0)
    config = of_images(scheme=scheme, data=Images(resolution=16, classes=3))
    made: GAN = made_by("scheme", scheme)(config)
    return made


class TestPairs:
    image = tf.constant(np.random.default_rng(0).uniform(-1, 1, [8, 16, 16, 1]), tf.float32)

    @pytest.mark.parametrize("pack", [1, 2])
    def test_a_target_and_its_input_are_augmented_alike(self, pack):
        """If this fails, a discriminator tells real from generated by how far the two sides of a pair are apart."""
        variant = PairDiscriminator(name=f"{__name__}:PairDiscriminator", pack=pack)
        played = image_gan(variant, CrossEntropy(augment=("color", "translation", "cutout"))).game
        same = {"target": self.image, "input": self.image}
        apart = {"target": self.image, "input": self.image[::-1]}
        _, logs = played.discriminator_loss(same, apart, number(0), ANY)
        assert_allclose(logs["d_real_logit"], 0, atol=1e-6)
        assert logs["d_fake_logit"] > 0.5
        # something was done to both
        shown = played._judge(played.network, same, number(0), ANY)
        assert np.abs(shown.shown - shown.beside["input"]).max() == 0
        assert shown.shown.shape[0] == 8 // pack
        if pack == 1:
            assert np.abs(shown.shown - self.image).max() > 0.05

    def test_a_penalty_keeps_the_input_of_its_example(self):
        variant = PairDiscriminator(name=f"{__name__}:PairDiscriminator")
        played = image_gan(variant, CrossEntropy(penalties={"r1": 1})).game
        pair = {"target": self.image, "input": self.image[::-1]}
        _, logs = played.discriminator_loss(pair, pair, number(0), ANY)
        # the largest difference has a slope of 1 at one pixel
        assert_allclose(logs["d_r1"], 0.5, rtol=1e-5)

    def test_a_penalty_that_moves_the_target_alone_is_refused(self):
        variant = PairDiscriminator(name=f"{__name__}:PairDiscriminator")
        with pytest.raises(ValueError, match=r"consistency moves a target away from the input .*pairs=false"):
            CrossEntropy(penalties={"consistency": 1}).check(Images(), variant)


def test_every_objective_takes_flattened_maps():
    """If this fails, an objective reads the order or the number of logits, which a map changes."""
    a, b = (tf.constant(each.reshape(-1), tf.float32) for each in maps(REAL, FAKE))
    for name in OBJECTIVES:
        losses = lookup("objective", name)(a, b)
        assert losses.discriminator.shape == losses.generator.shape == a.shape
