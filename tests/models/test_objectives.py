import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from models.catalog import OBJECTIVES, lookup
from models.objectives import Losses, generator_reads_real, non_saturating

LOGITS = arrays(np.float32, 8, elements=st.floats(-1e4, 1e4, width=32))


class TestNonSaturating:
    def test_closed_form(self):
        # by hand: D(x) = 3/4 at logit log 3, D(G(z)) = 1/4 at logit -log 3
        losses = non_saturating(tf.constant([np.log(3.0)]), tf.constant([-np.log(3.0)]))
        assert_allclose(losses.discriminator, [-np.log(3 / 4)], rtol=1e-6)
        assert_allclose(losses.generator, [-np.log(1 / 4) / 2], rtol=1e-6)

    def test_a_blind_discriminator_costs_log_two(self):
        # Goodfellow 2014: D = 1/2 everywhere gives the value -log 4, which is twice our halved cost
        losses = non_saturating(tf.zeros([3]), tf.zeros([3]))
        assert_allclose(losses.discriminator, np.full(3, np.log(4) / 2), rtol=1e-6)

    def test_optimal_discriminator_on_a_discrete_distribution(self):
        # the minimiser over the logit of p * cost(real) + q * cost(fake) is log p/q: its gradient there is 0
        p, q = np.array([0.1, 0.4, 0.5], np.float32), np.array([0.3, 0.3, 0.4], np.float32)
        logits = tf.constant(np.log(p / q))
        with tf.GradientTape() as tape:
            tape.watch(logits)
            real = non_saturating(logits, tf.stop_gradient(logits)).discriminator
            fake = non_saturating(tf.stop_gradient(logits), logits).discriminator
            total = tf.reduce_sum(p * real + q * fake)
        assert_allclose(tape.gradient(total, logits), np.zeros(3), atol=1e-7)

    def test_its_generator_does_not_read_real_logits(self):
        assert not generator_reads_real(non_saturating)


def test_autodiff_finds_a_generator_that_reads_real():
    assert generator_reads_real(lambda real, fake: Losses(fake - real, real - fake))


@pytest.mark.parametrize("name", OBJECTIVES)
class TestEveryObjective:
    def test_refuses_shapes_that_would_broadcast(self, name):
        with pytest.raises(ValueError, match=r"same shape.*real \[2\], fake \[1\]"):
            lookup("objective", name)(tf.constant([1.0, 2.0]), tf.constant([1.0]))

    @given(real=LOGITS, fake=LOGITS)
    def test_finite_with_finite_gradient(self, name, real, fake):
        for dtype in (tf.float32, tf.bfloat16):
            logits = tf.cast(real, dtype), tf.cast(fake, dtype)
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(logits)
                losses = lookup("objective", name)(*logits)
            for loss in losses:
                assert loss.shape == (8,)
                assert loss.dtype == dtype
                assert np.isfinite(tf.cast(loss, tf.float32)).all()
                for gradient in tape.gradient(loss, logits, unconnected_gradients="zero"):
                    assert np.isfinite(tf.cast(gradient, tf.float32)).all()

    def test_each_player_wants_what_it_should(self, name):
        # a more convincing fake helps the generator; telling both apart helps the discriminator
        objective = lookup("objective", name)
        blind = objective(tf.constant([0.0]), tf.constant([0.0]))
        sharp = objective(tf.constant([0.5]), tf.constant([-0.5]))
        assert float(sharp.discriminator[0]) < float(blind.discriminator[0])
        fooled = objective(tf.constant([0.0]), tf.constant([0.5]))
        assert float(fooled.generator[0]) < float(blind.generator[0])
