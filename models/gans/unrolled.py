"""Unrolled GAN: the generator looks a few discriminator updates ahead. Metz et al. 2017."""

from collections.abc import Callable, Sequence
from typing import cast

import keras
import tensorflow as tf

from models import replicas
from models.config import Alternating
from models.gans.base import Inputs
from models.gans.game import Game
from models.penalties import clip_weight
from models.randomness import Key, fold
from models.training.optimizers import Adam

Descent = Callable[[int, Sequence[tf.Tensor], Sequence[tf.Tensor]], list[tf.Tensor]]
"""The weights after the i-th update from now on, of the weights before it and the gradients."""


def look_ahead(game: Game, real: Inputs, fake: Inputs, step: tf.Tensor, key: Key) -> list[tf.Tensor]:
    """The discriminator's weights after so many updates against this generated batch; nothing is changed.

    The updates are those of the discriminator's own optimizer, from its present state, with its bounds of gradient and
    weights; a tape around this call differentiates through all of them. As in the authors' code, they see one batch.

    Args:
        game: whose discriminator is unrolled, `scheme.unrolled_steps` times.
        real: real examples.
        fake: generated ones, inside the generator's tape.
        step: of the training.
        key: int64 [2].

    Raises:
        ValueError: the discriminator's optimizer is neither SGD without momentum nor Adam.

    Reference: Metz et al. 2017, equations 9 and 10.
    """
    gan, scheme = game.gan, cast(Alternating, game.gan.experiment.scheme)
    bound, limit = gan.experiment.training.discriminator_optimizer.clip_norm, game.config.weight_limit
    weights = [tf.convert_to_tensor(variable.value) for variable in game.network.trainable_variables]
    descend = _descent(gan.optimizers[game.name])
    for i in range(scheme.unrolled_steps):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss, _ = game.discriminator_loss(real, fake, step, fold(key, "unrolled", i), weights)
        slopes = replicas.summed(tape.gradient(loss, weights))
        weights = descend(i, weights, replicas.clipped(slopes, slopes, bound) if bound else slopes)
        weights = [clip_weight(each, limit=limit) for each in weights] if limit else weights
    return weights


def _descent(optimizer: keras.optimizers.Optimizer) -> Descent:
    """The optimizer's updates from its present state on, as a function."""
    if isinstance(optimizer, keras.optimizers.SGD) and not optimizer.momentum:
        return lambda i, now, slopes: [w - _rate(optimizer, i) * g for w, g in zip(now, slopes, strict=True)]
    if not isinstance(optimizer, Adam):
        raise ValueError(
            "an unrolled discriminator is updated by adam, or by sgd without momentum; received "
            f"{type(optimizer).__name__.lower()}"
        )
    return _adam(optimizer)


def _rate(optimizer: keras.optimizers.Optimizer, i: int) -> tf.Tensor:
    """The learning rate of the i-th update from now on."""
    return optimizer._learning_rate(optimizer.iterations.value + i)


def _adam(optimizer: Adam) -> Descent:
    means = [tf.convert_to_tensor(each.value) for each in optimizer._momentums]
    squares = [tf.convert_to_tensor(each.value) for each in optimizer._velocities]
    beta_1, beta_2 = optimizer.beta_1, optimizer.beta_2

    def descend(i: int, now: Sequence[tf.Tensor], slopes: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        count = tf.cast(optimizer.iterations.value + i + 1, tf.float32)
        scale = _rate(optimizer, i) * tf.sqrt(1 - beta_2**count) / (1 - beta_1**count)
        after = []
        for j, (w, g) in enumerate(zip(now, slopes, strict=True)):
            means[j] = beta_1 * means[j] + (1 - beta_1) * g
            squares[j] = beta_2 * squares[j] + (1 - beta_2) * g**2
            # the root's derivative is infinite at 0, where a dead unit's gradient stays
            after.append(w - scale * means[j] / (tf.sqrt(tf.maximum(squares[j], 1e-30)) + optimizer.epsilon))
        return after

    return descend
