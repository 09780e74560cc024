"""Pix2pix: its losses against the paper's equations by hand, its ablation, and what is served."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from models.export.signatures import Sampler
from models.pixels import scaled
from tests import trainings
from tests.models.gans.tiny import SGD, changed, copied, make, number
from tests.translators import paired

OF_SGD = {"generator_optimizer": SGD, "discriminator_optimizer": SGD}


def of(**fields):
    """A GAN of small players, with dropout as in the paper, as after some training; trained by SGD."""
    gan, random = make(paired(training=OF_SGD, **fields)), np.random.default_rng(0)
    for network in (gan.networks["generator"], gan.networks["discriminator"]):
        for variable in network.trainable_variables:
            variable.assign_add(random.normal(0, 0.2, variable.shape))
    return gan


def real(gan, count=8):
    """Pairs as networks take them."""
    columns = trainings.arrays(gan.experiment.data, count).columns
    return {role: tf.constant(scaled(each)) for role, each in columns.items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class TestLosses:
    def test_the_discriminator_judges_the_pair_by_half_of_the_papers_loss(self):
        """Isola et al. 2017, equation 1, and section 3.3: "we divide the objective by 2 while optimizing D".

        By hand: the mean over all patches of -log s(D(x, y)) - log(1 - s(D(x, G(x)))), s being the logistic function.
        """
        gan = of()
        pair, judge = real(gan), gan.networks["discriminator"]
        fake = pair | {"target": tf.reverse(pair["target"], [0])}
        logits = [judge(each, training=True).numpy() for each in (pair, fake)]
        paper = np.mean(-np.log(sigmoid(logits[0]))) + np.mean(-np.log(1 - sigmoid(logits[1])))
        loss, _ = gan.game.discriminator_loss(pair, fake, number(0), gan.key(number(0), "test"))
        assert_allclose(loss, paper / 2, rtol=1e-5)

    def test_the_discriminator_sees_the_input(self):
        """If this fails, a relief that looks real passes for that of any place."""
        gan = of()
        pair = real(gan)
        wrong = pair | {"input": tf.reverse(pair["input"], [0])}
        judged = [
            float(gan.game.discriminator_loss(each, pair, number(0), gan.key(number(0), "x"))[0])
            for each in (pair, wrong)
        ]
        assert abs(judged[0] - judged[1]) > 1e-3

    def test_the_generator_follows_the_gradient_of_the_papers_loss(self):
        """Equation 4 with the loss of section 3.3, -log s(D(x, G(x))) + 100 |y - G(x)|, without a factor of 1/2.

        SGD at a rate of 0.1 moves each weight by a tenth of the gradient, which is taken here by hand.
        """
        gan, other = of(), of()  # the same weights and masks
        pair, generator = real(gan), other.networks["generator"]
        with tf.GradientTape() as tape:
            drawn = generator({"input": pair["input"]}, training=True)
            logit = other.networks["discriminator"]({"input": pair["input"], "target": drawn}, training=True)
            l1 = tf.reduce_mean(tf.abs(drawn - pair["target"]))
            loss = tf.reduce_mean(-tf.math.log_sigmoid(logit)) + 100 * l1
        gradients = tape.gradient(loss, [each.value for each in generator.trainable_variables])
        before = [each.numpy() for each in gan.networks["generator"].trainable_variables]
        logs = gan.generator_step(pair, number(0))
        after = [each.numpy() for each in gan.networks["generator"].trainable_variables]
        for old, new, gradient in zip(before, after, gradients, strict=True):
            assert_allclose(new - old, -0.1 * gradient, rtol=1e-3, atol=1e-5)
        assert_allclose(logs["l1_loss"], l1, rtol=1e-5)

    @pytest.mark.parametrize(("l1", "adversarial"), [(0, 2), (100, 0), (30, 1)])
    def test_a_generators_step_is_the_weighted_sum_of_those_of_both_losses(self, l1, adversarial):
        """The rows of table 1: the GAN alone, L1 alone, and both."""

        def moved(**weights):
            gan = of(**weights)
            network = gan.networks["generator"]
            before = [each.numpy() for each in network.trainable_variables]
            gan.generator_step(real(gan), number(0))
            return [each.numpy() - old for each, old in zip(network.trainable_variables, before, strict=True)]

        of_l1, of_gan = moved(l1_weight=1, adversarial_weight=0), moved(l1_weight=0, adversarial_weight=1)
        found = moved(l1_weight=l1, adversarial_weight=adversarial)
        for step, one, other in zip(found, of_l1, of_gan, strict=True):
            assert_allclose(step, l1 * one + adversarial * other, rtol=1e-3, atol=1e-5)
            assert np.abs(one).max() > 1e-5
            assert np.abs(other).max() > 1e-5

    def test_l1_alone_trains_no_discriminator(self):
        """If this fails, the row of L1 alone takes the time of both players, and serves a judge that nobody trained."""
        gan, other = of(adversarial_weight=0), of()
        (phase,) = gan.phases()
        assert (phase.name, other.phases()[0].name) == ("supervised", "adversarial")
        assert gan.judges() == {}
        assert other.judges().keys() == {"discriminate"}
        before = copied(gan)
        logs = phase.step({name: each[None] for name, each in real(gan).items()}, number(0))
        assert changed(before, gan) == {"generator", "generator_optimizer"}
        assert logs.keys() == {"l1_loss", "g_gradient_norm"}


class TestServed:
    """Section 3.3 keeps dropout and the statistics of the batch at test time; here neither is kept."""

    @pytest.fixture(scope="class")
    def gan(self):
        gan = of(norm="batch")
        pair = real(gan)
        for step in range(3):
            gan.generator_step(pair, number(step))
        return gan

    def test_training_has_noise(self, gan):
        x = real(gan)["input"]
        first, second = (gan.networks["generator"]({"input": x}, training=True).numpy() for _ in range(2))
        assert np.abs(first - second).max() > 0.01

    def test_an_answer_is_the_same_each_time_and_owes_nothing_to_its_neighbours(self, gan):
        """If this fails, dropout or the statistics of a batch are served."""
        sampler = Sampler(gan.samplers(), gan.experiment, gan.judges())
        x = tf.constant(np.random.default_rng(0).random([6, 16, 16, 1], np.float32))
        served = sampler.signatures()["serving_default"]
        name = next(iter(sampler.interface.signatures["serving_default"].inputs))
        answers = [next(iter(served(**{name: each}).values())).numpy() for each in (x, x, x[:2])]
        assert_array_equal(answers[0], answers[1])
        assert_allclose(answers[2], answers[0][:2], atol=1e-6)
        expected = gan.exported("generator")({"input": 2 * x - 1}, training=False)
        assert_allclose(answers[0], (expected.numpy() + 1) / 2, atol=1e-6)

    def test_pictures_go_in_and_out_as_files(self, gan):
        sampler = Sampler(gan.samplers(), gan.experiment, gan.judges())
        name = sampler.interface.by_file()
        assert name == "from_bytes"
        (taken,) = sampler.interface.signatures[name].inputs
        pixels = np.random.default_rng(1).integers(0, 256, [3, 16, 16, 1], np.uint8)
        files = tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)
        (answer,) = sampler.signatures()[name](**{taken: files}).values()
        made = np.stack([tf.io.decode_png(each).numpy() for each in answer])
        whole = gan.exported("generator")({"input": scaled(pixels)}, training=False).numpy()
        assert made.shape == (3, 16, 16, 3)
        assert_allclose(made, (whole + 1) * 127.5, atol=0.51)


def test_the_best_checkpoint_is_the_one_nearest_to_the_truth():
    """If this fails, outputs that are distributed well and show the wrong place are kept."""
    gan = of()
    assert gan.task.picked_by(gan.experiment.data.columns) == "look_pair_distance"
