"""Runs the catalog's metrics on one set of examples against another."""

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from models import catalog, mixtures
from models.config import Experiment
from models.metrics.estimate import Estimate, NoEstimateError
from models.metrics.frechet import Moments
from models.metrics.neighbourhoods import neighbourhoods


@dataclasses.dataclass(frozen=True)
class Population:
    """Examples and what the extractor sees in them.

    Attributes:
        examples: [n, r, r, c] uint8, or [n, 2] float32 points.
        labels: [n] int64: true classes of real examples, classes asked for of generated ones; None without.
        features: [n, d] float64.
        probabilities: [n, classes] float64, of stacked digits [n, 3, 10], or None.
        moments: of the features of all examples, of which these may be the first.
        inception_probabilities: [n, 1000] float64, or None.
    """

    examples: np.ndarray
    labels: np.ndarray | None
    features: np.ndarray
    probabilities: np.ndarray | None
    moments: Moments
    inception_probabilities: np.ndarray | None = None

    @property
    def count(self) -> int:
        """How many were looked at."""
        return self.moments.count

    def given(self, side: str) -> dict[str, Any]:
        """What metrics may ask for, by the names of their parameters; `side` is real or fake."""
        return {
            f"{side}_images": self.examples if self.examples.ndim == 4 else None,
            f"{side}_points": self.examples if self.examples.ndim == 2 else None,
            f"{side}_labels": self.labels,
            f"{side}_features": self.features,
            f"{side}_probabilities": self.probabilities,
            f"{side}_inception_probabilities": self.inception_probabilities,
            f"{side}_moments": self.moments,
        }


def measure(
    real: Population, fake: Population, experiment: Experiment, *, train_features: np.ndarray | None = None
) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Every metric that the two populations allow.

    Args:
        real: held-out examples.
        fake: generated examples, or real ones in their place for the noise floor.
        experiment: its data decide which metrics there are, its extractor their names.
        train_features: [t, d] float, of all that the generator was trained on. None for the noise floor: training
            examples are nobody's memory of themselves.

    Returns:
        The estimates, each with the counts of what it was given, and for each other metric why there is none.
    """
    data = experiment.data
    given: dict[str, Any] = real.given("real") | fake.given("fake") | {"train_features": train_features}
    given["mixture"] = mixtures.of_source(data.source) if data.points else None
    given["neighbourhoods"], too_few = None, ""
    try:
        # Made once, for all metrics that look at who lies near whom.
        given["neighbourhoods"] = neighbourhoods(real.features, fake.features)
    except NoEstimateError as error:
        too_few = str(error)
    estimates, missing = {}, {}
    for name, key in catalog.metric_names(experiment.evaluation.extractor, data.kind).items():
        function = catalog.lookup("metric", key)
        options = inspect.signature(function).parameters.values()
        absent = [option.name for option in options if option.default is option.empty and given[option.name] is None]
        if absent:
            needs = f"needs {' and '.join(absent).replace('_', ' ')}"
            missing[name] = too_few if absent == ["neighbourhoods"] else needs
            continue
        arguments = {option.name: given[option.name] for option in options if given.get(option.name) is not None}
        try:
            found = function(**arguments)
        except NoEstimateError as error:
            missing[name] = str(error)
        else:
            estimates[name] = dataclasses.replace(found, counts=_counts(arguments))
    return estimates, missing


def _counts(arguments: Mapping[str, Any]) -> dict[str, int]:
    """How many examples of each side a metric was given."""
    counts = {name.partition("_")[0]: len(value) for name, value in arguments.items() if isinstance(value, np.ndarray)}
    counts |= {name.partition("_")[0]: value.count for name, value in arguments.items() if isinstance(value, Moments)}
    near = arguments.get("neighbourhoods")
    return counts if near is None else {"real": len(near.covered), "fake": len(near.inside)}
