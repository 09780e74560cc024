import math

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from models import divergences
from models.catalog import OBJECTIVES, lookup
from models.divergences import Divergence, VariationalObjective, log_lambert_w_of_exp
from models.objectives import minimax, non_saturating

ROWS = {value.name: value for value in vars(divergences).values() if isinstance(value, Divergence)}
EACH = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
# the ratio p/q from never to always; the supremum of a concave function on a grid this fine is right to 1e-7
RATIOS = np.concatenate([[0], np.geomspace(1e-6, 1e6, 400_001)])
P, Q = np.array([0.05, 0.15, 0.3, 0.5]), np.array([0.4, 0.2, 0.3, 0.1])
# by hand from the divergences' definitions: sums over outcomes that need no f
BY_DEFINITION = {
    "total_variation": np.abs(P - Q).sum() / 2,
    "kl": (P * np.log(P / Q)).sum(),
    "reverse_kl": (Q * np.log(Q / P)).sum(),
    "pearson_chi2": ((P - Q) ** 2 / Q).sum(),
    "neyman_chi2": ((P - Q) ** 2 / P).sum(),
    "squared_hellinger": ((np.sqrt(P) - np.sqrt(Q)) ** 2).sum(),
    "jeffrey": ((P - Q) * np.log(P / Q)).sum(),
    "jensen_shannon": (P * np.log(2 * P / (P + Q)) + Q * np.log(2 * Q / (P + Q))).sum(),
    "gan": (P * np.log(P / (P + Q)) + Q * np.log(Q / (P + Q))).sum(),
}


def wide(x):
    return tf.constant(x, tf.float64)


