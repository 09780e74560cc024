"""Runs the catalog's metrics on one set of examples against another."""

import dataclasses
import inspect
from typing import Any

import numpy as np

from components.gan_evaluator.saved_models import Extractor
from models import catalog, mixtures
from models.config import Experiment
from models.metrics.estimate import Estimate, TooFewSamplesError
from models.metrics.frechet import Moments


@dataclasses.dataclass(frozen=True)
class Population:
    """Examples and what the extractor sees in them.

    Attributes:
        examples: [n, r, r, c] uint8, or [n, 2] float32 points.
        labels: [n] int64: true classes of real examples, classes asked for of generated ones; None without.
        features: [n, d] float64.
        probabilities: [n, classes] float64, of stacked digits [n, 3, 10], or None.
        moments: of the features of all examples, of which these may be the first.
    """

    examples: np.ndarray
    labels: np.ndarray | None
    features: np.ndarray
    probabilities: np.ndarray | None
    moments: Moments

    @classmethod
    def of(cls, examples: np.ndarray, labels: np.ndarray | None, extractor: Extractor) -> "Population":
        """Looks at the examples."""
        features, probabilities = extractor.extract(examples)
        return cls(examples, labels, features, probabilities, Moments.of(features))

    @property
    def count(self) -> int:
        """How many were looked at."""
        return self.moments.count

    def given(self, side: str) -> dict[str, np.ndarray | None]:
        """What metrics may ask for, by the names of their parameters; `side` is real or fake."""
        return {
            f"{side}_images": self.examples if self.examples.ndim == 4 else None,
            f"{side}_points": self.examples if self.examples.ndim == 2 else None,
            f"{side}_labels": self.labels,
            f"{side}_features": self.features,
            f"{side}_probabilities": self.probabilities,
        }


def measure(real: Population, fake: Population, experiment: Experiment) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Every metric that the two populations allow.

    Args:
        real: held-out examples.
        fake: generated examples, or real ones in their place for the noise floor.
        experiment: its data decide which metrics there are, its extractor their names.

    Returns:
        The estimates, and for each other metric why there is none.
    """
    data = experiment.data
    given: dict[str, Any] = real.given("real") | fake.given("fake")
    given["mixture"] = mixtures.of_source(data.source) if data.points else None
    estimates, missing = {}, {}
    for name, key in catalog.metric_names(experiment.evaluation.extractor, data.kind).items():
        function = catalog.lookup("metric", key)
        options = inspect.signature(function).parameters.values()
        needs = [option.name for option in options if option.default is option.empty]
        absent = [need for need in needs if given[need] is None]
        if absent:
            missing[name] = f"needs {' and '.join(absent).replace('_', ' ')}"
            continue
        try:
            estimates[name] = function(**{need: given[need] for need in needs})
        except TooFewSamplesError as error:
            missing[name] = str(error)
    return estimates, missing
