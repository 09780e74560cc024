"""One generator against one discriminator: algorithm 1 of Goodfellow et al. 2014, with or without a condition."""

import keras
import tensorflow as tf

from models import objectives, precision
from models.catalog import lookup
from models.config import Experiment
from models.ema import WeightAverage
from models.gans.base import GAN, Batch, make_optimizer


class AdversarialGAN(GAN):
    """k discriminator updates, each on fresh images and noise, then one generator update on fresh noise."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        training = experiment.training
        self.architecture = lookup("network", experiment.network.name)
        self.objective = lookup("objective", experiment.objective.name)
        weights = experiment.objective.penalties
        self.penalties = [(name, lookup("penalty", name), weight) for name, weight in weights.items()]
        self.conditional = experiment.network.condition != "none"
        self.reads_real = objectives.generator_reads_real(self.objective)
        self.draws = training.discriminator_steps + (self.reads_real or self.conditional)
        with precision.scope(training.precision):
            self.generator = self.architecture.generator(experiment.network, experiment.data)
            self.discriminator = self.architecture.discriminator(experiment.network, experiment.data)
            average = self.architecture.generator(experiment.network, experiment.data)
        self.networks = {"generator": self.generator, "discriminator": self.discriminator}
        self.averages = [
            WeightAverage(
                self.generator,
                average,
                half_life_images=training.ema_half_life_images,
                batch_size=training.batch_size,
            )
        ]
        self.optimizers = {
            "generator": make_optimizer(training.generator_optimizer, training),
            "discriminator": make_optimizer(training.discriminator_optimizer, training),
        }
        for name, optimizer in self.optimizers.items():
            optimizer.build(self.networks[name].trainable_variables)

    def train_step(self, batch: Batch, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `GAN.train_step`. Logs both losses, the logits' accuracies and the penalties."""
        logs: dict[str, tf.Tensor] = {}
        for draw in range(self.experiment.training.discriminator_steps):
            z = self.noise(step, draw, self._size(batch))
            logs |= self.discriminator_step(self._real(batch, draw), z, self.seed(step, draw))
        return logs | self.generator_step(self._real(batch, self.draws - 1), self.noise(step, 63, self._size(batch)))

    def discriminator_step(self, real: Batch, z: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Updates the discriminator; nothing of the generator changes but what its batch normalisation has seen."""
        condition = self._condition(real)
        fake_image = self.generator({"z": z} | condition, training=True)

        def critic(image: tf.Tensor) -> tf.Tensor:
            return self.discriminator({"image": image} | condition, training=True)

        with tf.GradientTape() as tape:
            real_logits, fake_logits = critic(real["image"]), critic(fake_image)
            losses = self.objective(real_logits, fake_logits)
            loss = self.mean(losses.discriminator)
            logs = {"d_loss": loss}
            for i, (name, penalty, weight) in enumerate(self.penalties):
                # folded, so that no penalty shares its numbers with another or with z
                own_seed = tf.random.fold_in(seed, i, alg="philox")
                logs[f"d_{name}"] = self.mean(penalty(critic, real["image"], fake_image, own_seed))
                loss += weight * logs[f"d_{name}"]
        self._apply("discriminator", tape, loss)
        logs["d_real_accuracy"] = self.mean(tf.cast(real_logits > 0, tf.float32))
        logs["d_fake_accuracy"] = self.mean(tf.cast(fake_logits < 0, tf.float32))
        return logs

    def generator_step(self, real: Batch, z: tf.Tensor) -> dict[str, tf.Tensor]:
        """Updates the generator; the discriminator's weights stay."""
        condition = self._condition(real)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in self.generator.trainable_variables])
            fake_image = self.generator({"z": z} | condition, training=True)
            fake_logits = self.discriminator({"image": fake_image} | condition, training=True)
            real_logits = fake_logits
            if self.reads_real:
                real_logits = self.discriminator({"image": real["image"]} | condition, training=True)
            loss = self.mean(self.objective(real_logits, fake_logits).generator)
        self._apply("generator", tape, loss)
        return {"g_loss": loss}

    def sampler(self) -> keras.Model:
        """See `GAN.sampler`: a float32 copy of the averaged generator."""
        with precision.scope("float32"):
            network = self.architecture.generator(self.experiment.network, self.experiment.data)
        network.set_weights(self.averages[0].average.get_weights())
        return network

    def _apply(self, name: str, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        variables = self.networks[name].trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self.optimizers[name].apply(gradients, variables)

    def _real(self, batch: Batch, draw: int) -> Batch:
        """One of the step's real batches, pixels scaled to [-1, 1]."""
        taken = {name: value[draw] for name, value in batch.items()}
        return taken | {"image": tf.cast(taken["image"], tf.float32) / 127.5 - 1}

    def _condition(self, real: Batch) -> dict[str, tf.Tensor]:
        return {"label": real["label"]} if self.conditional else {}

    @staticmethod
    def _size(batch: Batch) -> int:
        return batch["image"].shape[1]