def gradient(function, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


def inside_domain(row, count=41):
    """Points of the domain of f*, from far below to close under its end."""
    end = min(row.domain_end, 5.0)
    return np.concatenate([end - np.geomspace(1e-2, 8, count), [end - 1e-3]])


def test_there_are_nine_each_in_both_forms():
    assert set(ROWS) == set(BY_DEFINITION)
    for name, row in ROWS.items():
        assert lookup("objective", f"f_{name}") == VariationalObjective(row)
        assert lookup("objective", f"f_{name}_heuristic") == VariationalObjective(row, heuristic=True)
    assert sum(name.startswith("f_") for name in OBJECTIVES) == 18


@EACH
class TestTheRow:
    def test_f_and_its_derivative(self, row):
        assert_allclose(row.f(wide(1.0)), -math.log(4) if row.name == "gan" else 0, atol=1e-15)
        u = wide([0.1, 0.7, 1.3, 9.0])
        assert_allclose(row.derivative(u), gradient(row.f, u), rtol=1e-13)
        expected = {"kl": 1, "reverse_kl": -1, "gan": -math.log(2)}.get(row.name, 0)
        assert_allclose(row.derivative(wide(1.0)), expected, atol=1e-15)

    def test_conjugate_is_the_supremum(self, row):
        u = RATIOS if np.isfinite(row.f(wide(0.0))) else RATIOS[1:]
        f = row.f(wide(u)).numpy()
        t = inside_domain(row)
        supremum = [np.max(u * each - f) for each in t]
        assert_allclose(row.conjugate(wide(t)), supremum, rtol=1e-6, atol=1e-6)

        # and it is infinite beyond its domain
        if math.isfinite(row.domain_end):
            # u t - f(u) still grows at the largest ratios, tenfold with the ratio
            value = [ratio * (row.domain_end + 0.1) - row.f(wide(ratio)) for ratio in (1e12, 1e13)]
            assert_allclose(value[1] / value[0], 10, rtol=0.01)
        else:
            assert float(row.derivative(wide(1e30))) > 50

    def test_the_conjugates_conjugate_is_f(self, row):
        u = np.geomspace(0.02, 50, 41)
        # the supremum over t is attained at f'(u): it is among the points, and none of the others is above
        t = np.concatenate([row.derivative(wide(u)).numpy(), inside_domain(row)])
        supremum = np.max(u[:, None] * t - row.conjugate(wide(t)).numpy(), axis=1)
        assert_allclose(supremum, row.f(wide(u)), rtol=1e-10, atol=1e-12)

    @given(u=st.floats(1e-3, 1e3), distance=st.floats(1e-3, 20))
    @settings(max_examples=25, deadline=None)
    def test_fenchel_young(self, row, u, distance):
        t = min(row.domain_end, 5.0) - distance
        f, conjugate = row.f(wide(u)), row.conjugate(wide(t))
        assert f + conjugate >= u * t - 1e-9 * (1 + abs(u * t))
        touching = row.derivative(wide(u))
        assert_allclose(f + row.conjugate(touching), u * touching, rtol=1e-9, atol=1e-9)

    def test_activation_increases_within_the_domain_and_reaches_every_optimum(self, row):
        t = row.activation(wide(np.linspace(-15, 15, 301))).numpy()
        assert (t < row.domain_end).all()
        assert (np.diff(t) > 0).all()
        # T = f'(p/q) has to be a value of g_f
        optimum = row.derivative(wide([0.05, 1.0, 20.0]))
        # far out it comes within a millionth of both ends
        reach = row.activation(wide([-50.0, 50.0])).numpy()
        assert (optimum - reach[0] > -1e-6).numpy().all()
        assert (reach[1] - optimum > -1e-6).numpy().all()


@EACH
class TestTheBound:
    def test_is_the_divergence_by_its_definition_and_tight_at_the_optimal_function(self, row):
        assert_allclose(np.sum(Q * row.f(wide(P / Q))), BY_DEFINITION[row.name], rtol=1e-13)
        t = row.derivative(wide(P / Q))
        bound = np.sum(P * t) - np.sum(Q * row.conjugate(t))
        assert_allclose(bound, BY_DEFINITION[row.name], rtol=1e-12)

    @given(v=st.lists(st.floats(-5, 5), min_size=4, max_size=4))
    @settings(max_examples=25, deadline=None)
    def test_holds_for_every_discriminator(self, row, v):
        outputs = wide(v)
        cost = np.sum(P[:, None] * Q * pairs(VariationalObjective(row), outputs))
        assert -cost <= BY_DEFINITION[row.name] + 1e-12


@pytest.mark.parametrize("name", [name for name in ROWS if name != "total_variation"])
def test_descent_on_the_discriminators_loss_reaches_the_divergence(name):
    # without total variation: its g_f reaches the optimum +-1/2 at infinity only, as the next test says
    @tf.function
    def cost_and_gradient(v):
        with tf.GradientTape() as tape:
            tape.watch(v)
            cost = tf.reduce_sum(P[:, None] * Q * pairs(VariationalObjective(ROWS[name]), v))
        return cost, tape.gradient(cost, v)

    def function(v):
        cost, slope = cost_and_gradient(wide(v))
        return float(cost), slope.numpy()

    found = scipy.optimize.minimize(function, np.zeros(4), jac=True, method="BFGS", options={"gtol": 1e-9})
    assert_allclose(-found.fun, BY_DEFINITION[name], rtol=1e-9)
    assert_allclose(ROWS[name].activation(wide(found.x)), ROWS[name].derivative(wide(P / Q)), rtol=1e-4, atol=1e-4)


def pairs(objective, outputs):
    """The discriminator's loss for outcome i as the real and j as the generated example, [i, j]."""
    real, fake = tf.repeat(outputs, 4), tf.tile(outputs, [4])
    return tf.reshape(objective(real, fake).discriminator, [4, 4])


def test_total_variation_is_reached_in_the_limit():
    # the third outcome has p = q: T is 0 there
    outputs = wide(20 * np.sign(P - Q))
    cost = np.sum(P[:, None] * Q * pairs(divergences.f_total_variation, outputs))
    assert_allclose(-cost, BY_DEFINITION["total_variation"], rtol=1e-12)


@EACH
class TestTheStableForm:
    def test_is_the_composition_and_so_is_its_derivative(self, row):
        # where composing loses no more than half of float64's digits
        v = wide(np.linspace(-15, 15, 301))
        composed = row.conjugate(row.activation(v))
        assert_allclose(row.conjugate_of_activation(v), composed, rtol=1e-8, atol=1e-8)
        v = wide(np.linspace(-9.05, 9.05, 60))
        composed = gradient(lambda v: row.conjugate(row.activation(v)), v)
        assert_allclose(gradient(row.conjugate_of_activation, v), composed, rtol=1e-6, atol=1e-8)

    def test_float32_is_right_up_to_fifty(self, row):
        for function in (row.activation, row.conjugate_of_activation):
            self.check_float32(function)

    def check_float32(self, function):
        v = np.concatenate([np.linspace(-50, 50, 2001), np.geomspace(1e-6, 1, 50)]).astype(np.float32)
        narrow, right = function(tf.constant(v)), function(wide(v))
        assert np.isfinite(narrow).all()
        assert_allclose(narrow, right, rtol=2e-5, atol=2e-7)
        slope, right = gradient(function, tf.constant(v)), gradient(function, wide(v))
        # TensorFlow's 1 - tanh^2 cancels to some 1e-7
        assert_allclose(slope, right, rtol=2e-5, atol=1e-6)

    def test_loss_is_made_of_both(self, row):
        real, fake = wide([0.3, -2.0]), wide([1.1, -0.4])
        on_real, on_fake = row.activation(real), row.conjugate(row.activation(fake))
        variational, heuristic = VariationalObjective(row)(real, fake), VariationalObjective(row, True)(real, fake)
        assert_allclose(variational.discriminator, on_fake - on_real, rtol=1e-12)
        assert_allclose(variational.generator, -on_fake, rtol=1e-12)
        assert_allclose(heuristic.discriminator, on_fake - on_real, rtol=1e-12)
        assert_allclose(heuristic.generator, -row.activation(fake), rtol=1e-12)

    def test_never_wants_a_worse_fake(self, row):
        # beyond the clamp too; flat parts are allowed
        outputs = tf.constant([-1e4, -60, -50, -5, -1, 0, 1, 5, 50, 60, 1e4], tf.float32)
        assert (gradient(row.activation, outputs) >= 0).all()
        assert (gradient(row.conjugate_of_activation, outputs) >= 0).all()


class TestGanRow:
    real, fake = wide([3.0, -1.0]), wide([-2.0, 0.5])

    def test_is_twice_minimax(self):
        for ours, half in zip(divergences.f_gan(self.real, self.fake), minimax(self.real, self.fake), strict=True):
            assert_allclose(ours, 2 * half, rtol=1e-12)

    def test_heuristic_is_twice_non_saturating(self):
        both = zip(divergences.f_gan_heuristic(self.real, self.fake), non_saturating(self.real, self.fake), strict=True)
        for ours, half in both:
            assert_allclose(ours, 2 * half, rtol=1e-12)

    def test_jensen_shannon_is_it_plus_constants(self):
        # D's loss by -log 4, G's by log 2
        ours, gan = divergences.f_jensen_shannon(self.real, self.fake), divergences.f_gan(self.real, self.fake)
        assert_allclose(ours.discriminator - gan.discriminator, [-math.log(4)] * 2, rtol=1e-12)
        assert_allclose(ours.generator - gan.generator, [math.log(2)] * 2, rtol=1e-12)


class TestLambertW:
    def test_against_scipy(self):
        # e^x is in float64's range
        x = np.concatenate([np.linspace(-700, 700, 4001), np.linspace(-3, 3, 301)])
        expected = scipy.special.lambertw(np.exp(x)).real
        assert_allclose(tf.exp(log_lambert_w_of_exp(wide(x))), expected, rtol=2e-13)

    def test_float32_against_scipy(self):
        x = np.concatenate([np.linspace(-80, 600, 4001), np.linspace(-3, 3, 301)]).astype(np.float32)
        expected = scipy.special.lambertw(np.exp(x.astype(np.float64))).real
        log_w = log_lambert_w_of_exp(tf.constant(x))
        assert log_w.dtype == tf.float32
        assert_allclose(log_w, np.log(expected), rtol=1e-6, atol=2e-7)
        # rounding log W = -80 to float32 alone costs 4e-6 of W
        assert_allclose(tf.exp(log_w), expected, rtol=5e-6)

    @given(x=st.floats(-(2.0**100), 2.0**100, width=32))
    @settings(max_examples=25, deadline=None)
    def test_solves_its_equation_where_the_exponential_overflows(self, x):
        log_w = log_lambert_w_of_exp(tf.constant(x, tf.float32)).numpy().astype(np.float64)
        # log W to some units in the last place: W = e^log W takes |log W| of these
        assert_allclose(log_w + np.exp(log_w), x, rtol=1e-4, atol=1e-6)

    def test_derivatives_of_first_and_second_order(self):
        x = wide([-30.0, -2.0, 0.0, 1.0, 3.0, 500.0])
        w = scipy.special.lambertw(np.exp(x)).real
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                log_w = log_lambert_w_of_exp(x)
            first = inner.gradient(log_w, x)
        assert_allclose(first, 1 / (1 + w), rtol=1e-12)
        # by hand: d/dx 1 / (1 + W) = -W' / (1 + W)^2 with W' = W / (1 + W)
        assert_allclose(outer.gradient(first, x), -w / (1 + w) ** 3, rtol=1e-12, atol=1e-15)
