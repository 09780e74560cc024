"""Restoration of degraded examples: by squared error alone at first, then against a discriminator as well."""

from collections.abc import Sequence
from typing import cast

import tensorflow as tf

from models import replicas
from models.config import Experiment, Restoration
from models.gans.adversarial import AdversarialGAN
from models.gans.base import Batch, Inputs, Logs, Phase, Player
from models.perceptual import ContentDistance
from models.randomness import Key


class RestorationGAN(AdversarialGAN):
    """A generator that is given degraded examples and is to give them back.

    Two phases. In `pretraining` the generator alone learns, by the squared error, which ends at the mean of all that
    a degraded example may have been. In `adversarial` algorithm 1 is played, where the generator minimises the
    adversarial loss and `fidelity_weight` times the squared error, and leaves that mean for what looks real; with
    `content`, the squared error of features as well. Each phase has its own optimizer of the generator: the second
    begins with its own rate and no momentum. With `adversarial_weight` 0 nobody plays: SRResNet alone.

    What is served takes a degraded example.

    Reference: Ledig et al. 2017, sections 2.2 and 3.2 (SRResNet, then SRGAN).
    """

    scheme: Restoration

    def __init__(self, experiment: Experiment):
        weight = cast(Restoration, experiment.scheme).adversarial_weight
        super().__init__(experiment, adversarial_weight=1 if weight is None else weight)
        self.content = ContentDistance(self.scheme.content) if self.scheme.content else None

    @staticmethod
    def players_of(experiment: Experiment) -> dict[str, Player]:
        """See `AdversarialGAN`; the pretraining trains the generator's network too."""
        scheme = cast(Restoration, experiment.scheme)
        players = AdversarialGAN.players_of(experiment)
        phase = scheme.pretraining
        return players | {"pretraining": Player("generator", phase.optimizer, phase.steps)}

    def phases(self) -> Sequence[Phase]:
        """See `GAN.phases`: two."""
        first = self.scheme.pretraining
        step = self.pretraining_step
        pretraining = Phase("pretraining", first.steps, step, draws=1, batch_size=first.batch_size)
        return [pretraining, *super().phases()]

    def pretraining_step(self, batch: Batch, step: tf.Tensor) -> Logs:
        """One update of the generator by the squared error, which is logged with the gradient's norm."""
        real = self.real(batch, 0)
        inputs = self.fed(real, self.key(step, "pretraining"))
        with tf.GradientTape() as tape:
            restored = self.networks["generator"](inputs, training=True)
            loss = replicas.share_of_mean((restored - real["target"]) ** 2)
        return {"fidelity_loss": loss, "g_gradient_norm": self.update("pretraining", tape, loss)}

    def further_loss(self, real: Inputs, fake: Inputs, inputs: Inputs, key: Key) -> tuple[tf.Tensor, Logs]:
        """See `AdversarialGAN.further_loss`: the weighted squared error, and that of features where it is asked for."""
        fidelity = replicas.share_of_mean((fake["target"] - real["target"]) ** 2)
        loss, logs = self.scheme.fidelity_weight * fidelity, {"fidelity_loss": fidelity}
        if self.scheme.content is not None and self.content is not None:
            logs["content_loss"] = replicas.share_of_mean(self.content(real["target"], fake["target"]))
            loss += self.scheme.content.weight * logs["content_loss"]
        return loss, logs
