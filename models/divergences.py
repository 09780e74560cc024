"""The nine f-divergences and the variational games they define. Nowozin, Cseke & Tomioka 2016, "f-GAN".

For convex f on u >= 0, D_f(P||Q) = E_Q f(p/q) >= E_P T - E_Q f*(T), with equality at T = f'(p/q), where
f*(t) = sup over u >= 0 of (u t - f(u)) is the Fenchel conjugate. T = g_f(v) maps the discriminator's raw output v into
the domain of f*. What differs from the paper's tables 2 and 6:

- f* is taken over u >= 0, where f lives. This lifts it for total variation below t = -1/2 (which g_f never reaches) and
  for Pearson below t = -2: the paper's t^2/4 + t rises again there and would reward the generator for fakes that D
  rejects ever more firmly. Here f* is -1 and flat: such fakes give the generator no gradient (its heuristic form does).
- f*(g_f(v)) is a closed form in v, since composing the two loses all digits or overflows. Exponentials are exact up to
  an exponent of 50, which covers |v| <= 50, and go on as their tangent beyond (see `bounded_exp`): losses and gradients
  are finite at v = +-1e4, right in sign, and no longer those of the divergence.

No factor 1/2 here: the game of `gan` is twice that of `models.objectives.minimax`.
"""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from models.objectives import Losses, bounded_exp, bounded_expm1, check_logits, widened

Elementwise = Callable[[tf.Tensor], tf.Tensor]
"""float32 or float64 of any shape -> the same."""


@dataclasses.dataclass(frozen=True)
class Divergence:
    """A row of the table.

    Attributes:
        name: its name in the catalog, without `f_`.
        f: the generator function, of u >= 0; convex, f(1) = 0 except for `gan`, where it is -log 4.
        derivative: f'(u), u > 0; for total variation, which has a kink at 1, the subgradient 0 there.
        activation: g_f(v), increasing, from all reals into the domain of f*; bounded beyond |v| = 50.
        conjugate: f*(t), the plain formula, for t below `domain_end`.
        conjugate_of_activation: f*(g_f(v)), stable; bounded beyond |v| = 50.
        domain_end: f* is finite for t below it; it is the limit of f' at infinity.
    """

    name: str
    f: Elementwise
    derivative: Elementwise
    activation: Elementwise
    conjugate: Elementwise
    conjugate_of_activation: Elementwise
    domain_end: float


@dataclasses.dataclass(frozen=True)
class VariationalObjective:
    """The game of a divergence: D ascends E_P g_f(v) - E_Q f*(g_f(v)), G descends the same.

    An objective as in `models.objectives`: its call takes raw outputs (real, fake), both [batch], and returns Losses:

        discriminator: f*(g_f(fake)) - g_f(real); its mean is at least -D_f(P||Q).
        generator: -f*(g_f(fake)), or -g_f(fake) if `heuristic`, which does not fade where D is sure of its fakes.

    The optimal D tells real from fake at g_f(v) = f'(1): that is v = 0 for all but `kl`, where it is v = 1.

    Attributes:
        divergence: the row.
        heuristic: the generator ascends E_Q g_f(v) (section 3.2 of the paper) instead of descending -E_Q f*(g_f(v)).
    """

    divergence: Divergence
    heuristic: bool = False

    def __call__(self, real: tf.Tensor, fake: tf.Tensor) -> Losses:
        """Both players' losses. Raises ValueError if the outputs are not both [batch] of one size."""
        check_logits(real=real, fake=fake)
        real_wide, fake_wide = widened(real), widened(fake)
        on_fake = self.divergence.conjugate_of_activation(fake_wide)
        generator = self.divergence.activation(fake_wide) if self.heuristic else on_fake
        return Losses(
            discriminator=tf.cast(on_fake - self.divergence.activation(real_wide), real.dtype),
            generator=tf.cast(-generator, fake.dtype),
        )


@tf.custom_gradient
def log_lambert_w_of_exp(x: tf.Tensor) -> tf.Tensor:
    """The logarithm of W(e^x), W the principal branch of Lambert's function: the l that solves l + e^l = x.

    Its exponential overflows nowhere and its logarithm underflows nowhere, unlike W(e^x) itself.

    Args:
        x: float32 or float64 of any shape, up to +-1e30.

    Returns:
        The same shape and dtype, accurate to a few units in the last place; differentiable to any order.
    """
    # Newton on a convex increasing function, from above the root: monotone, and 6 steps reach float64's precision
    log_w = tf.where(x > 1, tf.math.log(tf.maximum(x, 1.0)), x)
    for _ in range(6):
        w = tf.exp(log_w)
        log_w -= (w + log_w - x) / (1 + w)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        # 1 / (1 + W); called anew, so that it has derivatives of its own
        return upstream * tf.sigmoid(-log_lambert_w_of_exp(x))

    return log_w, gradient


def _jeffrey_conjugate(t: tf.Tensor) -> tf.Tensor:
    # W + 1/W + t - 2 with W = W(e^(1-t)); W + log W = 1 - t turns it into 1/W - log W - 1, where nothing cancels
    log_u = -log_lambert_w_of_exp(1 - t)
    return bounded_expm1(log_u) + log_u


LOG_2 = math.log(2)

