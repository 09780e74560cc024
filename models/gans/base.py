"""What the loop, the checkpoints, the averages, the monitor and the export know of any training scheme."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import keras
import tensorflow as tf

from models import replicas
from models.columns import kind_of
from models.config import Experiment, Optimizer
from models.config.variants import made_by
from models.randomness import Name, key
from models.tasks import Inputs, task_of
from models.training import precision
from models.training.averages import WeightAverage
from models.training.optimizers import make_optimizer

Batch = Mapping[str, tf.Tensor]
"""Real examples of one step and replica, as `models.examples.batches` gives them: role -> [draws, batch, ...]."""

Build = Callable[[], keras.Model]

Logs = dict[str, tf.Tensor]
"""Scalars, float32, each this replica's share of a mean over all: the loop sums them."""


class Player(NamedTuple):
    """A network of a scheme and how it learns.

    Attributes:
        build: makes it; called again for its average and for the copy that is exported. Or the name of an earlier
            player, whose network this one is too: with an optimizer of its own, such as that of another phase.
        optimizer: None for a network that is never updated.
        updates: how often it is updated in the whole training: a schedule spans them.
        averaged: whether an average of its weights is kept, which is what is sampled.
    """

    build: Build | str
    optimizer: Optimizer | None
    updates: int
    averaged: bool = False


class Phase(NamedTuple):
    """A part of the training with a step of its own; the loop runs the phases one after the other.

    Attributes:
        name: for logs.
        steps: how many.
        step: `(batch, step) -> Logs`; runs in a replica. `step` is the number of the step in the whole training, an
            int64 scalar: all randomness follows from it.
        draws: real batches that one step consumes.
        batch_size: examples of each, over all replicas; None for that of the training.
        trains: the players whose averages move; None for all.
    """

    name: str
    steps: int
    step: Callable[[Batch, tf.Tensor], Logs]
    draws: int
    batch_size: int | None = None
    trains: tuple[str, ...] | None = None


class Stretch(NamedTuple):
    """A phase at its place in the training.

    Attributes:
        phase: what is done.
        first: its first step.
        end: the step after its last.
        batch_size: examples of a real batch, over all replicas.
        drawn_before: real examples that were drawn before it.
        seen_before: images that were trained on before it: a step counts one batch, however many it draws.
    """

    phase: Phase
    first: int
    end: int
    batch_size: int
    drawn_before: int
    seen_before: int

    def seen(self, step: Any) -> Any:
        """Images that were trained on after so many steps of the whole training, a number or a tensor."""
        return self.seen_before + (step - self.first) * self.batch_size


def stretches(phases: Sequence[Phase], batch_size: int) -> list[Stretch]:
    """The phases that have steps, one after the other.

    Args:
        phases: of a GAN.
        batch_size: of those that have none of their own.
    """
    found: list[Stretch] = []
    first = drawn = seen = 0
    for phase in phases:
        if phase.steps:
            size = phase.batch_size or batch_size
            found.append(Stretch(phase, first, first + phase.steps, size, drawn, seen))
            first, drawn, seen = (
                first + phase.steps,
                drawn + phase.steps * phase.draws * size,
                seen + phase.steps * size,
            )
    return found


