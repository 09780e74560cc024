"""A Laplacian pyramid of generators: the coarsest draws from noise, each finer one adds detail to what lies below."""

import functools
from collections.abc import Callable, Sequence
from typing import cast

import keras
import tensorflow as tf

from models.config import Experiment, Laplacian
from models.config.variants import made_by
from models.gans import pyramids
from models.gans.base import GAN, Batch, Inputs, Logs, Phase, Player, call_unchanged
from models.gans.game import Game
from models.networks.refiner import refiner
from models.randomness import key


class LaplacianGAN(GAN):
    """A generator and a discriminator a level; level 0 is the coarsest, and its generator one of the catalog.

    In training each finer generator is given the real image, halved and enlarged again; it draws what was lost, and its
    discriminator judges the sum. Levels share nothing, so that they learn in one step, or one after the other. Sampling
    runs from coarse to fine: there each level is given what the one below has drawn. The served model is one network:
    its noise is cut into a part for each level.

    Reference: Denton et al. 2015, sections 3.1 and 3.2. Theirs adds the low-pass image to the residual at the
    discriminator's input likewise; here both networks read the label at every level where the generator does.
    """

    def __init__(self, experiment: Experiment):
        self.scheme = cast(Laplacian, experiment.scheme)
        training, levels = experiment.training, range(self.scheme.levels)
        updates = [self.scheme.coarse_steps or training.steps for _ in levels[1:]] + [training.steps]
        drawing = {
            f"generator_{level}": Player(
                self._generator(experiment, level), training.generator_optimizer, updates[level], averaged=True
            )
            for level in levels
        }
        judging = {
            f"discriminator_{level}": Player(
                self._discriminator(experiment, level), training.discriminator_optimizer, updates[level]
            )
            for level in levels
        }
        super().__init__(experiment, drawing | judging)
        self.games = [Game(self, f"discriminator_{level}", f"d_{level}") for level in levels]

    @staticmethod
    def _generator(experiment: Experiment, level: int) -> Callable[[], keras.Model]:
        scheme = cast(Laplacian, experiment.scheme)
        latent = scheme.generator.latent.model_copy(update={"size": scheme.noise[level]})
        variant, data = scheme.generator.model_copy(update={"latent": latent}), scheme.at(experiment.data, level)
        if level:
            return functools.partial(refiner, scheme.refiner, variant, data)
        return functools.partial(made_by("generator", variant), variant, data)

    @staticmethod
    def _discriminator(experiment: Experiment, level: int) -> Callable[[], keras.Model]:
        scheme = cast(Laplacian, experiment.scheme)
        variant = scheme.discriminator
        return functools.partial(made_by("discriminator", variant), variant, scheme.at(experiment.data, level), codes=0)

    def phases(self) -> Sequence[Phase]:
        """See `GAN.phases`: one, or one a level, the coarsest first."""
        steps, coarse = self.experiment.training.steps, self.scheme.coarse_steps
        levels = range(self.scheme.levels)
        if not coarse:
            return [Phase("levels", steps, functools.partial(self.step, levels), draws=1)]
        return [
            Phase(
                f"level_{level}",
                steps if level == levels[-1] else coarse,
                functools.partial(self.step, [level]),
                draws=1,
                trains=(f"generator_{level}", f"discriminator_{level}"),
            )
            for level in levels
        ]

    def step(self, levels: Sequence[int], batch: Batch, step: tf.Tensor) -> Logs:
        """An update of the discriminator and then of the generator of each of these levels."""
        real = self.real(batch, 0)
        sizes = pyramids.images(real["target"], self.scheme.levels)
        logs: Logs = {}
        for level in levels:
            coarser = sizes[level - 1] if level else None
            logs |= self.play(level, {**real, "target": sizes[level]}, coarser, step)
        return logs

    def play(self, level: int, real: Inputs, coarser: tf.Tensor | None, step: tf.Tensor) -> Logs:
        """Updates the players of a level.

        Args:
            level: its number.
            real: examples of its size.
            coarser: the same examples at half that size; None at the coarsest level.
            step: of the training.
        """
        game, name = self.games[level], f"generator_{level}"
        network = self.networks[name]
        inputs, below = self.fed(level, real, coarser, self.key(step, game.name))
        fake = {**real, "target": below + call_unchanged(network, inputs)}
        logs = game.discriminator_step(real, fake, step, self.key(step, game.name))
        inputs, below = self.fed(level, real, coarser, self.key(step, name))
        with tf.GradientTape() as tape:
            fake = {**real, "target": below + network(inputs, training=True)}
            loss = game.generator_loss(real, fake, step, self.key(step, name))
        return logs | {f"g_{level}_loss": loss, f"g_{level}_gradient_norm": self.update(name, tape, loss)}

    def fed(
        self, level: int, real: Inputs, coarser: tf.Tensor | None, key: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """What the generator of a level takes for these examples, and the image that its output is added to."""
        drawn = self.task.inputs(self.experiment, real, key)
        inputs = drawn | {"z": self._part(drawn["z"], level)}
        if coarser is None:
            return inputs, tf.constant(0.0)
        enlarged = pyramids.up(coarser)
        return inputs | {"input": enlarged}, enlarged

    def _part(self, z: tf.Tensor, level: int) -> tf.Tensor:
        """The part of the noise, [batch, latent.size], that a level takes."""
        begin = sum(self.scheme.noise[:level])
        return z[:, begin : begin + self.scheme.noise[level]]

    def drawn(self, networks: Sequence[keras.Model], inputs: Inputs, coarse: tf.Tensor | None = None) -> tf.Tensor:
        """Draws images from coarse to fine.

        In training a finer level is given real coarse images, here those of the level below: how much worse it draws
        for that is seen where real ones are given here, too.

        Args:
            networks: the generators of all levels.
            inputs: what the whole model takes.
            coarse: images to go on from, [batch, s, s, c], of the size of any level but the finest; None to draw them.

        Returns:
            [batch, r, r, c] float32.

        Raises:
            ValueError: `coarse` has the size of no such level.
        """
        first, image = 0 if coarse is None else self._above(coarse), coarse
        for level, network in list(enumerate(networks))[first:]:
            taken = dict(inputs) | {"z": self._part(inputs["z"], level)}
            if image is None:
                image = network(taken, training=False)
            else:
                enlarged = pyramids.up(image)
                image = enlarged + network(taken | {"input": enlarged}, training=False)
        return image

    def _above(self, coarse: tf.Tensor) -> int:
        """The level that goes on from images of this size."""
        sizes = [self.scheme.at(self.experiment.data, level).resolution for level in range(self.scheme.levels - 1)]
        if coarse.shape[1] not in sizes:
            raise ValueError(
                f"finer levels go on from images of {' or '.join(map(str, sizes))} pixels; received {coarse.shape[1]}"
            )
        return sizes.index(coarse.shape[1]) + 1

    def samplers(self) -> dict[str, keras.Model]:
        """See `GAN.samplers`: one network, whose values stay in the range of pixels."""
        networks = [self.exported(f"generator_{level}") for level in range(self.scheme.levels)]
        inputs = {"z": keras.Input([self.experiment.latent.size], name="z")}
        if "label" in networks[0].input:
            inputs["label"] = keras.Input([], dtype="int32", name="label")
        image = keras.ops.clip(self.drawn(networks, inputs), -1, 1)
        return {"serving_default": keras.Model(inputs, image, name="generator")}

    def judges(self) -> dict[str, keras.Model]:
        """See `GAN.judges`: that of the finest level, which sees whole images."""
        found = super().judges()
        return {"discriminate": found[f"discriminate_{self.scheme.levels - 1}"]} if found else {}

    def generate(self, examples: Inputs, seed: int) -> tf.Tensor:
        """See `GAN.generate`."""
        inputs = self.task.inputs(self.experiment, examples, key(seed, 0, "look"))
        networks = [self.averages[f"generator_{level}"].average for level in range(self.scheme.levels)]
        return tf.clip_by_value(self.drawn(networks, inputs), -1, 1)
