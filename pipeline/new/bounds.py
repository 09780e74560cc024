"""What may be required of a model, as far as the numbers of images tell a good one from a bad one."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from models.config import Evaluation, Threshold
from models.config.datasets.images import Squares
from models.metrics.bounds import check_bounds
from pipeline.new.counting import Counts
from pipeline.new.facts import Facts

RESOLVES = (None, 0.12, 0.15, 0.2, 0.25, 0.3)
"""Shortfalls that a bound is asked to notice, the sharpest first; None for the share that all bounds have to."""
SPARE = 0.95
"""A share of the images: some of those held out may turn out to be copies of others once they are shrunk."""


class Wish(NamedTuple):
    """A bound that would be good to have: on which metric, what, and why."""

    metric: str
    bounds: Mapping[str, float]
    reason: str


class Carried(NamedTuple):
    """What becomes of a wish: the threshold, or None with the reason."""

    metric: str
    threshold: Threshold | None
    reason: str


def wishes(facts: Facts, *, own: bool) -> list[Wish]:
    """What would be good to require, fidelity and variety together, as either alone hides a collapse.

    Args:
        facts: of the images.
        own: whether a classifier that learns these classes judges, or a network that has seen other images.
    """
    found = []
    if own and facts.read:
        right, guessed, _ = facts.read
        limit = math.floor(100 * (guessed + (right - guessed) / 2)) / 100
        reason = (
            f"the class asked for has to show: a linear look at the pixels reads {right:.2f} of real images right and "
            f"guessing {guessed:.2f}; halfway is asked"
        )
        found.append(Wish("conditional_accuracy", {"at_least": limit}, reason))
    if facts.classes:
        reason = "one picture a class would be read right every time; real images have 1"
        found.append(Wish("within_class_spread", {"at_least": 0.7}, reason))
    else:
        found.append(Wish("spread", {"at_least": 0.7}, "pictures differ nearly as much as real ones, which have 1"))
    if own:
        reason = "real images that have a drawn one near; at most so far below what real ones have of each other"
        found.append(Wish("coverage", {"within_floor": 0.3}, reason))
    else:
        reason = "real images that have a drawn one near, in the eyes of a network that has seen photographs"
        found.append(Wish("coverage", {"at_least": 0.2}, reason))
        reason = "pictures that have almost a twin among the others; real ones have 0.01"
        found.append(Wish("near_duplicates", {"at_most": 0.2}, reason))
    found.append(Wish("sharpness", {"at_least": 0.6}, "blurred pictures have less; real ones have 1"))
    found.append(Wish("noise", {"at_most": 4}, "grainy pictures and chequered ones have more; real ones have 1"))
    found.append(Wish("memorisation", {"at_most": 0.1}, "copies of training images; what was held out has 0.01"))
    return found


def carried(
    wishes: list[Wish], data: Squares, evaluation: Mapping[str, Any], counts: Counts, *, task: str = "generate"
) -> list[Carried]:
    """Holds each wish against the counts, as a run does before it trains.

    Args:
        wishes: in the order in which they are to be written.
        data: what is judged.
        evaluation: fields that are set.
        counts: of the examples.
        task: what the model takes.
    """
    # so sure of each alone as of all together: that is what Sidak's correction asks of one of several bounds
    number = sum(len(wish.bounds) for wish in wishes)
    confidence = Evaluation.model_fields["confidence"].default ** (1 / max(1, number))
    fields = dict(evaluation) | {"confidence": confidence}
    return [_carried(wish, fields, lambda asked, share: _refused(data, asked, counts, share, task)) for wish in wishes]


def _carried(wish: Wish, fields: Mapping[str, Any], refused: Callable[[Mapping[str, Any], float], str]) -> Carried:
    why = ""
    for resolves in RESOLVES:
        sharpness = {} if resolves is None else {"resolves": resolves}
        threshold = Threshold(**wish.bounds, **sharpness)
        asked = {**fields, "thresholds": {wish.metric: threshold}}
        reason = refused(asked, 1) or refused(asked, SPARE)
        if not reason:
            blunt = f"; of so few images, it notices a shortfall of {resolves:g}" if resolves else ""
            return Carried(wish.metric, threshold, wish.reason + blunt)
        why = why or reason
    return Carried(wish.metric, None, f"nothing is required of {wish.metric}: {why}")


def _refused(data: Squares, fields: Mapping[str, Any], counts: Counts, share: float, task: str) -> str:
    """Why a share of the examples cannot carry a bound; empty where it can."""
    asked = Evaluation(**fields).for_data(data.kind, data.classes)
    real, train = (int(share * counts.of(split)) for split in ("eval", "train"))
    of_class = [counts.by_class.get(str(number), {}).get("eval", 0) for number in range(data.classes)]
    try:
        check_bounds(data, asked, task=task, train=train, real=real, asked=real, of_class=of_class)
    except ValueError as error:
        spare = "" if share == 1 else f", once {100 - 100 * share:.0f} % turn out to be copies"
        return str(error).partition(": ")[0] + spare
    return ""
