"""Optimizers and schedules, from their configuration."""

from typing import Any

import keras
import tensorflow as tf

from models.config import Optimizer


def make_optimizer(optimizer: Optimizer, updates: int, scale: Any = 1.0) -> keras.optimizers.Optimizer:
    """The Keras optimizer that a configuration describes.

    Args:
        optimizer: its configuration; `clip_norm` is not read: gradients are clipped where they are complete.
        updates: of the whole training, which the schedule spans.
        scale: factor of the learning rate, a scalar or a variable.
    """
    warmup = optimizer.warmup_updates
    rate = Schedule(optimizer.learning_rate, optimizer.schedule, warmup, max(1, updates - warmup), scale)
    match optimizer.name:
        case "adam":
            return Adam(rate, optimizer.beta_1, optimizer.beta_2)
        case "adamw":
            return keras.optimizers.AdamW(rate, optimizer.weight_decay, optimizer.beta_1, optimizer.beta_2)
        case "lion":
            decay = optimizer.weight_decay or None
            return keras.optimizers.Lion(rate, optimizer.beta_1, optimizer.beta_2, weight_decay=decay)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate, momentum=optimizer.momentum)
        case _:
            return keras.optimizers.SGD(rate, momentum=optimizer.momentum)


class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, fused.

    Keras composes the update of twelve operations, each of which reads and writes as much as the network weighs; the
    fused one passes over weights, gradient and moments once. Sparse gradients are left to Keras.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """See Keras."""
        if isinstance(gradient, tf.IndexedSlices) or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        index, kind = self._get_variable_index(variable), variable.dtype
        count = tf.cast(self.iterations.value + 1, kind)
        beta_1, beta_2 = (tf.cast(beta, kind) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1**count,
            beta2_power=beta_2**count,
            lr=tf.cast(learning_rate, kind),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, kind),
            grad=tf.cast(gradient, kind),
        )


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise, then constant, or a fall: to 0 (linear, cosine), a hundredth (exponential), a tenth (step).

    Args:
        rate: the highest.
        shape: `constant`, `linear`, `cosine`, `exponential`; `step`, half-way; or `half_linear`, which is constant for
            the first half and falls to 0 in the second (Zhu et al. 2017, section 4).
        warmup: updates of the rise; update i < warmup has the rate rate * (i + 1) / warmup.
        fall: updates of the fall.
        scale: factor of all, a scalar or a variable.
    """

    def __init__(self, rate: float, shape: str, warmup: int, fall: int, scale: Any = 1.0):
        self.rate, self.shape, self.warmup, self.fall, self.scale = rate, shape, warmup, fall, scale

    def __call__(self, step: Any) -> Any:
        """The rate of update `step`, which counts from 0."""
        step = keras.ops.cast(step, "float32")
        done = keras.ops.clip((step - self.warmup) / self.fall, 0.0, 1.0)
        factor = {
            "constant": lambda: keras.ops.ones_like(done),
            "linear": lambda: 1 - done,
            "cosine": lambda: (1 + keras.ops.cos(3.141592653589793 * done)) / 2,
            "exponential": lambda: keras.ops.exp(-4.605170185988092 * done),
            "step": lambda: keras.ops.where(done < 0.5, 1.0, 0.1),
            "half_linear": lambda: keras.ops.minimum(2 * (1 - done), 1.0),
        }[self.shape]()
        rise = keras.ops.minimum((step + 1) / self.warmup, 1.0) if self.warmup else 1.0
        return self.rate * factor * rise * self.scale

    def get_config(self) -> dict[str, Any]:
        """See Keras."""
        return {
            "rate": self.rate,
            "shape": self.shape,
            "warmup": self.warmup,
            "fall": self.fall,
            "scale": float(self.scale),
        }
