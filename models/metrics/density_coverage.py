"""Density and coverage: precision and recall by counts around real images alone, robust to outliers."""

from models.metrics.estimate import Estimate, standard_error
from models.metrics.neighbourhoods import Neighbourhoods


def density(neighbourhoods: Neighbourhoods) -> Estimate:
    """Real neighbourhoods that a sample lies in, on average, over k: fidelity, 1 for equal distributions.

    Args:
        neighbourhoods: of real and generated features.

    Returns:
        The mean, at least 0, above 1 where samples crowd the densest regions; uncertainty: its standard error over the
        samples.

    Reference: Naeem et al. 2020, equation 5.
    """
    k = neighbourhoods.density_k
    shares = neighbourhoods.around / k
    return Estimate(float(shares.mean()), standard_error(shares), protocol=f"k = {k}")


def coverage(neighbourhoods: Neighbourhoods) -> Estimate:
    """Share of real images with a sample in their neighbourhood: variety.

    Equal distributions have about 1 - 2^-k: 0.97 for k = 5.

    Args:
        neighbourhoods: of real and generated features. Each real image counts with the share of parts that cover it.

    Returns:
        The share; uncertainty: its standard error over the real images.

    Reference: Naeem et al. 2020, equation 6.
    """
    covered = neighbourhoods.covered
    return Estimate(float(covered.mean()), standard_error(covered), protocol=f"k = {neighbourhoods.density_k}")
