"""How often a classifier reads the class that was asked for."""

import dataclasses

import numpy as np

from models.metrics.estimate import Estimate, check_probabilities, require_samples, share_of


def conditional_accuracy(fake_probabilities: np.ndarray, fake_labels: np.ndarray) -> Estimate:
    """Share of generated images that the classifier reads as the class asked for.

    It says nothing of variety: one perfect picture a class scores 1. Judge it with `within_class_spread`.

    Args:
        fake_probabilities: [n >= 1, classes] float, each row a distribution.
        fake_labels: [n] int, the classes asked for, in [0, classes).

    Returns:
        The share; uncertainty: Wilson's; per class: the share of each, NaN for one not asked for.

    Raises:
        ValueError: lengths differ, or a label is out of range.

    Reference: Odena, Olah & Shlens 2017, section 4.1, there with Inception.
    """
    check_probabilities(fake_probabilities)
    require_samples("conditional accuracy", 1, generated=len(fake_labels))
    count, classes = fake_probabilities.shape
    if len(fake_labels) != count:
        raise ValueError(f"each image needs one label; received {count} images and {len(fake_labels)} labels")
    if fake_labels.min() < 0 or fake_labels.max() >= classes:
        raise ValueError(f"labels are 0 to {classes - 1}; received {fake_labels.min()} to {fake_labels.max()}")
    hits = fake_probabilities.argmax(axis=1) == fake_labels
    asked = np.bincount(fake_labels, minlength=classes)
    read = np.bincount(fake_labels, weights=hits, minlength=classes)
    per_class = np.divide(read, asked, out=np.full(classes, np.nan), where=asked > 0)
    return dataclasses.replace(share_of(hits), per_class=tuple(per_class.tolist()))