class GAN(keras.Model):
    """A training scheme: any number of networks, and the phases in which they are trained.

    A scheme names its players, under the strategy's scope, and defines `phases`. What its generator takes is its task's
    affair; a scheme with several generators to serve defines `samplers`, one that draws in several steps `generate`.

    Args:
        experiment: what to train.
        players: name -> player, in the order in which their initial weights are drawn.

    Attributes:
        task: what a model of it takes, and is held against.
        networks: name -> network in training.
        optimizers: name -> optimizer, built over its network's variables.
        averages: name -> average of the network of this name.
        rate_scale: factor of all learning rates, float32 scalar; the loop halves it when it rolls a training back.
        extra: name -> further state that a resumed run needs, such as a pool of images; the same on every replica.
    """

    def __init__(self, experiment: Experiment, players: Mapping[str, Player]):
        super().__init__(name=experiment.name.replace("-", "_"))
        training = experiment.training
        self.experiment, self.replicas = experiment, replicas.count()
        self.task = task_of(experiment)
        self.players = dict(players)
        self.builds = {name: each.build for name, each in players.items() if not isinstance(each.build, str)}
        sharing = {name: each.build for name, each in players.items() if isinstance(each.build, str)}
        with precision.scope(training.precision):
            self.networks = {name: build() for name, build in self.builds.items()}
            averages = {name: build() for name, build in self.builds.items() if players[name].averaged}
        self.networks |= {name: self.networks[other] for name, other in sharing.items()}
        self.averages = {
            name: WeightAverage(
                self.networks[name],
                average,
                half_life_images=training.ema_half_life_images,
                ramp_up=training.ema_ramp_up,
            )
            for name, average in averages.items()
        }
        self.rate_scale = replicas.shared(1.0)
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}
        for name, player in players.items():
            if player.optimizer:
                self.optimizers[name] = make_optimizer(player.optimizer, player.updates, self.rate_scale)
                self.optimizers[name].build(self.networks[name].trainable_variables)
        self.extra: dict[str, tf.Variable] = {"rate_scale": self.rate_scale}

    def phases(self) -> Sequence[Phase]:
        """The phases in their order; their steps are those of the training."""
        raise NotImplementedError(f"{type(self).__name__} defines phases")

    def left(self, step: tf.Tensor) -> tf.Tensor:
        """How much of its phase is left at a step, float32 from 1 down: what fades does so within a phase."""
        found = stretches(self.phases(), self.experiment.training.batch_size)
        number = tf.reduce_sum(tf.cast([step >= each.end for each in found[:-1]], tf.int64)) if found[1:] else 0
        end = tf.gather(tf.constant([each.end for each in found], tf.int64), number)
        steps = tf.gather(tf.constant([each.end - each.first for each in found], tf.float32), number)
        return tf.cast(end - step, tf.float32) / steps

    def samplers(self) -> dict[str, keras.Model]:
        """What is exported: signature's name -> network, float32, averaged weights as of now; the main one first."""
        return {"serving_default": self.exported("generator")}

    def judges(self) -> dict[str, keras.Model]:
        """Discriminators to export: `discriminate`, with what follows in the player's name -> network, float32.

        None where they look at several examples together: what is said of a row would depend on its neighbours.
        """
        if self.experiment.scheme.discriminator.joint:
            return {}
        names = [name for name in self.builds if name.startswith("discriminator")]
        return {f"discriminate{name.removeprefix('discriminator')}": self.exported(name) for name in names}

    def generate(self, examples: Inputs, seed: int) -> tf.Tensor:
        """A generated example for each of these real ones, by the averaged generator.

        Args:
            examples: each column [n, ...] as networks take it; the task says what of them is read.
            seed: of the noise; equal seeds and examples give equal results.

        Returns:
            [n, ...] float32, as the network gives it.
        """
        inputs = self.task.inputs(self.experiment, examples, key(seed, 0, "look"))
        return self.averages["generator"].average(inputs, training=False)

    def exported(self, name: str) -> keras.Model:
        """A float32 copy of a player with its averaged weights, or its own where no average is kept."""
        with precision.scope("float32"):
            network = self.builds[name]()
        source = self.averages[name].average if name in self.averages else self.networks[name]
        network.set_weights(source.get_weights())
        return network

    def state(self) -> dict[str, tf.Variable]:
        """Every variable that a resumed run needs, by its owner and its place there (Keras counts names up)."""
        owners: dict[str, Any] = {name: self.networks[name] for name in self.builds}
        owners |= {f"{name}_optimizer": each for name, each in self.optimizers.items()}
        owners |= {f"{name}_average": each.average for name, each in self.averages.items()}
        state = {
            f"{name}/{i:03d}": variable.value
            for name, owner in owners.items()
            for i, variable in enumerate(owner.variables)
        }
        return state | {f"extra/{name}": variable for name, variable in self.extra.items()}

    def update(self, name: str, tape: tf.GradientTape, loss: tf.Tensor) -> tf.Tensor:
        """Updates one player by the gradient of its loss; returns the gradient's norm. See `gradients`, `apply`."""
        return self.apply(name, self.gradients(name, tape, loss))

    def gradients(self, name: str, tape: tf.GradientTape, loss: tf.Tensor) -> list[tf.Tensor]:
        """This replica's share of the gradients of a player's trainable weights."""
        return list(tape.gradient(loss, [variable.value for variable in self.networks[name].trainable_variables]))

    def apply(self, name: str, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
        """Updates a player's weights.

        Args:
            name: of the player.
            gradients: this replica's shares, as `gradients` gives them.

        Returns:
            The norm of this replica's share, a float32 scalar: summed over replicas it bounds the gradient's norm.
        """
        norm = tf.linalg.global_norm(gradients)
        config = self.players[name].optimizer
        if config and config.clip_norm:
            gradients = replicas.clipped(gradients, replicas.summed(gradients), config.clip_norm)
        self.optimizers[name].apply(gradients, self.networks[name].trainable_variables)
        return norm

    def real(self, batch: Batch, draw: int) -> dict[str, tf.Tensor]:
        """One of the step's real batches, scaled as networks take it."""
        return {
            column.role: kind_of(column).scaled(column, batch[column.role][draw])
            for column in self.experiment.data.columns
        }

    def key(self, step: tf.Tensor, *names: Name) -> tf.Tensor:
        """The key of what these names say in this step of this training, int64 [2]; see `models.randomness`."""
        return key(self.experiment.training.seed, step, *names)


def builder(experiment: Experiment, player: Literal["generator", "translator", "discriminator"]) -> Build:
    """Makes a network of the experiment's scheme.

    Args:
        experiment: whose scheme has the players.
        player: a translator is a generator that takes an example.

    Raises:
        ValueError: what makes it cannot be imported.
    """
    scheme, data = experiment.scheme, experiment.data
    if player == "discriminator":
        return functools.partial(
            made_by(player, scheme.discriminator), scheme.discriminator, data, codes=scheme.generator.codes
        )
    return functools.partial(made_by(player, scheme.generator), scheme.generator, data)


def call_unchanged(network: keras.Model, inputs: Inputs, weights: Sequence[tf.Tensor] | None = None) -> Any:
    """Calls a network as in training, but leaves its state as it is: moving statistics, power iterations, counters.

    Args:
        network: any.
        inputs: what it takes.
        weights: used in the place of its trainable weights, in their order.
    """
    trainable = weights or [variable.value for variable in network.trainable_variables]
    rest = [variable.value for variable in network.non_trainable_variables]
    outputs, _ = network.stateless_call(trainable, rest, dict(inputs), training=True)
    return outputs
