"""Improved precision and recall: do samples fall among real data, and does real data fall among samples?"""

from models.metrics.estimate import Estimate, standard_error
from models.metrics.neighbourhoods import Neighbourhoods


def precision(neighbourhoods: Neighbourhoods) -> Estimate:
    """Share of samples that lie within the k-th neighbour's distance of some real image: fidelity.

    Args:
        neighbourhoods: of real and generated features.

    Returns:
        The share; uncertainty: its standard error over the samples.

    Reference: Kynkaanniemi et al. 2019, equations 1 and 2.
    """
    inside = neighbourhoods.inside
    return Estimate(float(inside.mean()), standard_error(inside), protocol=f"k = {neighbourhoods.k}")


def recall(neighbourhoods: Neighbourhoods) -> Estimate:
    """Share of real images that lie within the k-th neighbour's distance of some sample: variety.

    Args:
        neighbourhoods: of real and generated features. Each real image counts with the share of parts that reach it.

    Returns:
        The share; uncertainty: its standard error over the real images.

    Reference: Kynkaanniemi et al. 2019, equations 1 and 3.
    """
    reached = neighbourhoods.reached
    return Estimate(float(reached.mean()), standard_error(reached), protocol=f"k = {neighbourhoods.k}")
