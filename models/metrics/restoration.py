"""How near restored images are to the true ones: pairs, where all else in this package compares sets."""

from typing import Literal

import numpy as np

from models.metrics.estimate import (
    Estimate,
    NoEstimateError,
    check_features,
    check_images,
    require_samples,
    standard_error,
)
from models.metrics.similarity import RANGE, SIGMA, WINDOW, structural_similarity

Channels = Literal["all", "luma"]
"""What is compared: all channels, or the Y of ITU-R BT.601 as papers on super-resolution do."""

ROUNDING = 1 / 12
"""The mean squared error of rounding to whole numbers."""


def psnr(true_images: np.ndarray, fake_images: np.ndarray, *, channels: Channels = "all", crop: int = 0) -> Estimate:
    """Peak signal-to-noise ratio, 10 log10(255^2 / mean squared error), of each pair, and its mean.

    Args:
        true_images: [n >= 2, h, w, c] uint8.
        fake_images: of the same shape, image by image.
        channels: all of them, or the luma of RGB, which gives other values.
        crop: pixels that are left out at each border; 4 in papers on super-resolution by 4.

    Returns:
        The mean in dB, at most 58.92; uncertainty: its standard error. A squared error below 1/12 counts as 1/12: both
        sides were rounded to whole numbers, and this is the mean square of what rounding does to one (Bennett 1948). So
        a pair that is equal is as near as 8 bits can tell, and not infinitely near.

    Raises:
        TooFewSamplesError: fewer than 2 pairs.
        ValueError: shapes or dtypes differ, luma of other than 3 channels, or nothing is left by the crop.

    Reference: Huynh-Thu & Ghanbari 2008; luma and crop as Ledig et al. 2017, section 3.1.
    """
    real, restored = _compared("PSNR", true_images, fake_images, channels, crop)
    errors = ((real - restored) ** 2).mean(axis=(1, 2, 3))
    values = 10 * np.log10(RANGE**2 / np.maximum(errors, ROUNDING))
    return Estimate(float(values.mean()), standard_error(values), protocol=_protocol(channels, crop))


def ssim(true_images: np.ndarray, fake_images: np.ndarray, *, channels: Channels = "all", crop: int = 0) -> Estimate:
    """Structural similarity of each pair, and its mean.

    Args:
        true_images: [n >= 2, h, w, c] uint8.
        fake_images: of the same shape, image by image.
        channels: all of them, of which the mean is taken, or the luma of RGB.
        crop: pixels that are left out at each border.

    Returns:
        The mean, in [-1, 1], 1 for equal images; uncertainty: its standard error.

    Raises:
        TooFewSamplesError: fewer than 2 pairs.
        NoEstimateError: what the crop leaves is smaller than the window of 11 pixels.
        ValueError: shapes or dtypes differ, luma of other than 3 channels, or nothing is left by the crop.

    Reference: Wang et al. 2004, equation 13, with its Gaussian window.
    """
    values = structural_similarity(*_compared("SSIM", true_images, fake_images, channels, crop))
    window = f"{WINDOW}x{WINDOW} Gaussian of sigma {SIGMA}"
    return Estimate(float(values.mean()), standard_error(values), protocol=f"{window}, {_protocol(channels, crop)}")


def feature_distance(true_features: np.ndarray, fake_features: np.ndarray) -> Estimate:
    """Mean Euclidean distance of the features of each pair: what PSNR and SSIM do not see, such as a lost texture.

    Args:
        true_features: [n >= 2, d] float.
        fake_features: [n, d] float, row by row.

    Returns:
        The mean, at least 0; uncertainty: its standard error.

    Raises:
        TooFewSamplesError: fewer than 2 pairs.
        ValueError: shapes differ, or a feature is not finite.

    Reference: the content distance of Johnson, Alahi & Fei-Fei 2016, equation 2, as a metric, without its square.
    """
    check_features(real=true_features, restored=fake_features)
    _check_counts("a feature distance", true_features, fake_features)
    values = np.linalg.norm(true_features.astype(np.float64) - fake_features, axis=1)
    return Estimate(float(values.mean()), standard_error(values))


