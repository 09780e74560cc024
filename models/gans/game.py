"""One discriminator and what is played with it: the objective, and all that a configuration adds to it.

Every scheme plays by this module, however many networks it has; schemes differ in what they generate and when.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from models import objectives, penalties, replicas
from models.catalog import lookup
from models.config import CrossEntropy
from models.gans.base import GAN, Inputs, Logs, call_unchanged
from models.randomness import Key, fold


class Judged(NamedTuple):
    """What a discriminator says of a batch, and what it was shown.

    Attributes:
        logit: [batch / pack] float32, or a map of logits, [batch / pack, h, w].
        heads: `label` and `code` of a discriminator that has such heads.
        shown: the examples as it saw them: augmented, noisy, packed.
        beside: what it was given beside them, by name; the `input` as it saw it.
    """

    logit: tf.Tensor
    heads: dict[str, tf.Tensor]
    shown: tf.Tensor
    beside: dict[str, tf.Tensor]


class Game:
    """The losses of a discriminator and of what it judges.

    A map of logits counts as so many examples: the loss is the mean over examples and places. What is said of an
    example as a whole, a penalty or a log, is said of its mean logit.

    Args:
        gan: whose experiment says what is played.
        discriminator: the player's name in `gan.networks`.
        prefix: of its logs.

    Attributes:
        reads_real: whether the generator's loss depends on real examples.
    """

    def __init__(self, gan: GAN, discriminator: str = "discriminator", prefix: str = "d"):
        config = gan.experiment.scheme.objective
        self.gan, self.prefix, self.config = gan, prefix, config
        self.name = discriminator
        self.network: keras.Model = gan.networks[discriminator]
        self.takes = set(self.network.input)
        objective = lookup("objective", config.name)
        self.reads_real = objectives.generator_reads_real(objective)
        self.undecided = objectives.undecided_logit(objective)
        self.losses = objectives.one_sided_label_smoothing(
            objective, config.label_smoothing if isinstance(config, CrossEntropy) else 0
        )
        self.penalties = [(name, lookup("penalty", name), each) for name, each in config.penalties.items()]
        self.pack = gan.experiment.scheme.discriminator.pack

    def discriminator_step(self, real: Inputs, fake: Inputs, step: tf.Tensor, key: Key) -> Logs:
        """Updates the discriminator on a real and a generated batch; nothing else changes."""
        gradients, logs = self.discriminator_gradients(real, fake, step, key)
        return self.apply(gradients, logs)

    def discriminator_gradients(
        self, real: Inputs, fake: Inputs, step: tf.Tensor, key: Key
    ) -> tuple[list[tf.Tensor], Logs]:
        """The gradients of the discriminator's loss, for `apply`, and its logs."""
        with tf.GradientTape() as tape:
            loss, logs = self.discriminator_loss(real, fake, step, key)
        return self.gan.gradients(self.name, tape, loss), logs

    def apply(self, gradients: Sequence[tf.Tensor], logs: Logs) -> Logs:
        """Updates the discriminator, and clips its weights where the objective says so."""
        norm = self.gan.apply(self.name, gradients)
        if self.config.weight_limit:
            for weight in self.network.trainable_variables:
                weight.assign(penalties.clip_weight(weight.value, limit=self.config.weight_limit))
        return logs | {f"{self.prefix}_gradient_norm": norm}

    def discriminator_loss(
        self,
        real: Inputs,
        fake: Inputs,
        step: tf.Tensor,
        key: Key,
        weights: Sequence[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, Logs]:
        """This replica's share of the discriminator's loss with its penalties.

        Args:
            real: `target` and what the discriminator takes beside it; `label` for an auxiliary head.
            fake: likewise of generated examples, and `code` for the head of this name.
            step: of the training.
            key: int64 [2], of this update.
            weights: in the place of the discriminator's own, whose state then stays as it is.
        """
        network = self._caller(weights)
        judged_real = self._judge(network, real, step, fold(key, "real"))
        judged_fake = self._judge(network, fake, step, fold(key, "fake"))
        mean = replicas.share_of_mean
        adversarial = mean(self.losses(_flat(judged_real.logit), _flat(judged_fake.logit)).discriminator)
        loss = adversarial + mean(self._head_loss(judged_real, real) + self._head_loss(judged_fake, fake)) / 2
        each = [_of_example(judged.logit) for judged in (judged_real, judged_fake)]
        logs = {f"{self.prefix}_loss": adversarial} | self._accuracies(*each)

        def critic(shown: tf.Tensor) -> tf.Tensor:
            return _of_example(_logit(network(judged_real.beside | {"target": shown})))

        for name, penalty, chosen in self.penalties:
            compute = functools.partial(
                penalty, critic, judged_real.shown, judged_fake.shown, fold(key, "penalty", name)
            )
            value = self._lazily(step, chosen.every_steps, compute)
            loss += chosen.weight * value
            logs[f"{self.prefix}_{name}"] = value
        return loss, logs

    def generator_loss(
        self,
        real: Inputs,
        fake: Inputs,
        step: tf.Tensor,
        key: Key,
        weights: Sequence[tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """This replica's share of what a generator minimises against this discriminator, whose state stays.

        Args:
            real: read where `reads_real`.
            fake: generated examples, `target`, with what the discriminator takes beside it; `label` and `code` for
                heads.
            step: of the training.
            key: int64 [2], of this update.
            weights: of the discriminator, instead of its own.
        """
        network = self._caller(weights or [variable.value for variable in self.network.trainable_variables])
        judged = self._judge(network, fake, step, fold(key, "fake"))
        real_logit = judged.logit
        if self.reads_real:
            real_logit = self._judge(network, real, step, fold(key, "real")).logit
        loss = replicas.share_of_mean(self.losses(_flat(real_logit), _flat(judged.logit)).generator)
        return loss + replicas.share_of_mean(self._head_loss(judged, fake)) / 2

    def _caller(self, weights: Sequence[tf.Tensor] | None) -> Callable[[Inputs], Any]:
        if weights is None:
            return lambda inputs: self.network(dict(inputs), training=True)
        return lambda inputs: call_unchanged(self.network, inputs, weights)

    def _judge(self, network: Callable[[Inputs], Any], examples: Inputs, step: tf.Tensor, key: Key) -> Judged:
        shown = self._shown(examples["target"], step, key)
        beside = {name: value for name, value in examples.items() if name in self.takes - {"target"}}
        if "input" in beside:
            beside["input"] = pack(self._augmented(beside["input"], key), self.pack)
        outputs = network(beside | {"target": shown})
        heads = {name: value for name, value in outputs.items() if name != "logit"} if isinstance(outputs, dict) else {}
        return Judged(_logit(outputs), heads, shown, beside)

    def _augmented(self, x: tf.Tensor, key: Key) -> tf.Tensor:
        """Changed as the objective says; equal keys change a target and its input alike."""
        if not self.config.augment:
            return x
        return penalties.diff_augment(x, fold(key, "augment"), policy=self.config.augment)

    def _shown(self, x: tf.Tensor, step: tf.Tensor, key: Key) -> tf.Tensor:
        """Examples as the discriminator sees them: augmented, with instance noise, packed."""
        x = self._augmented(x, key)
        if self.config.instance_noise:
            stddev = self.config.instance_noise * self.gan.left(step)
            x = penalties.instance_noise(x, fold(key, "instance noise"), stddev=stddev)
        return pack(x, self.pack)

    def _head_loss(self, judged: Judged, asked: Inputs) -> tf.Tensor:
        """Cross-entropy of an auxiliary label, and the negative log-likelihood of codes, where these were asked for.

        Both by their weight. Reference: Odena, Olah & Shlens 2017, equation 2; Chen et al. 2016, equation 6.
        """
        loss = tf.zeros_like(_of_example(judged.logit))
        if "label" in judged.heads:
            loss += tf.nn.sparse_softmax_cross_entropy_with_logits(asked["label"], judged.heads["label"])
        if "code" in judged.heads and "code" in asked:
            categories = self.gan.experiment.latent.categorical_codes
            guess, code = judged.heads["code"], asked["code"]
            if categories:
                loss += tf.nn.softmax_cross_entropy_with_logits(code[:, :categories], guess[:, :categories])
            # a Gaussian of variance 1, up to its constant
            loss += tf.reduce_sum((code[:, categories:] - guess[:, categories:]) ** 2, axis=1) / 2
        return self.config.auxiliary_weight * loss

    def _lazily(self, step: tf.Tensor, every: int, penalty: Callable[[], tf.Tensor]) -> tf.Tensor:
        if every == 1:
            return replicas.share_of_mean(penalty())
        return tf.cond(step % every == 0, lambda: every * replicas.share_of_mean(penalty()), lambda: tf.constant(0.0))

    def _accuracies(self, real: tf.Tensor, fake: tf.Tensor) -> Logs:
        """How well the logits tell real from generated.

        `auc` is the probability that a real example has the higher logit, ties by half: it needs no threshold. The
        accuracies are shares on the right side of the undecided logit, or of the other side's mean where there is none.
        """
        real, fake = tf.stop_gradient(real), tf.stop_gradient(fake)
        gap = real[:, tf.newaxis] - fake[tf.newaxis, :]
        undecided = self.undecided
        of_real = replicas.global_mean(fake) if undecided is None else undecided
        of_fake = replicas.global_mean(real) if undecided is None else undecided
        logs = {
            "real_logit": real,
            "fake_logit": fake,
            "real_accuracy": real > of_real,
            "fake_accuracy": fake < of_fake,
            "auc": (tf.sign(gap) + 1) / 2,
        }
        return {f"{self.prefix}_{name}": replicas.share_of_mean(value) for name, value in logs.items()}


def pack(x: tf.Tensor, size: int) -> tf.Tensor:
    """Puts consecutive examples behind one another along the last axis: [b, ..., c] -> [b / size, ..., c * size].

    Reference: Lin et al. 2018, section 3.
    """
    if size == 1:
        return x
    rows, *inner, channels = x.shape
    grouped = tf.reshape(x, [rows // size, size, *inner, channels])
    rank = len(inner)
    moved = tf.transpose(grouped, [0, *range(2, 2 + rank), 1, 2 + rank])
    return tf.reshape(moved, [rows // size, *inner, size * channels])


def _logit(outputs: Any) -> tf.Tensor:
    return outputs["logit"] if isinstance(outputs, dict) else outputs


def _flat(logit: tf.Tensor) -> tf.Tensor:
    """Logits, [batch] or [batch, h, w], as an objective takes them: one after the other."""
    return logit if len(logit.shape) == 1 else tf.reshape(logit, [-1])


def _of_example(logit: tf.Tensor) -> tf.Tensor:
    """One logit an example, [batch]: the mean over the places of a map."""
    return logit if len(logit.shape) == 1 else tf.reduce_mean(logit, axis=list(range(1, len(logit.shape))))
