"""Two domains without pairs: translators that undo one another, each against a discriminator of its target."""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import keras
import tensorflow as tf

from models import replicas
from models.config import Cycle, Experiment
from models.gans.base import GAN, Batch, Inputs, Logs, Phase, Player, builder, call_unchanged
from models.gans.game import Game
from models.gans.pool import ImagePool
from models.randomness import fold


class Side(NamedTuple):
    """One direction.

    Attributes:
        way: what distinguishes its players and logs, nothing or `_reverse`.
        takes: the column that it translates, `input` or `target`.
        draws: the other, which it is to draw.
        game: of its discriminator.
        pool: of what it drew.
    """

    way: str
    takes: str
    draws: str
    game: Game
    pool: ImagePool

    @property
    def generator(self) -> str:
        """The name of its translator."""
        return f"generator{self.way}"


class CycleGAN(GAN):
    """Translates `input` into the domain of `target` by `generator`, and back by `generator_reverse`.

    A step updates both translators by one loss, then both discriminators on the very examples that were drawn for it,
    by way of a pool each. The adversarial losses are those of the objective. The paper's is least squares, there
    without the factor 1/2 that ours has, so that the paper's cycle weight of 10 is a `cycle_weight` of 5 here.

    Reference: Zhu et al. 2017, equation 3 and section 5.2 (identity loss); order of updates and pool as in their code.
    """

    def __init__(self, experiment: Experiment):
        training = experiment.training
        translator = Player(
            builder(experiment, "translator"), training.generator_optimizer, training.steps, averaged=True
        )
        critic = Player(builder(experiment, "discriminator"), training.discriminator_optimizer, training.steps)
        players = {"generator": translator, "generator_reverse": translator}
        super().__init__(experiment, players | {"discriminator": critic, "discriminator_reverse": critic})
        self.scheme = cast(Cycle, experiment.scheme)
        self.sides = [self._side("", "input", "target"), self._side("_reverse", "target", "input")]
        for side in self.sides if self.scheme.pool_size else []:
            self.extra |= {f"pool{side.way}": side.pool.kept, f"pool{side.way}_count": side.pool.count}

    def _side(self, way: str, takes: str, draws: str) -> Side:
        pool = ImagePool(self.scheme.pool_size, self.experiment.data.shape)
        return Side(way, takes, draws, Game(self, f"discriminator{way}", prefix=f"d{way}"), pool)

    def phases(self) -> Sequence[Phase]:
        """See `GAN.phases`: one."""
        return [Phase("adversarial", self.experiment.training.steps, self.step, draws=1)]

    def samplers(self) -> dict[str, keras.Model]:
        """See `GAN.samplers`: both directions."""
        return {"serving_default": self.exported("generator"), "reverse": self.exported("generator_reverse")}

    def step(self, batch: Batch, step: tf.Tensor) -> Logs:
        """One update of all four. Logs the losses, what the discriminators tell apart, penalties, gradient norms."""
        real = self.real(batch, 0)
        drawn, logs = self.generator_step(real, step)
        for side in self.sides:
            key = self.key(step, side.game.name)
            shown = side.pool.exchange(drawn[side.draws], fold(key, "pool"))
            logs |= side.game.discriminator_step({"target": real[side.draws]}, {"target": shown}, step, key)
        return logs

    def generator_step(self, real: Inputs, step: tf.Tensor) -> tuple[dict[str, tf.Tensor], Logs]:
        """Updates both translators; the discriminators stay as they are.

        Returns:
            What they drew before the update, by the domain that it is to be of, and the logs.
        """
        networks = {side.generator: self.networks[side.generator] for side in self.sides}
        weights = {name: [each.value for each in network.trainable_variables] for name, network in networks.items()}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            drawn = {
                side.draws: networks[side.generator]({"input": real[side.takes]}, training=True) for side in self.sides
            }
            loss, logs = self.generator_loss(real, drawn, step)
        gradients = tape.gradient(loss, weights)
        norms = {
            f"g{each.way}_gradient_norm": self.apply(each.generator, gradients[each.generator]) for each in self.sides
        }
        return drawn, logs | norms

    def generator_loss(self, real: Inputs, drawn: Mapping[str, tf.Tensor], step: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        """This replica's share of what both translators minimise together, and its parts.

        Args:
            real: `input` and `target`.
            drawn: the translation into each of them.
            step: of the training.
        """
        scheme = self.scheme
        adversarial, cycle, identity = (tf.constant(0.0) for _ in range(3))
        logs: Logs = {}
        for side in self.sides:
            domain, key = real[side.draws], self.key(step, side.generator)
            logs[f"g{side.way}_loss"] = side.game.generator_loss(
                {"target": domain}, {"target": drawn[side.draws]}, step, key
            )
            adversarial += logs[f"g{side.way}_loss"]
            # moving statistics are those of the translations alone, which are what is served
            translate = functools.partial(call_unchanged, self.networks[side.generator])
            cycle += replicas.share_of_mean(tf.abs(translate({"input": drawn[side.takes]}) - domain))
            if scheme.identity_weight:
                identity += replicas.share_of_mean(tf.abs(translate({"input": domain}) - domain))
        loss = adversarial + scheme.cycle_weight * (cycle + scheme.identity_weight * identity)
        return loss, logs | {"cycle_loss": cycle, "identity_loss": identity}
