import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from models.catalog import OBJECTIVES, lookup
from models.objectives import (
    Losses,
    bounded_exp,
    bounded_expm1,
    generator_reads_real,
    global_mean,
    hinge,
    least_squares,
    maximum_likelihood,
    minimax,
    non_saturating,
    one_sided_label_smoothing,
    relativistic,
    undecided_logit,
    wasserstein,
)

LOGITS = arrays(np.float32, 8, elements=st.floats(-1e4, 1e4, width=32))
EDGES = np.array([-1e4, 1e4, -50, 50, -2, 0, 100, -100], np.float32)
P = tf.constant([0.1, 0.4, 0.5], tf.float64)
Q = tf.constant([0.3, 0.3, 0.4], tf.float64)
BINARY_CROSS_ENTROPY = pytest.mark.parametrize("objective", [minimax, non_saturating, maximum_likelihood])


def c(*values):
    return tf.constant(values, tf.float32)


def discriminators_cost(objective, logits):
    """The discriminator's expected loss over all pairs of outcomes, where outcome i has the logit logits[i]."""
    real, fake = tf.repeat(logits, 3), tf.tile(logits, [3])
    return tf.reduce_sum(tf.repeat(P, 3) * tf.tile(Q, [3]) * objective(real, fake).discriminator)


def slope(objective, logits):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        cost = discriminators_cost(objective, logits)
    return tape.gradient(cost, logits)


class TestBinaryCrossEntropy:
    @BINARY_CROSS_ENTROPY
    def test_closed_form_of_the_discriminator(self, objective):
        # by hand: D(x) = 3/4 at logit log 3, D(G(z)) = 1/4 at logit -log 3
        assert_allclose(objective(c(np.log(3)), c(-np.log(3))).discriminator, [-np.log(3 / 4)], rtol=1e-6)

    @BINARY_CROSS_ENTROPY
    def test_the_optimal_discriminator_is_p_over_p_plus_q(self, objective):
        # sigmoid(log p/q) = p / (p + q)
        assert_allclose(slope(objective, tf.math.log(P / Q)), np.zeros(3), atol=1e-15)
        assert (np.abs(slope(objective, tf.math.log(P / Q) + 0.1)) > 1e-3).all()

    def test_the_value_at_the_optimum_is_minus_log_four(self):
        # Goodfellow 2014, theorem 1, p = q and D = 1/2; our cost is half the negated value
        losses = minimax(tf.zeros([3], tf.float64), tf.zeros([3], tf.float64))
        assert_allclose(-2 * losses.discriminator, np.full(3, -np.log(4)), rtol=1e-15)

    def test_the_value_of_an_optimal_discriminator_is_the_jensen_shannon_divergence(self):
        # theorem 1: value = -log 4 + 2 JSD(p, q)
        mixture = (P + Q) / 2
        jsd = tf.reduce_sum(P * tf.math.log(P / mixture) + Q * tf.math.log(Q / mixture)) / 2
        optimum = tf.math.log(P / Q)
        cost = tf.reduce_sum(P * tf.nn.softplus(-optimum) + Q * tf.nn.softplus(optimum)) / 2
        assert_allclose(discriminators_cost(minimax, optimum), cost, rtol=1e-14)
        assert_allclose(-2 * cost, -np.log(4) + 2 * jsd, rtol=1e-14)


class TestGenerators:
    # by hand: D(G(z)) = 1/4 at logit -log 3
    @pytest.mark.parametrize(
        ("objective", "expected"),
        [
            (minimax, np.log(3 / 4) / 2),
            (non_saturating, -np.log(1 / 4) / 2),
            (maximum_likelihood, -(1 / 3) / 2),
            (least_squares, (np.log(3) + 1) ** 2 / 2),
            (wasserstein, np.log(3)),
            (hinge, np.log(3)),
        ],
    )
    def test_closed_form(self, objective, expected):
        assert_allclose(objective(c(0), c(-np.log(3))).generator, [expected], rtol=1e-6)

    def test_minimax_is_zero_sum_on_the_fakes(self):
        real, fake = c(1, -2, 30), c(-3, 0, 8)
        fake_part = minimax(real, fake).discriminator - tf.nn.softplus(-real) / 2
        assert_allclose(minimax(real, fake).generator, -fake_part, rtol=1e-6)

    def test_minimax_saturates_where_non_saturating_does_not(self):
        fake = c(-20)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fake)
            faint, strong = minimax(fake, fake).generator, non_saturating(fake, fake).generator
        assert abs(float(tape.gradient(faint, fake)[0])) < 1e-8
        assert_allclose(tape.gradient(strong, fake), [-0.5], rtol=1e-6)

    def test_maximum_likelihood_has_the_gradient_of_kl(self):
        # the expectation moves with q while D, optimal at logits log p/q, stands still; our cost is halved
        theta = tf.Variable([0.2, -0.3, 0.4], dtype=tf.float64)
        with tf.GradientTape(persistent=True) as tape:
            q = tf.nn.softmax(theta)
            kl = tf.reduce_sum(P * tf.math.log(P / q))
            logits = tf.stop_gradient(tf.math.log(P / q))
            cost = tf.reduce_sum(q * maximum_likelihood(logits, logits).generator)
        assert_allclose(2 * tape.gradient(cost, theta), tape.gradient(kl, theta), rtol=1e-12)
        # by hand, through the softmax: d KL / d theta = q - p
        assert_allclose(tape.gradient(kl, theta), tf.nn.softmax(theta) - P, rtol=1e-12)

    def test_relativistic_alone_reads_real_logits(self):
        assert [name for name in OBJECTIVES if generator_reads_real(lookup("objective", name))] == ["relativistic"]


