"""The scheme."""

import tensorflow as tf

from models import replicas
from models.gans.base import GAN, Phase, Player, builder, call_unchanged
from models.gans.game import Game


class ContinuationGAN(GAN):
    def __init__(self, experiment):
        training = experiment.training
        super().__init__(
            experiment,
            {
                "generator": Player(
                    builder(experiment, "translator"), training.generator_optimizer, training.steps, averaged=True
                ),
                "discriminator": Player(
                    builder(experiment, "discriminator"), training.discriminator_optimizer, training.steps
                ),
            },
        )
        self.game = Game(self)

    def phases(self):
        return [Phase("adversarial", self.experiment.training.steps, self.step, draws=1)]

    def step(self, batch, step):
        real, key = self.real(batch, 0), self.key(step, "step")
        inputs = self.task.inputs(self.experiment, real, key)
        fake = {"target": call_unchanged(self.networks["generator"], inputs)}
        logs = self.game.discriminator_step(real, fake, step, key)
        with tf.GradientTape() as tape:
            made = {"target": self.networks["generator"](inputs, training=True)}
            loss = self.game.generator_loss(real, made, step, key)
            error = replicas.share_of_mean(abs(made["target"] - real["target"]))
            total = loss + self.experiment.scheme.fidelity_weight * error
        norm = self.update("generator", tape, total)
        return logs | {"g_loss": loss, "fidelity_loss": error, "g_gradient_norm": norm}
