import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models.gans.unrolled import look_ahead
from models.randomness import fold
from tests.models.gans.tiny import PLAIN, TINY, changed, copied, experiment, make, number, points

KEY = tf.constant([3, 4], tf.int64)
ADAM = {"name": "adam", "learning_rate": 0.05, "beta_1": 0.5}


class TestLookAhead:
    @pytest.mark.parametrize(
        ("optimizer", "objective"),
        [
            ({"name": "sgd", "learning_rate": 0.1}, {}),
            ({"name": "sgd", "learning_rate": 0.1, "clip_norm": 0.01}, {"penalties": {"r1": 1.0}}),
            (ADAM, {"instance_noise": 0.1}),
            (ADAM | {"schedule": "cosine", "warmup_updates": 2}, {"name": "hinge"}),
            (ADAM, {"name": "wasserstein", "weight_limit": 0.05}),
        ],
    )
    def test_ends_where_real_updates_end(self, optimizer, objective):
        training = {"discriminator_optimizer": optimizer, "steps": 10}
        gan = make(experiment(**PLAIN, objective=objective, unrolled_steps=3, training=training))
        for i, variable in enumerate(gan.networks["discriminator"].trainable_variables):
            variable.assign(np.random.default_rng(i).normal(0, 0.5, variable.shape))
        # the optimizer has some state already
        gan.step({"target": points(gan.draws, 8, seed=5)}, number(0))
        real, fake = {"target": points(8)}, {"target": points(8, seed=1)}
        before = copied(gan)
        ahead = look_ahead(gan.game, real, fake, number(1), KEY)
        assert not changed(before, gan)
        start = gan.networks["discriminator"].get_weights()
        for i in range(3):
            gan.game.discriminator_step(real, fake, number(1), fold(KEY, "unrolled", i))
        end = gan.networks["discriminator"].get_weights()
        assert max(np.abs(a - b).max() for a, b in zip(start, end, strict=True)) > 1e-3
        for received, expected in zip(ahead, end, strict=True):
            assert_allclose(received, expected, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("optimizer", [{"name": "sgd", "learning_rate": 0.5}, ADAM])
    def test_the_generators_gradient_is_that_of_finite_differences(self, optimizer):
        gan = make(experiment(**TINY, unrolled_steps=3, training={"discriminator_optimizer": optimizer}))
        gan.step({"target": points(gan.draws, 8, seed=5)}, number(0))
        real, place = {"target": points(8)}, gan.networks["generator"].trainable_variables[0]

        def loss(theta, ahead=True):
            fake = {"target": tf.tile(theta[None], [8, 1])}
            weights = look_ahead(gan.game, real, fake, number(1), KEY) if ahead else None
            return gan.game.generator_loss(real, fake, number(1), KEY, weights)

        theta, size = tf.constant(place.numpy()), 0.02
        with tf.GradientTape() as tape:
            tape.watch(theta)
            value = loss(theta)
        received = tape.gradient(value, theta)
        steps = size * np.eye(2, dtype=np.float32)
        slopes = [(loss(theta + each) - loss(theta - each)) / (2 * size) for each in steps]
        assert_allclose(received, slopes, rtol=1e-2, atol=1e-4)
        with tf.GradientTape() as tape:
            tape.watch(theta)
            value = loss(theta, ahead=False)
        assert np.abs(tape.gradient(value, theta) - received).max() > 0.01, "looking ahead changes nothing"

    def test_a_step_by_looking_ahead_updates_the_generator_alone_and_once(self):
        gan = make(experiment(**PLAIN, unrolled_steps=2))
        assert gan.draws == 2
        gan.step({"target": points(2, 8)}, number(0))
        assert [gan.optimizers[name].iterations.numpy() for name in ("generator", "discriminator")] == [1, 1]

    def test_an_optimizer_that_it_does_not_know_is_refused(self):
        gan = make(experiment(**PLAIN, unrolled_steps=2))
        gan.optimizers["discriminator"] = keras.optimizers.RMSprop(0.1)
        with pytest.raises(ValueError, match="is updated by adam, or by sgd without momentum; received rmsprop"):
            look_ahead(gan.game, {"target": points(8)}, {"target": points(8)}, number(0), KEY)
