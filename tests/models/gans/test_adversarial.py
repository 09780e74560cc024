import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models import latents
from tests.models.gans.tiny import TINY, changed, copied, experiment, make, number, points

RATE = 0.1
START = np.array([1.0, 0.5, 0.5, 0.5])


def trajectory(gan, steps):
    """theta and w of the bilinear game w . theta, whose real examples are all 0."""
    step = tf.function(gan.step)
    places = []
    for i in range(steps):
        step({"target": tf.zeros([gan.draws, 8, 2])}, number(i))
        places.append(np.concatenate([each.get_weights()[0].ravel() for each in gan.networks.values()]))
    return np.array(places)


class TestBilinearGame:
    """min over theta, max over w of -w . theta by gradient descent. Mescheder, Nowozin & Geiger 2017, section 3."""

    @pytest.fixture
    def gan(self):
        def made(updates):
            return make(experiment(**TINY, objective="wasserstein", updates=updates, training={"steps": 100}))

        return made

    def test_simultaneous_updates_spiral_out(self, gan):
        received = trajectory(gan("simultaneous"), 40)
        expected, (theta, w) = [], np.split(START, 2)
        for _ in range(40):
            theta, w = theta + RATE * w, w - RATE * theta
            expected.append(np.concatenate([theta, w]))
        assert_allclose(received, expected, rtol=1e-4, atol=1e-5)
        # each step is a turn that lengthens by the root of 1 + rate^2
        growth = np.linalg.norm(received[-1]) / np.linalg.norm(START)
        assert_allclose(growth, (1 + RATE**2) ** 20, rtol=1e-4)

    def test_alternating_updates_stay_on_an_ellipse(self, gan):
        received = trajectory(gan("alternating"), 100)
        expected, (theta, w) = [], np.split(START, 2)
        for _ in range(100):
            w = w - RATE * theta
            theta = theta + RATE * w
            expected.append(np.concatenate([theta, w]))
        assert_allclose(received, expected, rtol=1e-3, atol=1e-4)
        theta, w = received[:, :2], received[:, 2:]
        kept = (theta**2 + w**2 - RATE * theta * w).sum(1)
        assert_allclose(kept, kept[0], rtol=1e-3)
        assert np.linalg.norm(received, axis=1).max() < 1.1 * np.linalg.norm(START)


class TestStep:
    @pytest.mark.parametrize(("k", "generator_steps"), [(1, 1), (3, 2)])
    def test_counts_of_updates(self, k, generator_steps):
        gan = make(experiment(discriminator_steps=k, generator_steps=generator_steps))
        gan.step({"target": points(gan.draws, 8)}, number(0))
        assert gan.optimizers["discriminator"].iterations == k
        assert gan.optimizers["generator"].iterations == generator_steps

    def test_every_discriminator_update_has_real_examples_of_its_own(self):
        config = experiment(discriminator_steps=2)
        x = points(2, 8)
        after = []
        for draw in (None, 0, 1):
            gan = make(config)
            gan.step({"target": x if draw is None else tf.tensor_scatter_nd_add(x, [[draw, 0, 0]], [1.0])}, number(0))
            after.append(gan.networks["discriminator"].get_weights()[0])
        assert len({each.tobytes() for each in after}) == 3

    def test_every_update_has_noise_of_its_own(self):
        gan = make(experiment())
        keys = [
            gan.key(number(step), name, i)
            for step in range(2)
            for name in ("generator", "discriminator")
            for i in (0, 1)
        ]
        drawn = [latents.drawn(gan.experiment.latent, key, 4)["z"].numpy() for key in keys]
        assert len({each.tobytes() for each in drawn}) == len(drawn)

    def test_a_generator_step_changes_the_generator_alone(self):
        gan = make(experiment(discriminator={"norm": "spectral"}))
        before = copied(gan)
        gan.generator_step({"target": points(8)}, number(0))
        assert changed(before, gan) == {"generator", "generator_optimizer"}

    def test_a_discriminators_batch_leaves_the_generators_statistics(self):
        gan = make(experiment())
        before = copied(gan)
        gan.pair({"target": points(1, 8)}, number(0), 0)
        assert not changed(before, gan)

    def test_generated_examples_have_the_labels_of_the_real_ones(self):
        conditions = {"generator": {"condition": "concatenation"}, "discriminator": {"condition": "projection"}}
        gan = make(experiment(**conditions, data={"classes": 3}))
        label = tf.constant([[0, 2, 1, 1, 0, 0, 2, 1]], tf.int64)
        real, fake = gan.pair({"target": points(1, 8), "label": label}, number(0), 0)
        np.testing.assert_array_equal(real["label"], fake["label"])
        np.testing.assert_array_equal(fake["label"], label[0])
        assert (fake["target"].numpy() != real["target"].numpy()).all()

    def test_codes_are_one_hot_and_uniform(self):
        latent = {"size": 2, "categorical_codes": 4, "continuous_codes": 2}
        gan = make(experiment(generator={"latent": latent}))
        code = latents.drawn(gan.experiment.latent, gan.key(number(0), "test"), 4000)["code"].numpy()
        assert code.shape == (4000, 6)
        np.testing.assert_array_equal(np.sort(code[:, :4], 1)[:, -2:], [[0, 1]] * 4000)
        assert_allclose(code[:, :4].mean(0), 1 / 4, atol=0.03)
        assert_allclose(code[:, 4:].mean(0), 0, atol=0.05)
        assert_allclose(code[:, 4:].std(0), 1 / np.sqrt(3), atol=0.02)

    def test_a_generators_penalty_remembers(self):
        gan = make(experiment(objective={"generator_penalties": {"path_length": 2.0}}))
        logs = gan.step({"target": points(1, 8)}, number(0))
        assert logs["g_path_length"] > 0
        assert gan.state()["extra/path_length_memory"].numpy() > 0


class TestClippedGradients:
    def test_the_norm_of_all_gradients_together_is_bounded(self):
        moved = []
        for bound in (None, 1e-3):
            optimizer = {"name": "sgd", "learning_rate": 1.0, "clip_norm": bound}
            gan = make(experiment(training={"generator_optimizer": optimizer}))
            before = [each.numpy() for each in gan.networks["generator"].trainable_variables]
            logs = gan.generator_step({"target": points(8)}, number(0))
            after = [each.numpy() for each in gan.networks["generator"].trainable_variables]
            moved.append(np.concatenate([(a - b).ravel() for a, b in zip(after, before, strict=True)]))
            assert_allclose(logs["g_gradient_norm"], np.linalg.norm(moved[0]), rtol=1e-3)
        assert np.linalg.norm(moved[0]) > 2e-3
        assert_allclose(moved[1], moved[0] * 1e-3 / np.linalg.norm(moved[0]), rtol=1e-2, atol=1e-7)
