"""What is added to the discriminator's loss to keep its gradients in bounds.

A penalty is a function `(critic, real, fake) -> [batch]`; the train step weights it and takes the mean.
"""

from collections.abc import Callable

import tensorflow as tf

from models.objectives import PerExample

Critic = Callable[[tf.Tensor], tf.Tensor]
"""Images [batch, height, width, channels] -> logits [batch], the condition already applied."""


def r1(critic: Critic, real: tf.Tensor, fake: tf.Tensor) -> PerExample:
    """Half the squared norm of the critic's gradient at real images.

    Args:
        critic: the discriminator.
        real: real images, [batch, height, width, channels], float.
        fake: not read.

    Returns:
        |grad critic(real)|^2 / 2 an example, [batch] float32, at least 0.

    Reference: Mescheder, Geiger & Nowozin 2018, equation 9; their gamma is the weight.
    """
    del fake
    return squared_gradient_norm(critic, real) / 2


def squared_gradient_norm(critic: Critic, images: tf.Tensor) -> PerExample:
    """|grad critic(images)|^2 an example, [batch] float32; differentiable."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        # examples do not mix in the critic, so the gradient of the sum holds each example's own gradient
        total = tf.reduce_sum(critic(images))
    gradient = tf.cast(tape.gradient(total, images), tf.float32)
    return tf.reduce_sum(gradient**2, axis=list(range(1, len(images.shape))))
