"""The games: what discriminator and generator minimise, as pure functions of logits.

An objective is a function `(real, fake) -> Losses` of the discriminator's logits (no sigmoid): `real` of real examples
and `fake` of generated ones, both [batch] of one size and dtype (float32, bfloat16 or float64). It returns one value
per example and never reduces: the mean is taken once, in `train_step`. It raises ValueError when the logits are not
both [batch] of one size. Logs of sigmoids are written as softplus, which neither overflows nor loses the gradient. The
factor 1/2 of the 2014 paper's cost is kept, as is that of least squares.

Losses and gradients are finite for logits up to +-1e4. The f-divergences have a module of their own.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import tensorflow as tf

from models.replicas import global_mean

PerExample: TypeAlias = tf.Tensor
"""[batch], one value an example."""

EXPONENT_LIMIT = 50.0
"""`bounded_exp` and `bounded_expm1` are exact up to here: e^50 = 5e21 leaves room for sums and products in float32."""


class Losses(NamedTuple):
    """Both players' losses, each [batch] and of the logits' dtype; lower is better for the player."""

    discriminator: PerExample
    generator: PerExample


Objective = Callable[[tf.Tensor, tf.Tensor], Losses]


def minimax(real: tf.Tensor, fake: tf.Tensor) -> Losses:
    """The zero-sum game: the generator minimises log(1 - D(G(z))), whose gradient fades while D is sure of its fakes.

    Returns:
        discriminator: (softplus(-real) + softplus(fake)) / 2, at least 0; log 2 on average where D knows nothing.
        generator: -softplus(fake) / 2, at most 0.

    Reference: Goodfellow et al. 2014, equation 1.
    """
    return Losses(_cross_entropy(real, fake), -tf.nn.softplus(fake) / 2)


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
    return Losses(_cross_entropy(real, fake), tf.nn.softplus(-fake) / 2)


def maximum_likelihood(real: tf.Tensor, fake: tf.Tensor) -> Losses:
    """The generator's expected gradient is that of KL(data || model) if D is optimal: D/(1 - D) = e^logit = p/q.

    Few examples, those that D believes most, carry almost all of the gradient: its variance is high.

    Returns:
        discriminator: as in `minimax`.
        generator: -e^fake / 2, at most 0; exact for fake <= 50, beyond that its tangent at 50 (see `bounded_exp`).

    Reference: Goodfellow, NIPS 2016 tutorial, section 3.2.6; Goodfellow 2014, "On distinguishability criteria".
    """
    return Losses(_cross_entropy(real, fake), -bounded_exp(fake) / 2)


def least_squares(real: tf.Tensor, fake: tf.Tensor) -> Losses:
    """Squares around the targets 1 for real and 0 for fake: a fake far on the right side is still pulled to the data.

    D decides at a logit of 1/2, not 0.

    Returns:
        discriminator: ((real - 1)^2 + fake^2) / 2, at least 0.
        generator: (fake - 1)^2 / 2, at least 0.

    Reference: Mao et al. 2017, equation 9 (a = 0, b = c = 1).
    """
    check_logits(real=real, fake=fake)
    return Losses(((real - 1) ** 2 + fake**2) / 2, (fake - 1) ** 2 / 2)


def wasserstein(real: tf.Tensor, fake: tf.Tensor) -> Losses:
    """A critic's difference of means, which estimates the earth mover's distance if the critic is 1-Lipschitz.

    The loss itself does nothing for that: it needs clipped weights or a gradient penalty. Unbounded on both sides, and
    a constant added to all logits changes nothing of the discriminator's loss, so that their signs say nothing.

    Returns:
        discriminator: fake - real.
        generator: -fake.

    Reference: Arjovsky, Chintala & Bottou 2017, equations 2 and 3.
    """
    check_logits(real=real, fake=fake)
    return Losses(fake - real, -fake)


def hinge(real: tf.Tensor, fake: tf.Tensor) -> Losses:
    """The critic is asked for a margin of 1 on either side and no more.

    Returns:
        discriminator: relu(1 - real) + relu(1 + fake), at least 0.
        generator: -fake, unbounded.

    Reference: Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018, equations 16 and 17.
    """
    check_logits(real=real, fake=fake)
    return Losses(tf.nn.relu(1 - real) + tf.nn.relu(1 + fake), -fake)


def relativistic(real: tf.Tensor, fake: tf.Tensor) -> Losses:
    """D says how much more real a real example is than the average fake, and the other way round; G turns that over.

    Both losses read both logits. The averages run over the global batch: in a replica they are reduced over all
    replicas, gradient included, so that the number of replicas changes nothing (see `replicas.global_mean`).

    Returns:
        discriminator: (softplus(-(real - mean fake)) + softplus(fake - mean real)) / 2, at least 0.
        generator: the same with real and fake exchanged.

    Reference: Jolicoeur-Martineau 2018, the relativistic average GAN; the paper's code has no 1/2 in D's loss.
    """
    check_logits(real=real, fake=fake)
    real_lead, fake_lead = real - global_mean(fake), fake - global_mean(real)
    return Losses(
        discriminator=(tf.nn.softplus(-real_lead) + tf.nn.softplus(fake_lead)) / 2,
        generator=(tf.nn.softplus(real_lead) + tf.nn.softplus(-fake_lead)) / 2,
    )


def one_sided_label_smoothing(objective: Objective, smoothing: float = 0.1) -> Objective:
    """The same game, where a real example's target is 1 - smoothing; that of a fake stays 0.

    With it the optimal D is (1 - smoothing) p / (p + q). Smoothing the fakes too would put q into the numerator, which
    makes D praise what the generator already draws.

    Args:
        objective: one whose discriminator's loss is the binary cross-entropy.
        smoothing: in [0, 1).

    Returns:
        An objective; its discriminator's loss is that of `objective` plus smoothing * real / 2, at least 0, since
        (1 - e) softplus(-a) + e softplus(a) = softplus(-a) + e a. With `smoothing` 0 it is `objective` itself.

    Raises:
        ValueError: the objective has no binary cross-entropy, or `smoothing` is out of its range.

    Reference: Salimans et al. 2016, section 3.4.
    """
    if not smoothing:
        return objective
    with_labels = (minimax, non_saturating, maximum_likelihood)
    if objective not in with_labels:
        names = ", ".join(each.__name__ for each in with_labels)
        raise ValueError(f"label smoothing is for a binary cross-entropy ({names}); received {objective}")
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing is in [0, 1); received {smoothing}")

    def smoothed(real: tf.Tensor, fake: tf.Tensor) -> Losses:
        losses = objective(real, fake)
        return losses._replace(discriminator=losses.discriminator + smoothing * real / 2)

    return smoothed


def bounded_exp(x: tf.Tensor) -> tf.Tensor:
    """e^x up to `EXPONENT_LIMIT`, exact in value and gradient; its tangent there beyond, so that neither overflows.

    Unlike a clipped exponent it stays convex and increasing and keeps a gradient: what is too large still comes down.
    """
    inside = tf.minimum(x, EXPONENT_LIMIT)
    return tf.exp(inside) * (1 + (x - inside))


def bounded_expm1(x: tf.Tensor) -> tf.Tensor:
    """`bounded_exp(x) - 1` without the cancellation near 0."""
    inside = tf.minimum(x, EXPONENT_LIMIT)
    return tf.math.expm1(inside) + tf.exp(inside) * (x - inside)


def widened(x: tf.Tensor) -> tf.Tensor:
    """In float32 at least: bfloat16 has 8 bits, too few for differences and sums of logits."""
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x


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
    """True where the generator's loss depends on real logits: autodiff is asked, so that no objective has to say it."""
    real, fake = tf.constant([0.5]), tf.constant([-0.5])
    with tf.GradientTape() as tape:
        tape.watch(real)
        loss = objective(real, fake).generator
    return tape.gradient(loss, real) is not None


def undecided_logit(objective: Objective) -> float | None:
    """The logit that a discriminator gives where real and generated examples are equally likely; None if it has none.

    It is what minimises the discriminator's loss when both kinds get the same logit: 0 for a cross-entropy, 1/2 for
    least squares. Where an interval does, as for the hinge, it is the middle; where any logit does, there is none.
    """
    logits = tf.range(-8.0, 8.0 + 1 / 128, 1 / 64)
    # each by itself: a relativistic objective looks at the mean of the batch
    loss = tf.vectorized_map(lambda each: objective(each[None], each[None]).discriminator[0], logits)
    least = tf.boolean_mask(logits, loss <= tf.reduce_min(loss) + 1e-6)
    return None if len(least) == len(logits) else float(tf.reduce_mean(least))


def _cross_entropy(real: tf.Tensor, fake: tf.Tensor) -> PerExample:
    check_logits(real=real, fake=fake)
    return (tf.nn.softplus(-real) + tf.nn.softplus(fake)) / 2