class TestDiscriminators:
    def test_least_squares(self):
        # by hand: ((3 - 1)^2 + (-1)^2) / 2
        assert_allclose(least_squares(c(3), c(-1)).discriminator, [2.5])

    def test_least_squares_optimum_is_p_over_p_plus_q(self):
        # Mao 2017, equation 5, for b = 1, a = 0: the raw output itself
        assert_allclose(slope(least_squares, P / (P + Q)), np.zeros(3), atol=1e-15)

    def test_wasserstein(self):
        assert_allclose(wasserstein(c(3, 0), c(-1, 5)).discriminator, [-4, 5])

    def test_hinge_asks_for_a_margin_and_no_more(self):
        assert_allclose(hinge(c(1, 7, 0.25), c(-1, -9, 0.5)).discriminator, [0, 0, 0.75 + 1.5])

    def test_relativistic(self):
        # by hand: mean real 2, mean fake -1; leads of real (1, 3) - -1 = (2, 4), of fake (-2, 0) - 2 = (-4, -2)
        losses = relativistic(c(1, 3), c(-2, 0))
        softplus = functools.partial(np.logaddexp, 0)
        assert_allclose(losses.discriminator, (softplus([-2, -4]) + softplus([-4, -2])) / 2, rtol=1e-6)
        assert_allclose(losses.generator, (softplus([2, 4]) + softplus([4, 2])) / 2, rtol=1e-6)

    def test_relativistic_is_blind_to_a_shift(self):
        real, fake = c(1, 3, -1), c(-2, 0, 4)
        for loss, shifted in zip(relativistic(real, fake), relativistic(real + 8, fake + 8), strict=True):
            assert_allclose(loss, shifted, rtol=1e-6)


class TestOneSidedLabelSmoothing:
    @BINARY_CROSS_ENTROPY
    def test_is_the_cross_entropy_with_a_target_below_one(self, objective):
        real, fake = c(-30, -1, 0, 2, 40), c(3, -3, 0, 1, 9)
        smoothed = one_sided_label_smoothing(objective, 0.1)(real, fake)
        entropy = tf.nn.sigmoid_cross_entropy_with_logits
        expected = (entropy(tf.fill([5], 0.9), real) + entropy(tf.zeros([5]), fake)) / 2
        assert_allclose(smoothed.discriminator, expected, rtol=1e-6)
        assert_allclose(smoothed.generator, objective(real, fake).generator)

    def test_scales_the_optimal_discriminator(self):
        # 0.9 p / (p + q)
        optimum = 0.9 * P / (P + Q)
        objective = one_sided_label_smoothing(minimax, 0.1)
        assert_allclose(slope(objective, tf.math.log(optimum / (1 - optimum))), np.zeros(3), atol=1e-15)

    def test_none_changes_nothing(self):
        assert_allclose(one_sided_label_smoothing(minimax, 0)(c(3), c(1)), minimax(c(3), c(1)))

    @given(real=LOGITS)
    @settings(max_examples=25, deadline=None)
    def test_is_finite_and_at_least_zero(self, real):
        cost = one_sided_label_smoothing(non_saturating, 0.3)(tf.constant(real), tf.constant(real)).discriminator
        assert np.isfinite(cost).all()
        assert (cost.numpy() >= 0).all()

    def test_refuses_what_has_no_labels(self):
        with pytest.raises(ValueError, match=r"binary cross-entropy \(minimax, .*received <function hinge"):
            one_sided_label_smoothing(hinge)
        with pytest.raises(ValueError, match=r"smoothing is in \[0, 1\); received 1"):
            one_sided_label_smoothing(minimax, 1)


