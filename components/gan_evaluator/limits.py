"""Which metrics so many examples cannot carry, found before anything is trained."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models import catalog, mixtures
from models.config import Data, Evaluation
from models.features import FEATURES
from models.metrics.estimate import NoEstimateError, TooFewSamplesError
from models.metrics.neighbourhoods import neighbourhoods

INCEPTION_FEATURES = 2048
MOST = 1_000
"""Examples that stand for any larger number at first: what these cannot carry is asked again with all of them."""


def shortages(
    data: Data, evaluation: Evaluation, *, train: Sequence[int], real: Sequence[int], generated: Sequence[int]
) -> dict[str, str]:
    """Asks each metric that has a threshold for a value, of random numbers in the place of examples.

    Args:
        data: what an example is.
        evaluation: its thresholds and extractor decide which metrics are asked.
        train: examples of each class, or of all in one number where there are no labels.
        real: likewise, those held out.
        generated: likewise.

    Returns:
        Metric -> how many it needs, of those that need more.
    """
    names = catalog.metric_names(evaluation.extractor, data.kind)
    asked = {name: key for name, key in names.items() if name in evaluation.thresholds}
    found: dict[str, str] = {}
    for most in (MOST, None):
        given: dict[str, Any] = {"train_features": _features(data, evaluation, sum(train), MOST)}
        given |= _side("real", data, evaluation, real, most) | _side("fake", data, evaluation, generated, most)
        given["mixture"] = mixtures.of_source(data.source) if data.points else None
        found = _short(asked, given)
        asked = {name: asked[name] for name in found}
        if not found or max(sum(real), sum(generated)) <= MOST:
            break
    return found


def _short(asked: Mapping[str, str], given: dict[str, Any]) -> dict[str, str]:
    """The metrics that what is given is too little for, and why."""
    found = {}
    for name, key in asked.items():
        function = catalog.lookup("metric", key)
        try:
            options = inspect.signature(function).parameters.values()
            if any(option.name == "neighbourhoods" for option in options) and "neighbourhoods" not in given:
                given["neighbourhoods"] = neighbourhoods(given["real_features"], given["fake_features"])
            if all(option.name in given for option in options if option.default is option.empty):
                function(**{option.name: given[option.name] for option in options if option.name in given})
        except TooFewSamplesError as error:
            found[name] = str(error)
        except NoEstimateError:
            # random numbers may have none
            continue
    return found


def _side(side: str, data: Data, evaluation: Evaluation, counts: Sequence[int], most: int | None) -> dict[str, Any]:
    """What `measure` gives to metrics of a side, of random numbers."""
    random, total = np.random.default_rng(0), sum(counts)
    given: dict[str, Any] = {f"{side}_features": _features(data, evaluation, total, most)}
    if data.points:
        mixture = mixtures.of_source(data.source)
        points, modes = mixtures.sample(mixture, total, 0)
        probabilities = random.dirichlet(np.ones(len(mixture.centres)), total)
        given |= {f"{side}_points": points, f"{side}_probabilities": probabilities}
        return given | ({f"{side}_labels": modes} if data.labels else {})
    # no metric asks for more than 4 of a class, however many classes there are
    of_class = total if most is None else max(4, most // len(counts))
    labels = np.repeat(np.arange(len(counts)), np.minimum(counts, of_class))
    given[f"{side}_images"] = random.integers(0, 256, [len(labels), *data.shape], np.uint8)
    if data.labels:
        given[f"{side}_labels"] = labels
    if data.kind == "stacked":
        given[f"{side}_probabilities"] = random.dirichlet(np.ones(10), [total, 3])
    elif data.labels > 1:
        given[f"{side}_probabilities"] = random.dirichlet(np.ones(data.labels), len(labels))
    if evaluation.extractor == catalog.INCEPTION:
        given[f"{side}_inception_probabilities"] = random.dirichlet(np.ones(1000), len(labels))
    return given


def _features(data: Data, evaluation: Evaluation, count: int, most: int | None) -> np.ndarray:
    width = 2 if data.points else 3 * FEATURES if data.kind == "stacked" else FEATURES
    if evaluation.extractor == catalog.INCEPTION:
        width = INCEPTION_FEATURES
    return np.random.default_rng(count).normal(size=[count if most is None else min(count, most), width])
