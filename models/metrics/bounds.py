"""How surely a model has to miss a bound to be refused, and whether the examples are enough to notice that it does.

Numbers of examples are held against the bounds before anything is trained.
"""

import inspect
import math
from collections.abc import Sequence
from statistics import NormalDist

from models import catalog
from models.config import Data, Evaluation, Threshold
from models.metrics.parts import DISJOINT, DRAWN, part_size

NOTICED = NormalDist().inv_cdf(0.95)
"""Standard errors more than `refusing_errors` by which a model that is refused with 95 % probability falls short."""

FLOOR = 0.8
"""Real against real, a share is above this or below 1 less it."""

PAIRED = math.sqrt(2)
"""Errors of shares of neighbours, which come in pairs, as a multiple of those of independent draws."""


def refusing_errors(evaluation: Evaluation) -> float:
    """Standard errors by which a bound has to be missed, so that `confidence` holds for all bounds together.

    One-sided, by Sidak's correction: 3.02 for eight bounds at 0.99.
    """
    count = sum(len(threshold.bounds) for threshold in evaluation.thresholds.values())
    return NormalDist().inv_cdf(evaluation.confidence ** (1 / max(1, count)))


def shortfall_to_notice(evaluation: Evaluation, threshold: Threshold, limit: float) -> float:
    """The shortfall from a limit of this threshold that has to be noticed; see `Evaluation.bluntness`."""
    return threshold.resolves or evaluation.bluntness * max(1.0, abs(limit))


def check_bounds(
    data: Data,
    evaluation: Evaluation,
    *,
    task: str,
    train: int,
    real: int,
    asked: int,
    of_class: Sequence[int] = (),
) -> None:
    """Holds each bound against the numbers of examples.

    A share has an error that is bounded by that of draws (Wilson 1927, at the limit); other metrics have one that only
    a measurement tells, and of them the fewest examples are asked for alone.

    Args:
        data: what they are.
        evaluation: its thresholds, and how many are generated.
        task: what the model takes, which decides the metrics that it has.
        train: training examples.
        real: held-out examples to judge against.
        asked: held-out examples that a model which takes examples is given.
        of_class: of these, those of each class; nothing without labels.

    Raises:
        ValueError: as `Evaluation.check_bounds`; or a metric with a bound has no value of so few examples, or would not
            notice what `evaluation.bluntness` or the threshold's `resolves` asks for. One line that says what to raise.
    """
    learnt = catalog.lookup("task", task)()
    evaluation.check_bounds(data, task, paired=learnt.paired(data.held_out.columns))
    names = catalog.metric_names(evaluation.extractor, data.kind, task)
    made = min(evaluation.samples, asked) if learnt.takes_examples else evaluation.samples
    size = part_size(real=real, generated=made, train=train, compared=evaluation.compared)
    for name, threshold in evaluation.thresholds.items():
        if name not in names:
            continue
        metric, least = catalog.METRICS[names[name]], catalog.least(names[name], evaluation.extractor)
        if least > evaluation.compared and compares(names[name]):
            raise ValueError(
                f"a bound on {name} needs at least {least} examples of each side; evaluation.compared is "
                f"{evaluation.compared}: raise it, or leave evaluation.thresholds.{name} out"
            )
        if compares(names[name]) and size < least:
            raise ValueError(
                f"a bound on {name} needs at least {least} held-out and {2 * least} training and "
                f"generated examples; there are {real:,}, {train:,} and {made:,}: add examples, raise "
                f"evaluation.samples, or leave evaluation.thresholds.{name} out"
            )
        if not compares(names[name]) and made < least:
            limit = (
                f"evaluation.samples is {made:,}: raise it"
                if made == evaluation.samples
                else f"they are made of held-out ones, of which there are {made:,}: add examples"
            )
            raise ValueError(
                f"a bound on {name} needs at least {least:,} generated examples; {limit}, or leave "
                f"evaluation.thresholds.{name} out"
            )
        # those that are compared are drawn from all
        few = [number for number, count in enumerate(of_class) if count * size / real < metric.least_of_class]
        if few:
            raise ValueError(
                f"a bound on {name} needs at least {metric.least_of_class} held-out examples of each class; of class "
                f"{few[0]} there are {of_class[few[0]]:,} of {real:,}, of which {size:,} are compared: add examples, "
                f"raise evaluation.compared, or leave evaluation.thresholds.{name} out"
            )
        if metric.share:
            _check_share(name, metric, threshold, evaluation, train=train, size=size, made=made)


def compares(key: str) -> bool:
    """True for a metric of the catalog that compares with held-out examples."""
    parameters = inspect.signature(catalog.lookup("metric", key)).parameters
    return any(name == "neighbourhoods" or name.startswith("real_") for name in parameters)


def _check_share(
    name: str, metric: catalog.Metric, threshold: Threshold, evaluation: Evaluation, *, train: int, size: int, made: int
) -> None:
    for bound, limit in threshold.bounds.items():
        relative = bound.startswith("within")
        share = FLOOR if relative else limit
        if not 0 < share < 1:
            continue  # no share falls short of it
        deviation = math.sqrt(share * (1 - share))
        if metric.over == "all":
            own, floor = (deviation / math.sqrt(count) for count in (made, train))
        else:
            of_part = PAIRED * deviation / math.sqrt(size)
            own, floor = (_error(of_part, count, size) for count in (made, train))
        # the floor's side, or for the blessed model one like this one's
        other = floor if bound == "within_floor" else own if relative else 0.0
        found = (refusing_errors(evaluation) + NOTICED) * math.hypot(own, other)
        allowed = shortfall_to_notice(evaluation, threshold, share)
        if found <= allowed:
            continue
        enough = made >= DISJOINT * size or made < evaluation.samples
        remedy = "add examples" if other > own or enough else "raise evaluation.samples"
        raise ValueError(
            f"evaluation.thresholds.{name}.{bound} has to notice a shortfall of {allowed:.2g}; of {size:,} held-out, "
            f"{train:,} training and {made:,} generated examples it notices {found:.2g}: {remedy}, or "
            f"set evaluation.thresholds.{name}.resolves={math.ceil(100 * found) / 100:g}"
        )


def _error(of_part: float, count: int, size: int) -> float:
    """The error of a mean over parts, as `over_parts` estimates it, where one part has this deviation."""
    if count // size >= DISJOINT:
        return of_part / math.sqrt(count // size)
    share = size / count
    return of_part * math.sqrt(share + (1 - share) / DRAWN)