class TestBoundedExp:
    @given(x=st.floats(-100, 50, width=32))
    @example(x=50.0)
    @settings(max_examples=50, deadline=None)
    def test_is_exact_up_to_the_limit(self, x):
        at = tf.constant(x, tf.float64)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(at)
            exp, expm1 = bounded_exp(at), bounded_expm1(at)
        assert_allclose([exp, tape.gradient(exp, at), tape.gradient(expm1, at)], np.exp(x), rtol=1e-14)
        assert_allclose(expm1, np.expm1(x), rtol=1e-14)

    def test_goes_on_as_its_tangent(self):
        x = tf.constant([51.0, 1e4], tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = bounded_exp(x)
        assert_allclose(y, np.exp(50) * np.array([2, 9951]), rtol=1e-14)
        assert_allclose(bounded_expm1(x), y, rtol=1e-14)
        assert_allclose(tape.gradient(y, x), np.exp([50, 50]), rtol=1e-14)


def test_a_mean_of_bfloat16_is_not_summed_in_bfloat16():
    # a bfloat16 sum of ones stops at 256
    assert float(global_mean(tf.ones([4096], tf.bfloat16))) == 1


def test_autodiff_finds_a_generator_that_reads_real():
    assert generator_reads_real(lambda real, fake: Losses(fake - real, real - fake))


@functools.cache
def compiled(name):
    """Both losses of an objective, and of each the gradients by real and fake; compiled for speed."""

    @tf.function
    def run(real, fake):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([real, fake])
            losses = lookup("objective", name)(real, fake)
        return losses, [tape.gradient(loss, [real, fake], unconnected_gradients="zero") for loss in losses]

    return run


@pytest.mark.parametrize("name", OBJECTIVES)
class TestEveryObjective:
    def test_refuses_shapes_that_would_broadcast(self, name):
        with pytest.raises(ValueError, match=r"same shape.*real \[2\], fake \[1\]"):
            lookup("objective", name)(tf.constant([1.0, 2.0]), tf.constant([1.0]))

    @given(real=LOGITS, fake=LOGITS)
    @example(real=EDGES, fake=EDGES[::-1].copy())
    @example(real=EDGES, fake=EDGES)
    @settings(max_examples=25, deadline=None)
    def test_finite_with_finite_gradient(self, name, real, fake):
        for dtype in (tf.float32, tf.bfloat16):
            losses, gradients = compiled(name)(tf.cast(real, dtype), tf.cast(fake, dtype))
            for loss, pair in zip(losses, gradients, strict=True):
                assert loss.shape == (8,)
                assert loss.dtype == dtype
                assert np.isfinite(tf.cast(loss, tf.float32)).all()
                for gradient in pair:
                    assert np.isfinite(tf.cast(gradient, tf.float32)).all()

    def test_each_player_wants_what_it_should(self, name):
        # a more convincing fake helps the generator; telling both apart helps the discriminator
        objective = lookup("objective", name)
        blind = objective(tf.constant([0.0]), tf.constant([0.0]))
        sharp = objective(tf.constant([0.5]), tf.constant([-0.5]))
        assert float(sharp.discriminator[0]) < float(blind.discriminator[0])
        fooled = objective(tf.constant([0.0]), tf.constant([0.5]))
        assert float(fooled.generator[0]) < float(blind.generator[0])

    def test_float32_and_bfloat16_agree(self, name):
        real, fake = c(0.5, -1.5, 2), c(-0.25, 1, -3)
        wide = lookup("objective", name)(real, fake)
        narrow = lookup("objective", name)(tf.cast(real, tf.bfloat16), tf.cast(fake, tf.bfloat16))
        for a, b in zip(wide, narrow, strict=True):
            assert_allclose(a, tf.cast(b, tf.float32), rtol=0.02, atol=0.02)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minimax", 0),
        ("non_saturating", 0),
        ("least_squares", 0.5),
        # any logit in [-1, 1] has the same loss: the middle
        ("hinge", 0),
        ("wasserstein", None),
        ("relativistic", None),
        # -v + e^(v - 1) is least at v = 1 = f'(1)
        ("f_kl", 1),
        # e^-v + v - 1 is least at v = 0, where T = f'(1) = -1
        ("f_reverse_kl", 0),
        ("f_pearson_chi2", 0),
        ("f_neyman_chi2", 0),
        ("f_squared_hellinger", 0),
        ("f_jensen_shannon", 0),
        ("f_gan", 0),
    ],
)
def test_the_undecided_logit(name, expected):
    found = undecided_logit(lookup("objective", name))
    assert found is None if expected is None else found == pytest.approx(expected, abs=0.02)


def test_no_smoothing_is_the_objective_itself():
    assert one_sided_label_smoothing(least_squares, 0) is least_squares
