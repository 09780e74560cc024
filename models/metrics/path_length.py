"""Perceptual path length: how smoothly a generator's pictures change with its noise."""

import numpy as np

from models.metrics.estimate import Estimate, check_features, require_samples, standard_error


def perceptual_path_length(
    start_features: np.ndarray, end_features: np.ndarray, *, epsilon: float = 1e-4, discard: float = 0.01
) -> Estimate:
    """Mean squared change of features between t and t + epsilon on paths through the noise, over epsilon^2.

    Who calls it draws the paths: two noises a pair, t uniform in [0, 1] (or 0, for path ends), spherical interpolation
    for normal noise.

    Args:
        start_features: [n, d] float, of the pictures at t; 100 or more at 1 % discarded.
        end_features: [n, d] float, of those at t + epsilon, row by row.
        epsilon: the step, > 0. Features in float32 lose a step as small as the paper's: take one that they resolve.
        discard: share of pairs that is left out at either end, in [0, 0.5): a few jumps would decide the mean.

    Returns:
        The mean, at least 0, lower for smoother; uncertainty: its standard error over the pairs that are left.

    Raises:
        TooFewSamplesError: fewer pairs than leave one out at either end, or than 2.
        ValueError: shapes differ, a feature is not finite, or an option is out of its range.

    Reference: Karras, Laine & Aila 2019, section 4.1; the discarding as in their code. They take VGG16's distance
    (Zhang et al. 2018); ours is Euclidean in the features that are given, whose name belongs to the value.
    """
    check_features(start=start_features, end=end_features)
    if len(start_features) != len(end_features):
        raise ValueError(f"a path length is of pairs; received {len(start_features)} and {len(end_features)} features")
    if not epsilon > 0 or not 0 <= discard < 0.5:
        raise ValueError(f"epsilon is positive and discard in [0, 0.5); received {epsilon} and {discard}")
    needed = max(2, int(np.ceil(1 / discard)) if discard else 0)
    require_samples("a path length", needed, generated=len(start_features))
    steps = (end_features.astype(np.float64) - start_features) / epsilon
    lengths = np.einsum("nd,nd->n", steps, steps)
    low = np.quantile(lengths, discard, method="lower")
    high = np.quantile(lengths, 1 - discard, method="higher")
    kept = lengths[(lengths >= low) & (lengths <= high)]
    protocol = f"epsilon = {epsilon:g}, {100 * discard:g} % discarded at either end"
    return Estimate(float(kept.mean()), standard_error(kept), protocol=protocol)
