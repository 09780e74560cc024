import math

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.gans.game import Game, pack
from tests.models.gans.tiny import PLAIN, TINY, changed, copied, experiment, make, number, points

ANY = tf.constant([0, 0], tf.int64)


@pytest.fixture
def small():
    """A game of the smallest players, by what an experiment changes."""

    def made(pack=1, training=None, **objective):
        players = TINY | {"discriminator": TINY["discriminator"] | {"pack": pack}}
        return make(experiment(**players, objective=objective, training=training)).game

    return made


def softplus(x):
    return np.log1p(np.exp(np.asarray(x, np.float64)))


def cross_entropy(logits, labels):
    logits = np.asarray(logits, np.float64)
    return np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]


class TestPack:
    def test_points(self):
        x = np.arange(12, dtype=np.float32).reshape(6, 2)
        assert_allclose(pack(tf.constant(x), 3), [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]])

    def test_images_lie_behind_one_another_in_the_channels(self):
        x = np.random.default_rng(0).random([4, 3, 5, 2], np.float32)
        expected = [np.concatenate([x[0], x[1]], -1), np.concatenate([x[2], x[3]], -1)]
        assert_allclose(pack(tf.constant(x), 2), expected)

    def test_the_discriminator_gives_one_logit_for_a_pack(self, small):
        game = small(pack=2)
        real, fake = points(8), points(8, seed=1)
        w = np.full(4, 0.5)
        a, b = (np.asarray(each).reshape(4, 4) @ w for each in (real, fake))
        loss, logs = game.discriminator_loss({"target": real}, {"target": fake}, number(0), ANY)
        assert_allclose(loss, np.mean(softplus(-a) + softplus(b)) / 2, rtol=1e-5)
        assert_allclose(logs["d_auc"], np.mean(a[:, None] > b[None]), rtol=1e-6)


class TestDiscriminatorLoss:
    def test_smoothing_is_of_real_examples_alone(self, small):
        real, fake = points(8), points(8, seed=1)
        a, b = (np.asarray(each) @ [0.5, 0.5] for each in (real, fake))
        loss, _ = small(label_smoothing=0.2).discriminator_loss({"target": real}, {"target": fake}, number(0), ANY)
        assert_allclose(loss, np.mean(0.8 * softplus(-a) + 0.2 * softplus(a) + softplus(b)) / 2, rtol=1e-5)

    def test_instance_noise_falls_to_nothing_at_the_last_step(self, small):
        game = small(name="least_squares", instance_noise=0.6, training={"steps": 4})
        nothing = {"target": tf.zeros([2000, 2])}
        for step in (0, 1, 3, 4):
            loss, _ = game.discriminator_loss(nothing, nothing, number(step), ANY)
            # of logits of variance v around 0: ((a - 1)^2 + b^2) / 2 = v + 1/2, and v = |w|^2 sigma^2 = sigma^2 / 2
            assert_allclose(math.sqrt(2 * max(float(loss) - 0.5, 0)), 0.6 * (1 - step / 4), atol=0.03)

    def test_real_and_generated_examples_have_noise_of_their_own(self, small):
        game = small(name="wasserstein", instance_noise=0.6)
        same = {"target": points(8)}
        loss, _ = game.discriminator_loss(same, same, number(0), ANY)
        assert abs(loss) > 1e-3

    def test_a_lazy_penalty_is_as_much_stronger(self, small):
        game = small(penalties={"r1": {"weight": 0.7, "every_steps": 3}})
        real, fake = {"target": points(8)}, {"target": points(8, seed=1)}
        for step in (0, 1, 2, 3):
            loss, logs = game.discriminator_loss(real, fake, number(step), ANY)
            # |w|^2 / 2 = 1/4
            expected = 3 / 4 if step % 3 == 0 else 0
            assert_allclose(logs["d_r1"], expected, rtol=1e-5)
            assert_allclose(loss, logs["d_loss"] + 0.7 * expected, rtol=1e-5)

    def test_what_it_logs_of_what_it_tells_apart(self, small):
        real, fake = tf.constant([[4.0, 0], [1, 0], [-2, 0], [2, 0]]), tf.constant([[1.0, 0], [-3, 0], [-1, 0], [0, 0]])
        _, logs = small().discriminator_loss({"target": real}, {"target": fake}, number(0), ANY)
        # 16 pairs: 12 in order, one tie
        expected = {"real_accuracy": 3 / 4, "fake_accuracy": 2 / 4, "auc": 12.5 / 16, "real_logit": 5 / 8}
        assert_allclose([logs[f"d_{name}"] for name in expected], list(expected.values()))

    def test_a_critic_that_is_undecided_nowhere_is_compared_with_the_other_sides_mean(self, small):
        real, fake = tf.constant([[4.0, 0], [1, 0], [-2, 0], [2, 0]]), tf.constant([[1.0, 0], [-3, 0], [-1, 0], [0, 0]])
        _, logs = small(name="wasserstein").discriminator_loss({"target": real}, {"target": fake}, number(0), ANY)
        # logits 2, 0.5, -1, 1 against a mean of -3/8; 0.5, -1.5, -0.5, 0 against one of 5/8
        assert_allclose([logs["d_real_accuracy"], logs["d_fake_accuracy"]], [3 / 4, 1])


