"""MS-SSIM diversity: how alike two samples look, on average."""

import numpy as np

from models.metrics.estimate import Estimate, check_images, require_samples, standard_error
from models.metrics.similarity import RANGE, SCALE_WEIGHTS, SIGMA, WINDOW, multiscale_similarity, scales_that_fit


def ms_ssim(
    fake_images: np.ndarray, fake_labels: np.ndarray | None = None, *, pairs: int = 100, seed: int = 0
) -> Estimate:
    """Mean MS-SSIM of random pairs of samples, of one class each where there are classes.

    No image is in two pairs, so the pairs are independent. The value of real images says what variety is: the higher
    above it, the more alike the samples are.

    Args:
        fake_images: [n, h, w, c] uint8, at least 4, or 4 of each class.
        fake_labels: [n] int, at least 0: the classes asked for, or None.
        pairs: at most so many of a class; 10 times as many without classes.
        seed: of the pairing.

    Returns:
        The mean over the classes, in [0, 1], 1 for one picture a class; uncertainty: its standard error; per class: the
        means, NaN for one not asked for.

    Raises:
        TooFewSamplesError: fewer than 4 images of a class.
        NoEstimateError: images smaller than the window of 11 pixels.
        ValueError: images of another shape or dtype, or lengths that differ.

    Reference: Odena, Olah & Shlens 2017, section 4.2, with 100 pairs a class.
    """
    check_images(fake=fake_images)
    random = np.random.default_rng(seed)
    if fake_labels is None:
        values = _paired(fake_images, 10 * pairs, random, "MS-SSIM diversity")
        return Estimate(float(values.mean()), standard_error(values), protocol=_protocol(fake_images, len(values)))
    if len(fake_labels) != len(fake_images):
        raise ValueError(f"each image needs one label; received {len(fake_images)} images, {len(fake_labels)} labels")
    require_samples("MS-SSIM diversity", 4, generated=len(fake_images))
    means, errors, count = np.full(int(fake_labels.max()) + 1, np.nan), [], 0
    for label in np.unique(fake_labels):
        what = f"MS-SSIM diversity of class {label}"
        values = _paired(fake_images[fake_labels == label], pairs, random, what)
        means[label], count = values.mean(), count + len(values)
        errors.append(standard_error(values))
    error = float(np.hypot.reduce(errors) / len(errors))
    return Estimate(float(np.nanmean(means)), error, tuple(means.tolist()), _protocol(fake_images, count))


def _paired(images: np.ndarray, pairs: int, random: np.random.Generator, what: str) -> np.ndarray:
    """MS-SSIM of at least 2 pairs in which no image is twice."""
    require_samples(what, 4, generated=len(images))
    count = min(pairs, len(images) // 2)
    rows = random.permutation(len(images))[: 2 * count]
    return multiscale_similarity(images[rows[:count]], images[rows[count:]])


def _protocol(images: np.ndarray, pairs: int) -> str:
    scales = scales_that_fit(*images.shape[1:3])
    window = f"{WINDOW}x{WINDOW} Gaussian of sigma {SIGMA}"
    return f"{pairs:,} pairs, {scales} of {len(SCALE_WEIGHTS)} scales, {window}, range {RANGE}"
