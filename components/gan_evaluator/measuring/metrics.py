"""Runs the catalog's metrics on one set of examples against another."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from components.gan_evaluator.measuring.settings import Settings
from models import catalog, mixtures
from models.metrics.estimate import Estimate, NoEstimateError
from models.metrics.neighbourhoods import neighbourhoods
from models.metrics.parts import cut, over_parts
from models.metrics.threads import product_a_thread
from models.tasks import task


@dataclasses.dataclass(frozen=True)
class Population:
    """Examples and what the extractor sees in them, in random order.

    Attributes:
        examples: [n, r, r, c] uint8, [n, 2] float32 points, or another kind as `models.columns.Kind.held_as` says.
        labels: [n] int64: true classes of real examples, classes asked for of generated ones; None without.
        features: [n, d] float64.
        probabilities: [n, classes] float64, of stacked digits [n, 3, 10], or None.
        inception_probabilities: [n, 1000] float64, or None.
        inputs: [n, ...] float32 as networks take it, what the examples were made of; None for noise. Before they are
            measured, they are made as large as the examples.
        back: [n, ...], what the way back made of the examples; None without.
    """

    examples: np.ndarray
    labels: np.ndarray | None
    features: np.ndarray
    probabilities: np.ndarray | None
    inception_probabilities: np.ndarray | None = None
    inputs: np.ndarray | None = None
    back: np.ndarray | None = None

    @property
    def count(self) -> int:
        """How many were looked at."""
        return len(self.examples)

    def some(self, rows: np.ndarray | slice) -> "Population":
        """The examples of these rows."""
        values = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return dataclasses.replace(self, **{name: value[rows] for name, value in values if value is not None})

    def given(self, side: str) -> dict[str, Any]:
        """What metrics may ask for, by the names of their parameters; `side` is real or fake."""
        images = self.examples.dtype == np.uint8
        return {
            f"{side}_images": self.examples if images else None,
            f"{side}_points": None if images else self.examples,
            f"{side}_labels": self.labels,
            f"{side}_features": self.features,
            f"{side}_probabilities": self.probabilities,
            f"{side}_inception_probabilities": self.inception_probabilities,
            f"{side}_inputs": self.inputs,
            f"{side}_back": self.back,
        }


def measure(
    real: Population,
    fake: Population,
    settings: Settings,
    *,
    train_features: np.ndarray | None = None,
    available: Mapping[str, int] | None = None,
    true: Population | None = None,
) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Every metric that the two populations allow.

    What depends on the number of examples is taken of parts of `fake` that are as large as `real`; see
    `models.metrics.parts`.

    Args:
        real: held-out examples.
        fake: generated examples, or real ones in their place for the noise floor; at least as many as `real`.
        settings: the data decide which metrics there are, the extractor their names.
        train_features: [t, d] float, of all that the generator was trained on. None for the noise floor: training
            examples are nobody's memory of themselves.
        true: what each of `fake` ought to be, row by row; None where nothing says so.
        available: what there was before `real` was cut to the size of a part: held-out, generated, training; for words.

    Returns:
        The estimates, each with the counts of what it was given, and for each other metric why there is none.
    """
    data, extractor = settings.data, settings.extractor
    shared = real.given("real") | {"train_features": train_features}
    shared["mixture"] = mixtures.behind(data.target.source)
    shared |= task(settings.task).options(settings.asked, data.columns)
    whole = shared | fake.given("fake") | (true.given("true") if true else {})
    parts = cut(fake.count, real.count, settings.seed)
    with product_a_thread() as pool:
        of_parts = list(pool.map(lambda rows: shared | _with_neighbours(real, fake.some(rows)), parts.rows))
    estimates, missing = {}, {}
    for name, key in catalog.metric_names(extractor, data.kind, settings.task).items():
        metric, function = catalog.METRICS[key], catalog.lookup("metric", key)
        wanted = inspect.signature(function).parameters.values()
        given = [whole] if metric.over == "all" else of_parts
        counts = _counts([each.name for each in wanted], given[0], real.count)
        too_few = _too_few(catalog.least(key, extractor), counts, available or {})
        absent = [each.name for each in wanted if each.default is each.empty and given[0].get(each.name) is None]
        if absent and absent != ["neighbourhoods"]:
            too_few = f"needs {' and '.join(absent).replace('_', ' ')}"
        if too_few:
            missing[name] = too_few
            continue
        try:
            found = _each(function, [each.name for each in wanted], given)
        except NoEstimateError as error:
            missing[name] = str(error)
            continue
        if metric.over == "parts":
            found = [over_parts(found, parts, fake.count, share=metric.share)]
            counts["fake"] = fake.count if parts.share else real.count * len(parts.rows)
        estimates[name] = dataclasses.replace(found[0], counts=counts)
    return estimates, missing


def _each(
    function: Callable[..., Estimate], names: Sequence[str], given: Sequence[Mapping[str, Any]]
) -> list[Estimate]:
    """The metric of each of what is given, one a core."""

    def estimate(one: Mapping[str, Any]) -> Estimate:
        return function(**{name: one[name] for name in names if one.get(name) is not None})

    if len(given) == 1:
        return [estimate(given[0])]
    with product_a_thread() as pool:
        return list(pool.map(estimate, given))


def _with_neighbours(real: Population, part: Population) -> dict[str, Any]:
    """A part, and who lies near whom: found once, for all metrics that ask."""
    try:
        near = neighbourhoods(real.features, part.features)
    except NoEstimateError:
        near = None  # there are fewer than `least` too
    return part.given("fake") | {"neighbourhoods": near}


def _counts(names: Sequence[str], given: Mapping[str, Any], size: int) -> dict[str, int]:
    """How many examples of each side a metric is given."""
    counts = {name.partition("_")[0]: len(given[name]) for name in names if isinstance(given.get(name), np.ndarray)}
    return counts | ({"real": size, "fake": size} if "neighbourhoods" in names else {})


def _too_few(least: int, counts: Mapping[str, int], available: Mapping[str, int]) -> str:
    """What a metric needs more of; empty where it has enough."""
    if counts.get("real", least) < least:
        # Parts are at most half of a set, so that there are several.
        needs = f"needs at least {least} held-out, {2 * least} generated and {2 * least} training examples"
        received = ", ".join(f"{count:,} {side}" for side, count in available.items())
        return f"{needs}; received {received or counts['real']}"
    if counts.get("fake", least) < least:
        return f"needs at least {least:,} generated examples; received {counts['fake']:,}"
    return ""
