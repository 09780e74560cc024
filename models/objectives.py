"""The games: what discriminator and generator minimise, as pure functions of logits.

An objective is a function `(real, fake) -> Losses` of the discriminator's logits (no sigmoid). It returns one value per
example and never reduces: the mean is taken once, in `train_step`. Logs of sigmoids are written as softplus, which
neither overflows nor loses the gradient. The factor 1/2 of the 2014 paper's cost is kept.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import tensorflow as tf

PerExample: TypeAlias = tf.Tensor
"""[batch], one value an example."""


class Losses(NamedTuple):
    """Both players' losses, each [batch] and of the logits' dtype; lower is better for the player."""

    discriminator: PerExample
    generator: PerExample


Objective = Callable[[tf.Tensor, tf.Tensor], Losses]


def non_saturating(real: tf.Tensor, fake: tf.Tensor) -> Losses:
    """The game that is played in practice: the generator maximises log D(G(z)) instead of minimising log(1 - D(G(z))).

    Args:
        real: discriminator logits of real examples, [batch], any float dtype, unbounded.
        fake: logits of generated examples, [batch], same dtype.

    Returns:
        discriminator: (softplus(-real) + softplus(fake)) / 2, at least 0.
        generator: softplus(-fake) / 2, at least 0.

    Raises:
        ValueError: `real` and `fake` are not both [batch] of one size.

    Reference: Goodfellow et al. 2014, section 3.
    """
    check_logits(real=real, fake=fake)
    return Losses(
        discriminator=(tf.nn.softplus(-real) + tf.nn.softplus(fake)) / 2,
        generator=tf.nn.softplus(-fake) / 2,
    )


def check_logits(**logits: tf.Tensor) -> None:
    """Refuses logits that would broadcast against one another.

    Raises:
        ValueError: they are not all of the same shape [batch].
    """
    shapes = {name: list(value.shape) for name, value in logits.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len({str(shape) for shape in shapes.values()}) != 1:
        received = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"logits have the same shape, [batch]; received {received}")


def generator_reads_real(objective: Objective) -> bool:
    """Whether the generator's loss depends on real logits: autodiff is asked, so that no objective has to say it."""
    real, fake = tf.constant([0.5]), tf.constant([-0.5])
    with tf.GradientTape() as tape:
        tape.watch(real)
        loss = objective(real, fake).generator
    return tape.gradient(loss, real) is not None
