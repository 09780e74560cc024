import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from models.config import Optimizer
from models.training.optimizers import Adam, make_optimizer

NAMES = ("adam", "adamw", "lion", "sgd", "rmsprop")


def rates(updates, count, **options):
    made = make_optimizer(Optimizer(name="sgd", learning_rate=0.1, **options), updates)
    weight = keras.Variable(0.0)
    made.build([weight])
    seen = []
    for _ in range(count):
        before = float(weight)
        made.apply([tf.constant(1.0)], [weight])
        seen.append(before - float(weight))
    return np.array(seen)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_the_keras_optimizer_of_that_name_and_descends(name):
    made = make_optimizer(Optimizer(name=name, learning_rate=0.05), 100)
    assert type(made).__name__.lower() == name
    weight = keras.Variable(1.0)
    made.build([weight])
    for _ in range(20):
        made.apply([2 * tf.convert_to_tensor(weight)], [weight])
    assert abs(float(weight)) < 1


def test_constant_without_a_schedule():
    np.testing.assert_allclose(rates(4, 6), 0.1, rtol=1e-5)


def test_linear_falls_to_0_with_the_last_update_and_stays():
    np.testing.assert_allclose(rates(4, 6, schedule="linear"), [0.1, 0.075, 0.05, 0.025, 0, 0], atol=1e-7)


def test_cosine():
    # by hand: (1 + cos(pi i / 4)) / 2
    expected = [0.1, 0.0853553, 0.05, 0.0146447, 0]
    np.testing.assert_allclose(rates(4, 5, schedule="cosine"), expected, atol=1e-6)


def test_exponential_falls_to_a_hundredth():
    np.testing.assert_allclose(rates(2, 3, schedule="exponential"), [0.1, 0.01, 0.001], rtol=1e-3)


def test_half_linear_is_constant_and_then_falls_to_0():
    """By hand, the paper's 100 epochs and 100 of decay as 4 updates and 4."""
    expected = [0.1, 0.1, 0.1, 0.1, 0.1, 0.075, 0.05, 0.025, 0]
    np.testing.assert_allclose(rates(8, 9, schedule="half_linear"), expected, rtol=1e-6, atol=1e-9)


def test_step_falls_to_a_tenth_half_way():
    # Ledig et al. 2017, section 3.2: 1e5 updates at 1e-4, then 1e5 at 1e-5
    np.testing.assert_allclose(rates(4, 5, schedule="step"), [0.1, 0.1, 0.01, 0.01, 0.01], rtol=1e-6)


def test_warm_up_rises_and_then_the_schedule_begins():
    # two updates of rise, then a fall over the other four
    expected = [0.05, 0.1, 0.1, 0.075, 0.05, 0.025]
    np.testing.assert_allclose(rates(6, 6, schedule="linear", warmup_updates=2), expected, atol=1e-7)


def test_the_scale_holds_from_the_next_update_on():
    scale, weight = tf.Variable(1.0), keras.Variable(0.0)
    made = make_optimizer(Optimizer(name="sgd", learning_rate=0.1), 10, scale)
    made.build([weight])
    for value in (1.0, 0.5):
        scale.assign(value)
        made.apply([tf.constant(1.0)], [weight])
    assert float(weight) == pytest.approx(-0.15)


def test_decoupled_weight_decay_shrinks_a_weight_without_a_gradient():
    weight = keras.Variable(1.0)
    made = make_optimizer(Optimizer(name="adamw", learning_rate=0.1, weight_decay=0.5), 10)
    made.build([weight])
    made.apply([tf.constant(0.0)], [weight])
    # by hand: 1 - rate * decay
    assert float(weight) == pytest.approx(0.95)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValidationError):
        Optimizer(name="adagrad")


class TestAdam:
    GRADIENTS = np.random.default_rng(0).normal(size=[5, 4, 3]).astype("float32")

    def updated(self, optimizer_class, gradients, **options):
        """The weight and all moments after these updates."""
        weight = keras.Variable(np.ones([4, 3]), dtype="float32")
        optimizer = optimizer_class(0.1, 0.5, 0.9, **options)
        optimizer.build([weight])
        for gradient in gradients:
            optimizer.apply([gradient], [weight])
        return [weight.numpy(), *(each.numpy() for each in optimizer.variables)]

    @pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1, "clipnorm": 0.5}, {"amsgrad": True}])
    @pytest.mark.parametrize("rows", [None, [2, 0]])
    def test_weights_and_moments_are_those_of_keras(self, options, rows):
        gradients = [
            tf.IndexedSlices(each[:2], tf.constant(rows), [4, 3]) if rows else tf.constant(each)
            for each in self.GRADIENTS
        ]
        kinds = Adam, keras.optimizers.Adam
        for ours, theirs in zip(*(self.updated(kind, gradients, **options) for kind in kinds), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-7)

    def test_a_step_by_hand(self):
        # Kingma & Ba 2015, algorithm 1: at first m / (1 - beta_1) = g and v / (1 - beta_2) = g^2: the step is the rate
        weight = self.updated(Adam, [tf.constant(self.GRADIENTS[0])])[0]
        np.testing.assert_allclose(weight, 1 - 0.1 * np.sign(self.GRADIENTS[0]), rtol=1e-4)

    def test_one_operation_a_weight(self):
        weight = keras.Variable(np.ones([4, 3]), dtype="float32")
        optimizer = Adam(0.1)
        optimizer.build([weight])
        apply = tf.function(lambda gradient: optimizer.apply([gradient], [weight]))
        graph = apply.get_concrete_function(tf.TensorSpec([4, 3])).graph
        types = [each.type for each in graph.get_operations() if each.inputs]
        assert types.count("ResourceApplyAdam") == 1
        assert not {"Sqrt", "RealDiv", "AssignSubVariableOp"} & set(types)
