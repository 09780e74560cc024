"""Improved precision and recall: do samples fall among real data, and does real data fall among samples?"""

import numpy as np

from models.metrics.distances import centred, neighbour_radii, squared_distances
from models.metrics.estimate import Estimate, check_features, require_samples, standard_error


def precision(real_features: np.ndarray, fake_features: np.ndarray, *, k: int = 3) -> Estimate:
    """Share of samples that lie within the k-th neighbour's distance of some real image: fidelity.

    Args:
        real_features: [n > k, d] float.
        fake_features: [m > 1, d] float.
        k: which neighbour sets a real image's radius.

    Returns:
        The share; uncertainty: its standard error over the samples.

    Raises:
        TooFewSamplesError: k or fewer samples in a set.
        ValueError: widths differ, or a feature is not finite.

    Reference: Kynkaanniemi et al. 2019, equations 1 and 2.
    """
    check_features(real=real_features, fake=fake_features)
    require_samples(f"precision of k = {k}", k + 1, real=len(real_features), generated=len(fake_features))
    real, fake = centred(real_features, fake_features)
    inside = _inside(fake, real, k)
    return Estimate(float(inside.mean()), standard_error(inside))


def recall(real_features: np.ndarray, fake_features: np.ndarray, *, k: int = 3) -> Estimate:
    """Share of real images that lie within the k-th neighbour's distance of some sample: variety.

    The radii shrink as samples grow in number, so the samples are taken in parts of as many as there are real images
    (the paper's equal counts), and each real image counts with the share of parts that reach it.

    Args:
        real_features: [n > k, d] float.
        fake_features: [m > k, d] float.
        k: which neighbour sets a sample's radius.

    Returns:
        The share; uncertainty: its standard error over the real images.

    Raises:
        TooFewSamplesError: k or fewer samples in a set.
        ValueError: widths differ, or a feature is not finite.

    Reference: Kynkaanniemi et al. 2019, equations 1 and 3.
    """
    check_features(real=real_features, fake=fake_features)
    require_samples(f"recall of k = {k}", k + 1, real=len(real_features), generated=len(fake_features))
    real, fake = centred(real_features, fake_features)
    inside = np.mean([_inside(real, part, k) for part in equal_parts(fake, len(real))], axis=0)
    return Estimate(float(inside.mean()), standard_error(inside))


def equal_parts(fake: np.ndarray, size: int) -> list[np.ndarray]:
    """The samples in parts of `size`, what is left over dropped; all of them as one part where they are fewer."""
    parts = max(1, len(fake) // size)
    return [fake[part * size : (part + 1) * size] for part in range(parts)]


def _inside(points: np.ndarray, manifold: np.ndarray, k: int) -> np.ndarray:
    """Which points lie within the radius of some point of the manifold, [n] bool."""
    radii = neighbour_radii(manifold, k)
    inside = np.empty(len(points), bool)
    for block, distances in squared_distances(points, manifold):
        inside[block] = (distances <= radii).any(axis=1)
    return inside
