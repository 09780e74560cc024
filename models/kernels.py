"""Kernels that blur: Gaussians and random trajectories, and the finite filters that undo them.

A kernel is [side, side] float32, side odd, not negative, of sum 1, its centre of mass in the middle. Random ones are
functions of a key. Those that a model is trained on and those that it is judged on are apart by construction: a size
is drawn from intervals that the two have in turn.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from models.randomness import Key, draw, fold, key

BINS = 16
"""Intervals of a size from which training draws, and as many between them from which judging draws."""

INSTANTS, LENGTH = 128, 0.3
"""Places of a trajectory, and the share of it over which it goes one way."""

SUM_TOLERANCE = 0.01
"""How far the sum of a kernel that is given may be from 1: values may have been rounded."""

GRADIENT_POWER = 0.025
"""E[dx^2 + dy^2] of neighbouring pixels in [-1, 1], measured on the photographs to choose by."""


def gaussian(within: Key, count: int, side: int, *, judged: bool = False, numbers: Any = draw) -> tf.Tensor:
    """Gaussians of random width, proportion and orientation.

    Args:
        within: int64 [2].
        count: how many.
        side: of each, pixels, odd.
        judged: whether they are those to judge with. Their larger standard deviation, in [side / 12, side / 6), is then
            none that training draws. The smaller one is 0.4 to 1 times as large.
        numbers: how random numbers are drawn; see `models.randomness.draw`.

    Returns:
        [count, side, side] float32.

    Raises:
        ValueError: `side` is even, or below 1.
    """
    places = _places(side)
    larger = apart(numbers(within, "larger", [count]), side / 12, side / 6, judged=judged)[:, None, None]
    smaller = larger * (0.4 + 0.6 * numbers(within, "proportion", [count]))[:, None, None]
    angle = math.pi * numbers(within, "angle", [count])[:, None, None]
    along = tf.cos(angle) * places + tf.sin(angle) * places[:, None]
    across = tf.cos(angle) * places[:, None] - tf.sin(angle) * places
    values = tf.exp(-((along / larger) ** 2 + (across / smaller) ** 2) / 2)
    return values / tf.reduce_sum(values, axis=(1, 2), keepdims=True)


def motion(within: Key, count: int, side: int, *, judged: bool = False, numbers: Any = draw) -> tf.Tensor:
    """Traces of a point that a shaking camera moves about.

    Both coordinates are smooth random functions of time, a Gaussian process with the Matern covariance
    (1 + sqrt(3) d / l) exp(-sqrt(3) d / l), l = 0.3 of the exposure. Each instant is laid on the four pixels about it
    in bilinear shares, which leave the centre of mass where it is.

    Args:
        within: int64 [2].
        count: how many.
        side: of each, pixels, odd.
        judged: whether they are those to judge with. The trace's largest distance from its middle, a third of the
            kernel's radius to all of it, is then none that training draws.
        numbers: how random numbers are drawn; see `models.randomness.draw`.

    Returns:
        [count, side, side] float32.

    Raises:
        ValueError: `side` is even, or below 1.

    Reference: Schuler, Hirsch, Harmeling & Scholkopf 2016, who draw camera shake from such a process; the traces here
    are centred, and as large as is drawn.
    """
    places, radius = _places(side), side // 2
    free = numbers(within, "trace", [count, INSTANTS, 2], tf.random.stateless_normal)
    trace = tf.einsum("ts,bsc->btc", tf.constant(_smoothing()), free)
    trace -= tf.reduce_mean(trace, axis=1, keepdims=True)
    reach = apart(numbers(within, "reach", [count]), radius / 3, radius, judged=judged)
    farthest = tf.reduce_max(tf.norm(trace, axis=2), axis=1)
    trace *= (reach / farthest)[:, None, None]
    rows, columns = (tf.nn.relu(1 - tf.abs(places - trace[:, :, axis, None])) for axis in (0, 1))
    return tf.einsum("bti,btj->bij", rows, columns) / INSTANTS


def known(kind: Callable[..., tf.Tensor], side: int) -> tf.Tensor:
    """The one kernel of a kind and side that a model may know: [1, side, side], the same in every process."""

    def alone(within: Key, name: str, shape: list[int], sample: Any = tf.random.stateless_uniform) -> tf.Tensor:
        return sample(shape, fold(within, name), alg="philox")  # the same on all replicas

    return kind(key(0, 0, "known kernel"), 1, side, numbers=alone)


def apart(share: tf.Tensor, low: float, high: float, *, judged: bool) -> tf.Tensor:
    """Puts numbers into every second one of 2 BINS equal intervals of a range: the first and so on, or those between.

    Args:
        share: [...] float32 in [0, 1).
        low: lower end of the range.
        high: upper end.
        judged: whether they go into the second interval, the fourth and so on.

    Returns:
        [...] float32 in [low, high).
    """
    # the number within its interval, and as many intervals before it again, which are the others'
    return low + (high - low) * (share * BINS + tf.floor(share * BINS) + float(judged)) / (2 * BINS)


def blurred(x: tf.Tensor, kernels: tf.Tensor) -> tf.Tensor:
    """Convolves images with kernels, where these lie within the image.

    Args:
        x: [batch, h, w, c] float32; of any batch, height and width in a graph.
        kernels: [batch, side, side], one an image, or [1, side, side] for all.

    Returns:
        [batch, h - side + 1, w - side + 1, c] float32.

    Raises:
        ValueError: there is neither one kernel nor one for each image, or an image is smaller than its kernel.
    """
    count, side = kernels.shape[0], kernels.shape[1]
    if any(each is not None and each < side for each in x.shape[1:3]):
        raise ValueError(
            f"a kernel lies within the image: at least {side} pixels a side; received {x.shape[1]} x {x.shape[2]}"
        )
    # TensorFlow's is a correlation, of which a convolution is that with the kernel turned round
    turned, channels = tf.transpose(kernels[:, ::-1, ::-1], [1, 2, 0])[..., None], x.shape[-1]
    if count == 1:
        return tf.nn.depthwise_conv2d(x, tf.repeat(turned, channels, axis=2), [1, 1, 1, 1], "VALID")
    if None not in (count, x.shape[0]) and count != x.shape[0]:
        raise ValueError(f"there is one kernel, or one an image; received {count} for {x.shape[0]} images")
    # images side by side as channels of one, so that each meets its own kernel
    count, rows, columns = (tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis] for axis in range(3))
    beside = tf.reshape(tf.transpose(x, [1, 2, 0, 3]), [1, rows, columns, count * channels])
    made = tf.nn.depthwise_conv2d(beside, tf.repeat(turned, channels, axis=2), [1, 1, 1, 1], "VALID")
    apart_again = tf.reshape(made, [rows - side + 1, columns - side + 1, count, channels])
    return tf.transpose(apart_again, [2, 0, 1, 3])


def wiener(kernels: tf.Tensor, noise: float, support: int, *, gradient_power: float = GRADIENT_POWER) -> tf.Tensor:
    """Filters of finite support that undo kernels as well as noise allows: Wiener's, of images with 1/f^2 spectra.

    conj(K) / (|K|^2 + noise^2 / gradient_power |D|^2), with D the differences of neighbours in both directions, on a
    grid on which nothing wraps round; cut to the support under a Hann window, and scaled to a sum of 1.

    Args:
        kernels: [n, side, side] float32, of sum 1.
        noise: standard deviation, in the unit of the images, > 0.
        support: side of the filters, odd, so that an image can be restored in tiles.
        gradient_power: mean square of an image's differences, both directions together, in that unit squared.

    Returns:
        [n, support, support] float32, which `blurred` applies.

    Raises:
        ValueError: `support` is even, or `noise` is not above 0.

    Reference: Gonzalez & Woods, Digital Image Processing, section 5.8.
    """
    _places(support)
    if noise <= 0:
        raise ValueError(f"a filter is as strong as the noise allows, which is above 0; received {noise}")
    side = kernels.shape[1]
    grid = 2 ** math.ceil(math.log2(2 * (side + support)))
    room = [[0, 0], [0, grid - side], [0, grid - side]]
    spectrum = tf.signal.rfft2d(tf.roll(tf.pad(kernels, room), [-(side // 2)] * 2, [1, 2]))
    turns = 2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(grid))
    gradient = tf.constant(turns[:, None] + turns[None, : grid // 2 + 1], tf.float32)
    power = tf.abs(spectrum) ** 2 + noise**2 / gradient_power * gradient
    whole = tf.signal.irfft2d(tf.math.conj(spectrum) / tf.cast(power, spectrum.dtype))
    cut = tf.roll(whole, [support // 2] * 2, [1, 2])[:, :support, :support]
    window = tf.constant(np.hanning(support + 2)[1:-1], tf.float32)
    cut *= window * window[:, None]
    return cut / tf.reduce_sum(cut, axis=(1, 2), keepdims=True)


def checked(kernels: tf.Tensor) -> tf.Tensor:
    """Gives kernels back as they are; in a graph, values that are none are an error of the request.

    Args:
        kernels: [n, side, side] float32.

    Raises:
        tf.errors.InvalidArgumentError: a value is below 0 or not finite, or a sum is farther from 1 than SUM_TOLERANCE.
    """
    lowest, sums = (of(kernels, axis=(1, 2)) for of in (tf.reduce_min, tf.reduce_sum))
    # of NaN and infinity no comparison of the sum holds
    fine = (lowest >= 0) & (tf.abs(sums - 1) <= SUM_TOLERANCE)
    told = "a kernel has values of at least 0, whose sum is 1; received the lowest {} and the sum {}"
    bad = [tf.boolean_mask(each, ~fine) for each in (lowest, sums)]
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(fine), [tf.strings.format(told, bad)])]):
        return tf.identity(kernels)


def _places(side: int) -> tf.Tensor:
    """Pixels from the middle, [side] float32."""
    if side < 1 or side % 2 == 0:
        raise ValueError(f"a kernel has a pixel in its middle: its side is odd; received {side}")
    return tf.range(side, dtype=tf.float32) - side // 2


def _smoothing() -> np.ndarray:
    """What makes the trajectory's covariance of independent numbers: a Cholesky factor, [INSTANTS, INSTANTS]."""
    times = np.arange(INSTANTS) / INSTANTS
    away = math.sqrt(3) * np.abs(times - times[:, None]) / LENGTH
    covariance = (1 + away) * np.exp(-away)
    return np.linalg.cholesky(covariance + 1e-8 * np.eye(INSTANTS)).astype(np.float32)
