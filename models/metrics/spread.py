"""Variety in pixels: what a collapsed generator lacks and a classifier does not see."""

import numpy as np

from models.metrics.distances import neighbour_radii, squared_distances
from models.metrics.estimate import Estimate, check_images, require_samples
from models.metrics.precision_recall import equal_parts


def mean_distance(images: np.ndarray) -> float:
    """Mean Euclidean distance of pairs of different images, pixels in [0, 1].

    Args:
        images: [n >= 2, h, w, c] uint8.
    """
    points = _points(images)
    total = sum(np.sqrt(distances).sum() for _, distances in squared_distances(points, points))
    return float(total / (len(points) * (len(points) - 1)) / 255)


def spread(real_images: np.ndarray, fake_images: np.ndarray) -> Estimate:
    """Mean pairwise distance of samples as a ratio to that of real images: 1 for equal variety, 0 for one picture.

    Args:
        real_images: [n >= 2, h, w, c] uint8.
        fake_images: [m >= 2, h, w, c] uint8.

    Returns:
        The ratio, without uncertainty.

    Raises:
        TooFewSamplesError: fewer than 2 images in a set.
        ValueError: sizes or dtypes differ, or the real images are all the same.

    Reference: the pairwise diversity of Salimans et al. 2016's collapse discussion (section 3.2), in pixels.
    """
    check_images(real=real_images, fake=fake_images)
    require_samples("a spread", 2, real=len(real_images), generated=len(fake_images))
    real = mean_distance(real_images)
    if not real:
        raise ValueError("a spread is a ratio to real variety; the real images are all the same")
    return Estimate(mean_distance(fake_images) / real)


def within_class_spread(
    real_images: np.ndarray, real_labels: np.ndarray, fake_images: np.ndarray, fake_labels: np.ndarray
) -> Estimate:
    """The spread of each class, averaged over the classes: 0 for a conditional generator with one picture a class.

    Args:
        real_images: [n, h, w, c] uint8, at least 2 of each class of `fake_labels`.
        real_labels: [n] int, at least 0.
        fake_images: [m, h, w, c] uint8, at least 2 of each class that occurs.
        fake_labels: [m] int, the classes asked for.

    Returns:
        Mean of the classes' ratios; uncertainty: the standard error over the classes; per class: the ratios, NaN for
        one that was not asked for.

    Raises:
        TooFewSamplesError: a class has fewer than 2 real or generated images.
        ValueError: sizes or dtypes differ, or the real images of a class are all the same.
    """
    check_images(real=real_images, fake=fake_images)
    ratios = np.full(int(fake_labels.max(initial=0)) + 1, np.nan)
    for label in np.unique(fake_labels):
        real, fake = real_images[real_labels == label], fake_images[fake_labels == label]
        require_samples(f"the spread of class {label}", 2, real=len(real), generated=len(fake))
        ratios[label] = spread(real, fake).value
    asked = ratios[np.isfinite(ratios)]
    require_samples("a spread within classes", 1, generated=len(asked))
    error = float(asked.std(ddof=1) / np.sqrt(len(asked))) if len(asked) > 1 else None
    return Estimate(float(asked.mean()), error, tuple(ratios.tolist()))


def near_duplicates(real_images: np.ndarray, fake_images: np.ndarray, *, percentile: float = 1) -> Estimate:
    """Share of samples that have another sample as near as only the nearest pairs of real images are.

    Near is at most the given percentile of real images' nearest-neighbour distances. Nearest neighbours are the nearer
    the more images there are, so samples are taken in parts of as many as there are real images.

    Args:
        real_images: [n >= 2, h, w, c] uint8.
        fake_images: [m >= 2, h, w, c] uint8.
        percentile: of the real distances, in (0, 100).

    Returns:
        The share, about percentile / 100 for equal variety and 1 for one picture; uncertainty: its standard error.

    Raises:
        TooFewSamplesError: fewer than 2 images in a set.
        ValueError: sizes or dtypes differ.
    """
    check_images(real=real_images, fake=fake_images)
    require_samples("a share of near duplicates", 2, real=len(real_images), generated=len(fake_images))
    limit = np.percentile(neighbour_radii(_points(real_images), 1), percentile)
    parts = equal_parts(_points(fake_images), len(real_images))
    near = np.concatenate([neighbour_radii(part, 1) <= limit for part in parts])
    return Estimate(float(near.mean()), float(np.sqrt(near.mean() * (1 - near.mean()) / len(near))))


def _points(images: np.ndarray) -> np.ndarray:
    """Float64 rows of whole numbers, in which the expanded squared distance of equal images is exactly 0."""
    return images.reshape(len(images), -1).astype(np.float64)
