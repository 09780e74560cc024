"""What the loop, the checkpoints, the averages and the export know of any training scheme."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.config import Experiment, Optimizer, Training
from models.ema import WeightAverage

Batch = Mapping[str, tf.Tensor]
"""Real examples of one step and replica: `image` uint8 [draws, batch, r, r, c], `label` int64 [draws, batch]."""


class GAN(keras.Model):
    """A training scheme: networks, their optimizers and one step.

    A scheme fills these in its `__init__`, under the strategy's scope:

    Attributes:
        networks: name -> network in training.
        optimizers: name -> optimizer, built over its network's variables.
        averages: weight averages that the loop moves after each step.
        draws: real batches that one step consumes.
    """

    networks: dict[str, keras.Model]
    optimizers: dict[str, keras.optimizers.Optimizer]
    averages: list[WeightAverage]
    draws: int

    def __init__(self, experiment: Experiment):
        super().__init__(name=experiment.name.replace("-", "_"))
        self.experiment = experiment
        self.replicas = tf.distribute.get_strategy().num_replicas_in_sync

    def train_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update of the generator, with all that goes before it; runs in a replica.

        Args:
            batch: this replica's share of the step's real examples.
            step: the step's number, int64 scalar; all randomness follows from it.

        Returns:
            Scalars to log, float32, each this replica's share of a mean over all: the loop sums them.
        """
        raise NotImplementedError(f"{type(self).__name__} defines train_step")

    def sampler(self) -> keras.Model:
        """The network to export: {`z` (, `label`)} -> images in [-1, 1]; float32, weights as of now."""
        raise NotImplementedError(f"{type(self).__name__} defines sampler")

    def state(self) -> dict[str, tf.Variable]:
        """Every variable that a resumed run needs, by its owner and its place there (Keras counts names up)."""
        owners: dict[str, Any] = self.networks | {f"{name}_optimizer": each for name, each in self.optimizers.items()}
        owners |= {f"average_{i}": each.average for i, each in enumerate(self.averages)}
        return {
            f"{name}/{i:03d}": variable.value
            for name, owner in owners.items()
            for i, variable in enumerate(owner.variables)
        }

    def mean(self, per_example: tf.Tensor) -> tf.Tensor:
        """This replica's share of the mean over the global batch, float32 scalar."""
        # Keras sums gradients over replicas in `apply`; the mean needs the share of this one.
        return tf.reduce_mean(tf.cast(per_example, tf.float32)) / self.replicas

    def seed(self, step: tf.Tensor, use: int) -> tf.Tensor:
        """The seed of one use of randomness in a step, int64 [2]; `use` is below 64."""
        return tf.stack([tf.cast(self.experiment.training.seed, tf.int64), step * 64 + use])

    def noise(self, step: tf.Tensor, use: int, size: int) -> tf.Tensor:
        """This replica's rows of the global batch of standard normal noise.

        Args:
            step: the step's number.
            use: which of the step's noise batches.
            size: rows for this replica.

        Returns:
            [size, latent_size] float32; the global batch is the same however many replicas share it.
        """
        shape = [size * self.replicas, self.experiment.network.latent_size]
        rows = tf.random.stateless_normal(shape, self.seed(step, use), alg="philox")
        context = tf.distribute.get_replica_context()
        first = (context.replica_id_in_sync_group if context else 0) * size
        return rows[first : first + size]


def make_optimizer(optimizer: Optimizer, training: Training) -> keras.optimizers.Optimizer:
    """The Keras optimizer that a configuration describes; a schedule spans all steps of the training."""
    rate: Any = optimizer.learning_rate
    if optimizer.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(optimizer.learning_rate, training.steps)
    if optimizer.name == "adam":
        return keras.optimizers.Adam(rate, optimizer.beta_1, optimizer.beta_2)
    if optimizer.name == "rmsprop":
        return keras.optimizers.RMSprop(rate, momentum=optimizer.momentum)
    return keras.optimizers.SGD(rate, momentum=optimizer.momentum)