def squared_error(
    fake_inputs: np.ndarray,
    true_points: np.ndarray | None = None,
    fake_points: np.ndarray | None = None,
    true_images: np.ndarray | None = None,
    fake_images: np.ndarray | None = None,
) -> Estimate:
    """Squared distance of each output from its truth, over that of the inputs from it.

    Args:
        fake_inputs: [n >= 2, ...] float32, what the outputs were made of; images in [-1, 1].
        true_points: [n, 2], or `true_images` [n, h, w, c] uint8.
        fake_points: likewise of the outputs, or `fake_images`.
        true_images: see `true_points`.
        fake_images: see `fake_points`.

    Returns:
        The ratio of the means, at least 0: 1 for outputs that are their inputs; uncertainty: its standard error, of the
        first order (Cochran 1977, equation 6.13).

    Raises:
        TooFewSamplesError: fewer than 2 pairs.
        NoEstimateError: the inputs are the truth, or there is none.
    """
    if true_points is None and true_images is None:
        raise NoEstimateError("nothing says what the outputs ought to be")
    truth, made = (_in_range(one, other) for one, other in ((true_points, true_images), (fake_points, fake_images)))
    require_samples("a squared error", 2, real=len(truth))
    after, before = (((each - truth) ** 2).reshape(len(truth), -1).mean(axis=1) for each in (made, fake_inputs))
    if not before.any():
        raise NoEstimateError("the inputs are the truth: there is nothing to restore")
    ratio = float(after.mean() / before.mean())
    return Estimate(ratio, standard_error((after - ratio * before) / before.mean()))


def cycle_error(fake_inputs: np.ndarray, fake_back: np.ndarray) -> Estimate:
    """How far the way there and back leads from where it began.

    Args:
        fake_inputs: [n >= 2, ...] float32, images in [-1, 1].
        fake_back: [n, ...], what the way back made of the outputs: points, or images uint8.

    Returns:
        The mean absolute difference, over that of two inputs that have nothing to do with one another (each and the
        next): 0 for a way that leads back, 1 for one that forgets its input; uncertainty: its standard error.

    Raises:
        TooFewSamplesError: fewer than 2 examples.
        NoEstimateError: all inputs are alike.

    Reference: the cycle loss of Zhu et al. 2017, equation 2, on what was rounded to 8 bits and made a little noisy,
    which hidden messages do not survive (Chu, Zhmoginov & Sandler 2017).
    """
    is_image = fake_back.dtype == np.uint8
    back = _in_range(None if is_image else fake_back, fake_back if is_image else None)
    require_samples("a cycle error", 2, real=len(back))
    apart = float(np.abs(fake_inputs - np.roll(fake_inputs, 1, axis=0)).mean())
    if not apart:
        raise NoEstimateError("all inputs are alike")
    values = np.abs(back - fake_inputs).reshape(len(back), -1).mean(axis=1)
    return Estimate(float(values.mean() / apart), standard_error(values) / apart)


def _in_range(points: np.ndarray | None, images: np.ndarray | None) -> np.ndarray:
    """Points as they are, images in [-1, 1], float32."""
    if points is not None:
        return points.astype(np.float32)
    if images is None:
        raise ValueError("a pair has points or images; received neither")
    return images.astype(np.float32) / 127.5 - 1


def luma(images: np.ndarray) -> np.ndarray:
    """Y of ITU-R BT.601, from 16 for black to 235 for white.

    Args:
        images: RGB of 0 to 255, [n, h, w, 3].

    Returns:
        [n, h, w, 1] float64, not rounded.

    Raises:
        ValueError: there are not 3 channels.
    """
    if images.shape[3] != 3:
        raise ValueError(f"luma is that of images of 3 channels; received {images.shape[3]}")
    return 16 + images @ np.array([[65.481], [128.553], [24.966]]) / 255


def _compared(
    what: str, real: np.ndarray, restored: np.ndarray, channels: Channels, crop: int
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels that count, as float64."""
    check_images(real=real, restored=restored)
    _check_counts(what, real, restored)
    if crop < 0 or 2 * crop >= min(real.shape[1:3]):
        raise ValueError(f"a crop leaves pixels between two borders; received {crop} of images of {real.shape[1]}")
    inner = slice(crop, -crop or None)
    pair = (side[:, inner, inner].astype(np.float64) for side in (real, restored))
    first, second = (luma(side) for side in pair) if channels == "luma" else pair
    return first, second


def _check_counts(what: str, real: np.ndarray, restored: np.ndarray) -> None:
    if len(real) != len(restored):
        raise ValueError(f"{what} is of pairs; received {len(real)} real and {len(restored)} restored")
    require_samples(what, 2, real=len(real))


def _protocol(channels: Channels, crop: int) -> str:
    return f"{'Y of BT.601' if channels == 'luma' else 'all channels'}, crop {crop}, range {RANGE}"
