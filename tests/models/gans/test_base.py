import keras
import numpy as np
import pytest
import tensorflow as tf

from models.catalog import SCHEMES
from models.examples.arrays import reference
from models.gans.base import call_unchanged
from tests import trainings
from tests.models.gans.test_lapgan import pyramid
from tests.models.gans.tiny import copied, experiment, make, number
from tests.translators import paired

EXPERIMENTS = {
    "adversarial": {"objective": {"generator_penalties": {"path_length": 1.0}}},
    "cycle": {},
    "restoration": {"degradations": {"noise": 0.3}, "pretraining": {"steps": 1}},
}
ADAM = {f"{name}_optimizer": {"name": "adam"} for name in ("generator", "discriminator")}


def of(name, **training):
    """A small experiment of each scheme of the catalog."""
    if name == "pix2pix":
        # the masks of dropout follow from the seed of the run, which is no state
        return paired(training=ADAM | training, dropout=0)
    if name == "lapgan":
        return pyramid(training=ADAM | training)
    return experiment(name, **EXPERIMENTS[name], training=ADAM | training)


def advance(gan, step):
    """A step of every phase."""
    for phase in gan.phases():
        found = trainings.arrays(gan.experiment.data, phase.draws * 8, seed=step).columns
        phase.step(
            {role: tf.constant(each.reshape(phase.draws, 8, *each.shape[1:])) for role, each in found.items()},
            number(step),
        )


@pytest.mark.parametrize("name", SCHEMES)
class TestEveryGAN:
    def test_its_state_is_all_that_a_resumed_run_needs(self, name):
        gan, resumed = make(of(name)), make(of(name, seed=1))
        # the seed of the run goes on as it was
        resumed.experiment = gan.experiment
        advance(gan, 0)
        for key, variable in gan.state().items():
            resumed.state()[key].assign(variable)
        for each in (gan, resumed):
            advance(each, 1)
        expected, received = copied(gan), copied(resumed)
        assert expected.keys() == received.keys()
        for key, value in expected.items():
            np.testing.assert_array_equal(received[key], value, err_msg=key)

    def test_what_it_exports_is_the_average_in_float32(self, name):
        gan = make(of(name, precision="bfloat16"))
        # several networks may make one model
        averages = [gan.averages[each].average for each in gan.averages if not each.endswith("_reverse")]
        for variable in (variable for average in averages for variable in average.trainable_variables):
            variable.assign_add(tf.ones_like(variable))
        exported = next(iter(gan.samplers().values()))
        weights = [weight for average in averages for weight in average.get_weights()]
        for received, expected in zip(exported.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(received, expected)
        assert {layer.compute_dtype for layer in exported.layers} == {"float32"}

    def test_generates_an_example_for_each_real_one(self, name):
        gan = make(of(name))
        data = gan.experiment.data
        examples = reference(trainings.arrays(data), data, 5, 0)
        made = gan.generate(examples, 1)
        assert made.shape == (5, *data.shape)
        np.testing.assert_array_equal(made, gan.generate(examples, 1))


class TestPlayers:
    def test_an_average_follows_the_network_it_is_of(self):
        gan = make(of("adversarial"))
        assert gan.averages.keys() == {"generator"}
        for kept, new in zip(gan.averages["generator"].average.weights, gan.networks["generator"].weights, strict=True):
            np.testing.assert_array_equal(kept, new)

    def test_two_players_may_share_a_network_whose_state_is_saved_once(self):
        gan = make(of("restoration"))
        assert gan.networks["pretraining"] is gan.networks["generator"]
        names = {name.split("/")[0] for name in gan.state()}
        assert "pretraining_optimizer" in names
        assert "pretraining" not in names

    def test_learning_rates_are_scaled_together(self):
        gan = make(of("adversarial"))
        before = [float(each.learning_rate) for each in gan.optimizers.values()]
        gan.rate_scale.assign(0.5)
        after = [float(each.learning_rate) for each in gan.optimizers.values()]
        np.testing.assert_allclose(after, np.array(before) / 2)


def test_call_unchanged_gives_what_training_gives_and_changes_nothing():
    keras.utils.set_random_seed(0)
    x = keras.Input([3])
    network = keras.Model({"x": x}, keras.layers.BatchNormalization()(keras.layers.Dense(2)(x)))
    given = {"x": tf.random.stateless_normal([6, 3], [1, 2])}
    before = network.get_weights()
    received = call_unchanged(network, given)
    for left, right in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_allclose(received, network(given, training=True), rtol=1e-6)
    assert any((left != right).any() for left, right in zip(network.get_weights(), before, strict=True))
    twice = call_unchanged(network, given, [2 * variable.value for variable in network.trainable_variables])
    assert np.abs(twice - received).max() > 0.1
