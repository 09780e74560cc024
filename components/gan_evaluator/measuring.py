"""Runs the catalog's metrics on one set of images against another."""

import dataclasses
import inspect
from typing import Any

import numpy as np

from components.gan_evaluator.saved_models import Extractor
from models import catalog
from models.metrics.estimate import Estimate, TooFewSamplesError


@dataclasses.dataclass(frozen=True)
class Population:
    """Images and what the extractor sees in them.

    Attributes:
        images: [n, r, r, c] uint8.
        labels: [n] int64: true classes of real images, classes asked for of generated ones; None without.
        features: [n, d] float64.
        probabilities: [n, classes] float64, or None.
    """

    images: np.ndarray
    labels: np.ndarray | None
    features: np.ndarray
    probabilities: np.ndarray | None

    @classmethod
    def of(cls, images: np.ndarray, labels: np.ndarray | None, extractor: Extractor) -> "Population":
        """Looks at the images."""
        return cls(images, labels, *extractor.extract(images))


def measure(real: Population, fake: Population, extractor: str) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Every metric that the two populations allow.

    Args:
        real: held-out images.
        fake: generated images, or real ones in their place for the noise floor.
        extractor: names the features.

    Returns:
        The estimates, and for each other metric why there is none.
    """
    given: dict[str, Any] = {
        f"{side}_{field.name}": getattr(population, field.name)
        for side, population in (("real", real), ("fake", fake))
        for field in dataclasses.fields(Population)
    }
    estimates, missing = {}, {}
    for name, key in catalog.metric_names(extractor).items():
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
