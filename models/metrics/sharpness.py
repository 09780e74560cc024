"""Blur and noise: how much detail pictures have beside real ones, and how much of it is grain."""

from collections.abc import Callable

import numpy as np

from models.metrics.estimate import (
    Estimate,
    NoEstimateError,
    check_images,
    require_samples,
    standard_error,
)


def sharpness(real_images: np.ndarray, fake_images: np.ndarray) -> Estimate:
    """Mean slope between neighbouring pixels as a ratio to that of real images: below 1 where pictures are blurred.

    Args:
        real_images: [n >= 2, h, w, c] uint8, at least 3 pixels wide.
        fake_images: [m >= 2, h, w, c] uint8.

    Returns:
        The ratio, at least 0; noise makes it grow above 1. Uncertainty: its standard error for these real images.

    Raises:
        TooFewSamplesError: fewer than 2 images in a set.
        NoEstimateError: images of fewer than 3 pixels, or real images without any slope.
        ValueError: sizes or dtypes differ.

    Reference: the gradient magnitude of Krotkov 1987 (Tenengrad), with central differences.
    """
    return _ratio("sharpness", _slopes, real_images, fake_images)


def noise(real_images: np.ndarray, fake_images: np.ndarray) -> Estimate:
    """Grain of the pictures as a ratio to that of real images: above 1 where they are noisy.

    The mask answers neither to even areas nor to slopes, and to straight edges hardly; what it finds in real images is
    their texture.

    Args:
        real_images: [n >= 2, h, w, c] uint8, at least 3 pixels wide.
        fake_images: [m >= 2, h, w, c] uint8.

    Returns:
        The ratio of the standard deviations of the noise, at least 0. Uncertainty: its standard error for these real
        images.

    Raises:
        TooFewSamplesError: fewer than 2 images in a set.
        NoEstimateError: images of fewer than 3 pixels, or real images without any texture.
        ValueError: sizes or dtypes differ.

    Reference: Immerkaer 1996, equation 3.
    """
    return _ratio("noise", _grain, real_images, fake_images)


def _ratio(
    what: str, of_each: Callable[[np.ndarray], np.ndarray], real_images: np.ndarray, fake_images: np.ndarray
) -> Estimate:
    check_images(real=real_images, fake=fake_images)
    require_samples(what, 2, real=len(real_images), generated=len(fake_images))
    if min(real_images.shape[1:3]) < 3:
        raise NoEstimateError(f"{what} is told from 3 pixels; received images of {list(real_images.shape[1:3])}")
    real, fake = of_each(real_images), of_each(fake_images)
    if not real.any():
        raise NoEstimateError(f"{what} is a ratio to real images, which have none")
    return Estimate(float(fake.mean() / real.mean()), standard_error(fake) / float(real.mean()))


def _slopes(images: np.ndarray) -> np.ndarray:
    """Mean gradient magnitude of each image, in grey levels a pixel."""
    grey = images.astype(np.float32)
    across = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
    down = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]
    return np.hypot(across, down).mean(axis=(1, 2, 3), dtype=np.float64) / 2


def _grain(images: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise in each image, in grey levels."""
    grey = images.astype(np.float32)
    # [1 -2 1] in both directions
    down = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
    both = down[:, :, :-2] - 2 * down[:, :, 1:-1] + down[:, :, 2:]
    return np.sqrt(np.pi / 2) / 6 * np.abs(both).mean(axis=(1, 2, 3), dtype=np.float64)