TOTAL_VARIATION = Divergence(
    "total_variation",
    f=lambda u: tf.abs(u - 1) / 2,
    derivative=lambda u: tf.sign(u - 1) / 2,
    activation=lambda v: tf.tanh(v) / 2,
    conjugate=lambda t: tf.maximum(t, -0.5),
    conjugate_of_activation=lambda v: tf.tanh(v) / 2,
    domain_end=0.5,
)
KL = Divergence(
    "kl",
    f=lambda u: tf.math.xlogy(u, u),
    derivative=lambda u: tf.math.log(u) + 1,
    activation=lambda v: v,
    conjugate=lambda t: tf.exp(t - 1),
    conjugate_of_activation=lambda v: bounded_exp(v - 1),
    domain_end=math.inf,
)
REVERSE_KL = Divergence(
    "reverse_kl",
    f=lambda u: -tf.math.log(u),
    derivative=lambda u: -1 / u,
    activation=lambda v: -bounded_exp(-v),
    conjugate=lambda t: -1 - tf.math.log(-t),
    conjugate_of_activation=lambda v: v - 1,
    domain_end=0.0,
)
PEARSON_CHI2 = Divergence(
    "pearson_chi2",
    f=lambda u: (u - 1) ** 2,
    derivative=lambda u: 2 * (u - 1),
    activation=lambda v: v,
    conjugate=lambda t: tf.maximum(t, -2.0) * (tf.maximum(t, -2.0) / 4 + 1),
    conjugate_of_activation=lambda v: tf.maximum(v, -2.0) * (tf.maximum(v, -2.0) / 4 + 1),
    domain_end=math.inf,
)
NEYMAN_CHI2 = Divergence(
    "neyman_chi2",
    f=lambda u: (1 - u) ** 2 / u,
    derivative=lambda u: 1 - 1 / u**2,
    activation=lambda v: -bounded_expm1(-v),
    conjugate=lambda t: 2 - 2 * tf.sqrt(1 - t),
    conjugate_of_activation=lambda v: -2 * bounded_expm1(-v / 2),
    domain_end=1.0,
)
SQUARED_HELLINGER = Divergence(
    "squared_hellinger",
    f=lambda u: (tf.sqrt(u) - 1) ** 2,
    derivative=lambda u: 1 - 1 / tf.sqrt(u),
    activation=lambda v: -bounded_expm1(-v),
    conjugate=lambda t: t / (1 - t),
    conjugate_of_activation=bounded_expm1,
    domain_end=1.0,
)
JEFFREY = Divergence(
    "jeffrey",
    f=lambda u: (u - 1) * tf.math.log(u),
    derivative=lambda u: tf.math.log(u) + 1 - 1 / u,
    activation=lambda v: v,
    conjugate=_jeffrey_conjugate,
    conjugate_of_activation=_jeffrey_conjugate,
    domain_end=math.inf,
)
JENSEN_SHANNON = Divergence(
    "jensen_shannon",
    f=lambda u: tf.math.xlogy(u, u) - (u + 1) * tf.math.log((1 + u) / 2),
    derivative=lambda u: tf.math.log(2 * u / (1 + u)),
    activation=lambda v: LOG_2 - tf.nn.softplus(-v),
    conjugate=lambda t: -tf.math.log(2 - tf.exp(t)),
    conjugate_of_activation=lambda v: tf.nn.softplus(v) - LOG_2,
    domain_end=LOG_2,
)
GAN = Divergence(
    "gan",
    f=lambda u: tf.math.xlogy(u, u) - (u + 1) * tf.math.log(u + 1),
    derivative=lambda u: tf.math.log(u / (1 + u)),
    activation=lambda v: -tf.nn.softplus(-v),
    conjugate=lambda t: -tf.math.log(-tf.math.expm1(t)),
    conjugate_of_activation=tf.nn.softplus,
    domain_end=0.0,
)

f_total_variation = VariationalObjective(TOTAL_VARIATION)
f_total_variation_heuristic = VariationalObjective(TOTAL_VARIATION, heuristic=True)
f_kl = VariationalObjective(KL)
f_kl_heuristic = VariationalObjective(KL, heuristic=True)
f_reverse_kl = VariationalObjective(REVERSE_KL)
f_reverse_kl_heuristic = VariationalObjective(REVERSE_KL, heuristic=True)
f_pearson_chi2 = VariationalObjective(PEARSON_CHI2)
f_pearson_chi2_heuristic = VariationalObjective(PEARSON_CHI2, heuristic=True)
f_neyman_chi2 = VariationalObjective(NEYMAN_CHI2)
f_neyman_chi2_heuristic = VariationalObjective(NEYMAN_CHI2, heuristic=True)
f_squared_hellinger = VariationalObjective(SQUARED_HELLINGER)
f_squared_hellinger_heuristic = VariationalObjective(SQUARED_HELLINGER, heuristic=True)
f_jeffrey = VariationalObjective(JEFFREY)
f_jeffrey_heuristic = VariationalObjective(JEFFREY, heuristic=True)
f_jensen_shannon = VariationalObjective(JENSEN_SHANNON)
f_jensen_shannon_heuristic = VariationalObjective(JENSEN_SHANNON, heuristic=True)
f_gan = VariationalObjective(GAN)
f_gan_heuristic = VariationalObjective(GAN, heuristic=True)