class TestHeads:
    def test_an_auxiliary_classifier_is_asked_for_the_label_of_real_and_of_generated_examples(self):
        conditions = {"generator": {"condition": "concatenation"}, "discriminator": {"condition": "auxiliary"}}
        players = {name: each | conditions[name] for name, each in PLAIN.items()}
        game = make(experiment(**players, data={"classes": 3})).game
        labels = np.array([0, 2, 1, 1]), np.array([1, 1, 0, 2])
        real, fake = ({"target": points(4, seed=i), "label": tf.constant(labels[i], tf.int64)} for i in range(2))
        a, b = (game.network({"target": each["target"]}) for each in (real, fake))
        loss, _ = game.discriminator_loss(real, fake, number(0), ANY)
        heads = [cross_entropy(answer["label"], own).mean() for answer, own in zip((a, b), labels, strict=True)]
        adversarial = (softplus(-a["logit"]).mean() + softplus(b["logit"]).mean()) / 2
        assert_allclose(loss, adversarial + sum(heads) / 2, rtol=1e-5)
        expected = (softplus(-b["logit"]).mean() + heads[1]) / 2
        assert_allclose(game.generator_loss(real, fake, number(0), ANY), expected, rtol=1e-5)

    @pytest.mark.parametrize("weight", [1, 0.25])
    def test_codes_are_asked_back_of_generated_examples_alone_by_their_weight(self, weight):
        latent = {"size": 2, "categorical_codes": 3, "continuous_codes": 2}
        players = PLAIN | {"generator": {"norm": "none", "latent": latent}}
        game = make(experiment(**players, objective={"auxiliary_weight": weight})).game
        code = np.array([[0, 1, 0, 0.3, -0.9], [1, 0, 0, 0.5, 0.1]])
        real, fake = {"target": points(2)}, {"target": points(2, seed=1), "code": tf.constant(code, tf.float32)}
        a, b = (game.network({"target": each["target"]}) for each in (real, fake))
        guess = np.asarray(b["code"], np.float64)
        head = cross_entropy(guess[:, :3], [1, 0]) + ((guess[:, 3:] - code[:, 3:]) ** 2).sum(1) / 2
        loss, _ = game.discriminator_loss(real, fake, number(0), ANY)
        adversarial = (softplus(-a["logit"]).mean() + softplus(b["logit"]).mean()) / 2
        assert_allclose(loss, adversarial + weight * head.mean() / 2, rtol=1e-5)
        expected = (softplus(-b["logit"]).mean() + weight * head.mean()) / 2
        assert_allclose(game.generator_loss(real, fake, number(0), ANY), expected, rtol=1e-5)


class TestUpdates:
    def test_a_discriminator_step_changes_the_discriminator_alone(self):
        gan = make(experiment())
        before = copied(gan)
        gan.game.discriminator_step({"target": points(8)}, {"target": points(8, seed=1)}, number(0), ANY)
        assert changed(before, gan) == {"discriminator", "discriminator_optimizer"}

    def test_clipped_weights_stay_in_bounds(self, small):
        game = small(name="wasserstein", weight_limit=0.51)
        far = {"target": tf.fill([8, 2], 100.0)}, {"target": tf.zeros([8, 2])}
        game.discriminator_step(*far, number(0), ANY)
        assert_allclose(game.network.get_weights()[0], 0.51, rtol=1e-6)

    def test_a_generators_loss_leaves_the_state_of_the_discriminator(self):
        gan = make(experiment(discriminator={"norm": "spectral"}))
        before = copied(gan)
        gan.game.generator_loss({}, {"target": points(8)}, number(0), ANY)
        assert not changed(before, gan)

    @pytest.mark.parametrize(("name", "reads"), [("relativistic", True), ("hinge", False)])
    def test_knows_whether_the_generator_is_judged_beside_real_examples(self, name, reads):
        gan = make(experiment(objective=name))
        assert gan.game.reads_real == reads
        assert gan.draws == 1 + reads

    def test_several_games_have_logs_of_their_own(self):
        gan = make(experiment())
        same = {"target": points(8)}
        _, logs = Game(gan, prefix="d_far").discriminator_loss(same, same, number(0), ANY)
        assert {"d_far_loss", "d_far_auc", "d_far_real_accuracy"} <= logs.keys()
