"""Variety in pixels: what a collapsed generator lacks and a classifier does not see."""

import numpy as np

from models.metrics.distances import equal_parts, neighbour_radii, squared_distances
from models.metrics.estimate import Estimate, check_images, require_samples, share_of, standard_error

MOST = 500
"""Images of a class that are compared pair by pair."""


def mean_distances(images: np.ndarray) -> np.ndarray:
    """Mean Euclidean distance of each image to the others, pixels in [0, 1].

    Args:
        images: [n >= 2, h, w, c] uint8.

    Returns:
        [n] float64; their mean is that of all pairs.
    """
    points = _points(images)
    sums = [np.sqrt(distances).sum(axis=1) for _, distances in squared_distances(points, points)]
    return np.concatenate(sums) / (len(points) - 1) / 255


def spread(real_images: np.ndarray, fake_images: np.ndarray) -> Estimate:
    """Mean pairwise distance of samples as a ratio to that of real images: 1 for equal variety, 0 for one picture.

    Args:
        real_images: [n >= 2, h, w, c] uint8.
        fake_images: [m >= 2, h, w, c] uint8.

    Returns:
        The ratio; uncertainty: its standard error for these real images, by that of a mean over pairs (Hoeffding 1948).

    Raises:
        TooFewSamplesError: fewer than 2 images in a set.
        ValueError: sizes or dtypes differ, or the real images are all the same.

    Reference: the pairwise diversity of Salimans et al. 2016's collapse discussion (section 3.2), in pixels.
    """
    check_images(real=real_images, fake=fake_images)
    require_samples("a spread", 2, real=len(real_images), generated=len(fake_images))
    real, fake = mean_distances(real_images), mean_distances(fake_images)
    if not real.any():
        raise ValueError("a spread is a ratio to real variety; the real images are all the same")
    value = float(fake.mean() / real.mean())
    # Each image is in as many pairs as there are others, and a pair has two images: twice the error of one of them.
    return Estimate(value, 2 * standard_error(fake) / float(real.mean()))


def within_class_spread(
    real_images: np.ndarray, real_labels: np.ndarray, fake_images: np.ndarray, fake_labels: np.ndarray
) -> Estimate:
    """The spread of each class, averaged over the classes: 0 for a conditional generator with one picture a class.

    Args:
        real_images: [n, h, w, c] uint8, at least 2 of each class of `fake_labels`.
        real_labels: [n] int, at least 0.
        fake_images: [m, h, w, c] uint8, at least 2 of each class that occurs; of each the first MOST count.
        fake_labels: [m] int, the classes asked for.

    Returns:
        Mean of the classes' ratios; uncertainty: its standard error for these real images and classes; per class: the
        ratios, NaN for one that was not asked for.

    Raises:
        TooFewSamplesError: a class has fewer than 2 real or generated images.
        ValueError: sizes or dtypes differ, or the real images of a class are all the same.
    """
    check_images(real=real_images, fake=fake_images)
    pairs = ((real_images, real_labels), (fake_images, fake_labels))
    ratios = np.full(int(fake_labels.max(initial=0)) + 1, np.nan)
    errors = []
    for label in np.unique(fake_labels):
        real, fake = (side[np.flatnonzero(of == label)[:MOST]] for side, of in pairs)
        require_samples(f"the spread of class {label}", 2, real=len(real), generated=len(fake))
        of_class = spread(real, fake)
        ratios[label] = of_class.value
        errors.append(of_class.uncertainty or 0.0)
    require_samples("a spread within classes", 1, generated=len(errors))
    error = float(np.hypot.reduce(errors)) / len(errors)
    return Estimate(float(np.nanmean(ratios)), error, tuple(ratios.tolist()), f"at most {MOST} images a class")


def near_duplicates(real_images: np.ndarray, fake_images: np.ndarray, *, percentile: float = 1) -> Estimate:
    """Share of samples that have another sample as near as only the nearest pairs of real images are.

    Near is at most the given percentile of the nearest-neighbour distances of distinct real images: data in which some
    images stand twice have a percentile of 0, under which copies that differ by a pixel would pass. Nearest neighbours
    are the nearer the more images there are, so samples are taken in parts of as many as there are real images.

    Args:
        real_images: [n >= 2, h, w, c] uint8.
        fake_images: [m >= 2, h, w, c] uint8.
        percentile: of the real distances, in (0, 100).

    Returns:
        The share, about percentile / 100 for equal variety and 1 for one picture; uncertainty: Wilson's.

    Raises:
        TooFewSamplesError: fewer than 2 images in a set, or than 2 distinct real ones.
        ValueError: sizes or dtypes differ.
    """
    check_images(real=real_images, fake=fake_images)
    require_samples("a share of near duplicates", 2, real=len(real_images), generated=len(fake_images))
    distinct = np.unique(_points(real_images), axis=0)
    require_samples("a share of near duplicates", 2, **{"distinct real": len(distinct)})
    limit = np.percentile(neighbour_radii(distinct, 1), percentile)
    parts = equal_parts(_points(fake_images), len(real_images))
    near = np.concatenate([neighbour_radii(part, 1) <= limit for part in parts])
    return share_of(near, protocol=f"percentile {percentile:g} of nearest neighbours of distinct real ones")


def _points(images: np.ndarray) -> np.ndarray:
    """Float64 rows of whole numbers, in which the expanded squared distance of equal images is exactly 0."""
    return images.reshape(len(images), -1).astype(np.float64)
