"""One generator against one discriminator: algorithm 1 of Goodfellow et al. 2014, with or without a condition."""

from collections.abc import Sequence
from typing import cast

import keras
import tensorflow as tf

from models import replicas
from models.catalog import lookup
from models.config import Alternating, Experiment
from models.gans.base import GAN, Batch, Inputs, Logs, Phase, Player, builder, call_unchanged
from models.gans.game import Game
from models.gans.unrolled import look_ahead
from models.randomness import Key, fold


class AdversarialGAN(GAN):
    """k discriminator updates, each on fresh examples and noise, then the generator's updates, each on fresh noise.

    A scheme whose generator is fed and judged in another way overrides `players_of`, `fed` and `further_loss`. In one
    that does not play, the generator learns by `further_loss` alone, and the discriminator stays as it began.

    Args:
        experiment: what to train.
        adversarial_weight: of the adversarial loss, beside `further_loss`, in what the generator minimises.
    """

    def __init__(self, experiment: Experiment, *, adversarial_weight: float = 1):
        super().__init__(experiment, self.players_of(experiment))
        self.scheme = cast(Alternating, experiment.scheme)
        self.adversarial_weight = adversarial_weight
        self.game = Game(self)
        fed = set(self.networks["generator"].input) - {"z", "code"}
        reads = self.game.reads_real or fed or self.scheme.unrolled_steps
        self.draws = self.scheme.discriminator_steps + (self.scheme.generator_steps if reads else 0)
        self.generator_penalties = [
            (name, lookup("generator penalty", name), weight)
            for name, weight in self.scheme.objective.generator_penalties.items()
        ]
        for name, _, _ in self.generator_penalties:
            self.extra[f"{name}_memory"] = replicas.shared(0.0)

    @staticmethod
    def players_of(experiment: Experiment) -> dict[str, Player]:
        """The players: a generator or a translator, and its discriminator."""
        training, scheme = experiment.training, cast(Alternating, experiment.scheme)
        k, generator_steps = (scheme.discriminator_steps, scheme.generator_steps) if scheme.plays else (0, 1)
        return {
            "generator": Player(
                builder(experiment, "translator" if scheme.translates else "generator"),
                training.generator_optimizer,
                training.steps * generator_steps,
                averaged=True,
            ),
            "discriminator": Player(
                builder(experiment, "discriminator"),
                training.discriminator_optimizer if scheme.plays else None,
                training.steps * k,
            ),
        }

    def phases(self) -> Sequence[Phase]:
        """See `GAN.phases`: one, `adversarial`, or `supervised` where nobody plays."""
        steps = self.experiment.training.steps
        if self.scheme.plays:
            return [Phase("adversarial", steps, self.step, self.draws)]
        return [Phase("supervised", steps, self.supervised_step, draws=1)]

    def judges(self) -> dict[str, keras.Model]:
        """See `GAN.judges`: none where nobody plays."""
        return super().judges() if self.scheme.plays else {}

    def supervised_step(self, batch: Batch, step: tf.Tensor) -> Logs:
        """One update of the generator by all losses but the adversarial one."""
        real, key = self.real(batch, 0), self.key(step, "supervised")
        inputs = self.fed(real, key)
        with tf.GradientTape() as tape:
            fake = inputs | {"target": self.networks["generator"](inputs, training=True)}
            loss, logs = self.further_loss(real, fake, inputs, key)
        return logs | {"g_gradient_norm": self.update("generator", tape, loss)}

    def step(self, batch: Batch, step: tf.Tensor) -> Logs:
        """All updates of one step. Logs both losses, what the discriminator tells apart, penalties, gradient norms."""
        k = self.scheme.discriminator_steps
        logs: Logs = {}
        if self.scheme.updates == "simultaneous":
            real, fake = self.pair(batch, step, 0)
            gradients, logs = self.game.discriminator_gradients(real, fake, step, self.key(step, "discriminator", 0))
            logs |= self.generator_step(self.real(batch, self.draws - 1), step)
            return self.game.apply(gradients, logs)
        for i in range(k):
            real, fake = self.pair(batch, step, i)
            logs |= self.game.discriminator_step(real, fake, step, self.key(step, "discriminator", i))
        for i in range(self.scheme.generator_steps):
            # the last of the step's real batches, where the generator reads any
            logs |= self.generator_step(self.real(batch, min(k + i, self.draws - 1)), step, i)
        return logs

    def pair(self, batch: Batch, step: tf.Tensor, i: int) -> tuple[Inputs, Inputs]:
        """Fresh real examples, and generated ones for their labels; the generator stays as it is."""
        real = self.real(batch, i)
        inputs = self.fed(real, self.key(step, "discriminator", i))
        return real, inputs | {"target": call_unchanged(self.networks["generator"], inputs)}

    def generator_step(self, real: Inputs, step: tf.Tensor, i: int = 0) -> Logs:
        """Updates the generator; the discriminator stays as it is."""
        key = self.key(step, "generator", i)
        inputs = self.fed(real, key)
        generator = self.networks["generator"]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in generator.trainable_variables])
            fake = inputs | {"target": generator(inputs, training=True)}
            weights = look_ahead(self.game, real, fake, step, key) if self.scheme.unrolled_steps else None
            adversarial = self.game.generator_loss(real, fake, step, key, weights)
            more, logs = self.further_loss(real, fake, inputs, key)
            loss = self.adversarial_weight * adversarial + more
        return logs | {"g_loss": adversarial, "g_gradient_norm": self.update("generator", tape, loss)}

    def fed(self, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """What the generator is fed for these real examples: what a model of its task takes."""
        return self.task.inputs(self.experiment, real, key)

    def further_loss(self, real: Inputs, fake: Inputs, inputs: Inputs, key: Key) -> tuple[tf.Tensor, Logs]:
        """What the generator minimises besides the adversarial loss, this replica's share, and its logs."""
        loss, logs = tf.constant(0.0), {}
        for name, penalty, weight in self.generator_penalties:

            def generate(z: tf.Tensor) -> tf.Tensor:
                return call_unchanged(self.networks["generator"], dict(inputs) | {"z": z})

            memory = self.extra[f"{name}_memory"]
            values, remembered = penalty(generate, inputs["z"], fold(key, "penalty", name), memory.read_value())
            memory.assign(remembered)
            logs[f"g_{name}"] = replicas.share_of_mean(values)
            loss += weight * logs[f"g_{name}"]
        return loss, logs
