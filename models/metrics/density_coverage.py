"""Density and coverage: precision and recall by counts around real images alone, robust to outliers."""

import numpy as np

from models.metrics.distances import centred, neighbour_radii, squared_distances
from models.metrics.estimate import Estimate, check_features, require_samples, standard_error
from models.metrics.precision_recall import equal_parts


def density(real_features: np.ndarray, fake_features: np.ndarray, *, k: int = 5) -> Estimate:
    """Real neighbourhoods that a sample lies in, on average, over k: fidelity, 1 for equal distributions.

    Args:
        real_features: [n > k, d] float.
        fake_features: [m > 1, d] float.
        k: which neighbour sets a real image's radius.

    Returns:
        The mean, at least 0, above 1 where samples crowd the densest regions; uncertainty: its standard error over the
        samples.

    Raises:
        TooFewSamplesError: k or fewer samples in a set.
        ValueError: widths differ, or a feature is not finite.

    Reference: Naeem et al. 2020, equation 5.
    """
    check_features(real=real_features, fake=fake_features)
    require_samples(f"density of k = {k}", k + 1, real=len(real_features), generated=len(fake_features))
    real, fake = centred(real_features, fake_features)
    radii = neighbour_radii(real, k)
    counts = np.empty(len(fake))
    for block, distances in squared_distances(fake, real):
        counts[block] = (distances <= radii).sum(axis=1) / k
    return Estimate(float(counts.mean()), standard_error(counts))


def coverage(real_features: np.ndarray, fake_features: np.ndarray, *, k: int = 5) -> Estimate:
    """Share of real images with a sample in their neighbourhood: variety.

    More samples cover more, so the samples are taken in parts of as many as there are real images (the paper's equal
    counts), and each real image counts with the share of parts that cover it. Equal distributions then have
    about 1 - 2^-k: 0.97 for k = 5.

    Args:
        real_features: [n > k, d] float.
        fake_features: [m > k, d] float.
        k: which neighbour sets a real image's radius.

    Returns:
        The share; uncertainty: its standard error over the real images.

    Raises:
        TooFewSamplesError: k or fewer samples in a set.
        ValueError: widths differ, or a feature is not finite.

    Reference: Naeem et al. 2020, equation 6.
    """
    check_features(real=real_features, fake=fake_features)
    require_samples(f"coverage of k = {k}", k + 1, real=len(real_features), generated=len(fake_features))
    real, fake = centred(real_features, fake_features)
    radii = neighbour_radii(real, k)
    covered = np.mean([_covered(real, radii, part) for part in equal_parts(fake, len(real))], axis=0)
    return Estimate(float(covered.mean()), standard_error(covered))


def _covered(real: np.ndarray, radii: np.ndarray, fake: np.ndarray) -> np.ndarray:
    covered = np.empty(len(real), bool)
    for block, distances in squared_distances(real, fake):
        covered[block] = distances.min(axis=1) <= radii[block]
    return covered
