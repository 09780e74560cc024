"""Structural similarity of pairs of images, at one scale and at several."""

from collections.abc import Callable

import numpy as np

from models.metrics.estimate import NoEstimateError

WINDOW, SIGMA = 11, 1.5
"""Gaussian window, in pixels."""

RANGE = 255
C1, C2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the scales in Wang et al. 2003, from the finest scale to the coarsest."""

BLOCK_BYTES = 2**26
"""Float64 pixels that are compared in one go."""


def structural_similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """SSIM of each pair, the mean over channels and over the places where the whole window lies in the image.

    Args:
        first: [n, h, w, c], uint8 or float in [0, 255].
        second: of the same shape.

    Returns:
        [n] float64, in [-1, 1], 1 for equal images.

    Raises:
        ValueError: shapes differ, or are no images.
        NoEstimateError: an image is smaller than the window of 11.

    Reference: Wang et al. 2004, equation 13: Gaussian window of 11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03.
    """
    _check_pair(first, second)
    return _blockwise(lambda one, other: _terms(one, other)[0], first, second)


def scales_that_fit(height: int, width: int) -> int:
    """How many of the five scales have images of at least the window's size; 0 where not even the first has."""
    scales = 0
    while scales < len(SCALE_WEIGHTS) and min(height, width) >> scales >= WINDOW:
        scales += 1
    return scales


def multiscale_similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """MS-SSIM of each pair: contrast and structure at every scale, luminance at the coarsest, the mean over channels.

    Images of fewer than 176 pixels do not have five scales: as many as fit are taken, their weights scaled to sum to
    1, so that values compare only at one size.

    Args:
        first: [n, h, w, c], uint8 or float in [0, 255].
        second: of the same shape.

    Returns:
        [n] float64, in [0, 1], 1 for equal images. A negative term, of images in contrast to each other, counts as 0.

    Raises:
        ValueError: shapes differ, or are no images.
        NoEstimateError: an image is smaller than the window of 11.

    Reference: Wang, Simoncelli & Bovik 2003, equation 7.
    """
    _check_pair(first, second)
    return _blockwise(_multiscale, first, second)


def _check_pair(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape or first.ndim != 4:
        raise ValueError(
            "pairs are images [samples, height, width, channels] of one shape; received "
            f"{list(first.shape)} and {list(second.shape)}"
        )
    if min(first.shape[1:3]) < WINDOW:
        size = " x ".join(map(str, first.shape[1:3]))
        raise NoEstimateError(f"structural similarity has a window of {WINDOW} pixels; received images of {size}")


def _blockwise(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """The mean over channels of a function of [n, c, h, w] float64 pairs, a block of images at a time."""
    step = max(1, BLOCK_BYTES // (8 * int(np.prod(first.shape[1:]))))
    parts = []
    for start in range(0, len(first), step):
        block = slice(start, start + step)
        parts.append(function(*(np.moveaxis(side[block].astype(np.float64), 3, 1) for side in (first, second))))
    return np.concatenate(parts).mean(axis=1) if parts else np.empty(0)


def _multiscale(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    scales = scales_that_fit(*first.shape[2:])
    weights = np.array(SCALE_WEIGHTS[:scales]) / sum(SCALE_WEIGHTS[:scales])
    product = np.ones(first.shape[:2])
    for scale, weight in enumerate(weights):
        if scale:
            first, second = _halved(first), _halved(second)
        whole, contrast = _terms(first, second)
        product *= np.maximum(whole if scale == scales - 1 else contrast, 0) ** weight
    return product


def _terms(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Computes for each channel the mean of SSIM and that of its contrast-structure term, [n, c] each."""
    mean_first, mean_second = _smoothed(first), _smoothed(second)
    both = mean_first * mean_second
    squares = mean_first**2 + mean_second**2
    variances = _smoothed(first**2 + second**2) - squares
    contrast = (2 * (_smoothed(first * second) - both) + C2) / (variances + C2)
    luminance = (2 * both + C1) / (squares + C1)
    return (luminance * contrast).mean(axis=(2, 3)), contrast.mean(axis=(2, 3))


def _smoothed(images: np.ndarray) -> np.ndarray:
    """The weighted mean in the window, where all of it lies in the image."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    window = np.exp(-(offsets**2) / (2 * SIGMA**2))
    window /= window.sum()
    for axis in (2, 3):
        places = images.shape[axis] - WINDOW + 1
        images = sum(
            weight * images.take(range(start, start + places), axis=axis) for start, weight in enumerate(window)
        )
    return images


def _halved(images: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    count, channels, height, width = images.shape
    even = images[:, :, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(count, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))
