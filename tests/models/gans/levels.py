"""Two levels trained one after the other, as a pyramid has them: the first draws coarse points, the second refines."""

import functools
from collections.abc import Sequence
from typing import Annotated, ClassVar, cast

import tensorflow as tf

from models import latents
from models.config import DCGANGenerator, Experiment, NoiseGenerator, PointsTranslator, Scheme, Translator
from models.config.networks.generators import GENERATOR
from models.config.networks.translators import TRANSLATOR
from models.config.schemes.curves import Chart, of_players
from models.config.variants import made_by
from models.gans.base import GAN, Batch, Inputs, Logs, Phase, Player, builder, call_unchanged
from models.gans.game import Game
from models.randomness import Key, key


class TwoLevels(Scheme):
    """A scheme of the user's own, with a player more than the catalog's have."""

    implementation: ClassVar[str] = f"{__name__}:Levels"
    generator: Annotated[NoiseGenerator, GENERATOR] = DCGANGenerator()
    refiner: Annotated[Translator, TRANSLATOR] = PointsTranslator(width=8, norm="none")

    @property
    def charts(self) -> tuple[Chart, ...]:
        return of_players({"_coarse": ", coarse", "_fine": ", fine"})


class Levels(GAN):
    """Level 0 draws points on a coarse raster from noise; level 1 moves real coarse points to fine ones, with k = 2."""

    def __init__(self, experiment: Experiment):
        optimizer, half = experiment.training.generator_optimizer, experiment.training.steps // 2
        refiner = cast(TwoLevels, experiment.scheme).refiner
        refine = functools.partial(made_by("translator", refiner), refiner, experiment.data)
        super().__init__(
            experiment,
            {
                "coarse": Player(builder(experiment, "generator"), optimizer, half, averaged=True),
                "coarse_discriminator": Player(builder(experiment, "discriminator"), optimizer, half),
                "fine": Player(refine, optimizer, half, averaged=True),
                "fine_discriminator": Player(builder(experiment, "discriminator"), optimizer, 2 * half),
            },
        )
        self.games = {name: Game(self, f"{name}_discriminator", f"d_{name}") for name in ("coarse", "fine")}

    def phases(self) -> Sequence[Phase]:
        half = self.experiment.training.steps // 2
        return [Phase("coarse", half, self.coarse_step, draws=1), Phase("fine", half, self.fine_step, draws=3)]

    def coarse_step(self, batch: Batch, step: tf.Tensor) -> Logs:
        real = {"target": tf.round(self.real(batch, 0)["target"])}
        return self.play("coarse", [real, real], self.noise(self.key(step, "coarse"), real["target"].shape[0]), step)

    def fine_step(self, batch: Batch, step: tf.Tensor) -> Logs:
        *others, last = (self.real(batch, i) for i in range(3))
        return self.play("fine", [*others, last], {"input": tf.round(last["target"])}, step)

    def play(self, name: str, reals: Sequence[Inputs], inputs: Inputs, step: tf.Tensor) -> Logs:
        """A discriminator update on all but the last batch, then one of the generator."""
        game, network, logs = self.games[name], self.networks[name], {}
        for i, real in enumerate(reals[:-1]):
            fake = {"target": call_unchanged(network, inputs)}
            logs |= game.discriminator_step(real, fake, step, self.key(step, name, i))
        with tf.GradientTape() as tape:
            loss = game.generator_loss(
                reals[-1], {"target": network(inputs, training=True)}, step, self.key(step, name, "generator")
            )
        return logs | {f"g_{name}_loss": loss, f"g_{name}_gradient_norm": self.update(name, tape, loss)}

    def noise(self, key: Key, size: int) -> dict[str, tf.Tensor]:
        """What the first level takes."""
        return latents.drawn(self.experiment.latent, key, size)

    def samplers(self) -> dict:
        return {"serving_default": self.exported("coarse"), "refine": self.exported("fine")}

    def generate(self, examples: Inputs, seed: int) -> tf.Tensor:
        noise = self.noise(key(seed, 0, "look"), len(examples["target"]))
        coarse = self.averages["coarse"].average(noise, training=False)
        return self.averages["fine"].average({"input": tf.round(coarse)}, training=False)
