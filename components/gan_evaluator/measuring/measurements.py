"""What was measured of one set of examples: all that a gate judges and a report shows."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from components.gan_evaluator.measuring.pictures import Pictures
from models.metrics.estimate import Estimate


@dataclasses.dataclass(frozen=True)
class Measurements:
    """One set of examples against one reference.

    Attributes:
        estimates: metric -> its value; of those that have one.
        missing: metric -> why it has none.
        counts: examples by kind.
        labelled: whether each example stands for a class that was asked for.
        pictures: what is shown; None where real examples stand in the place of generated ones.
        untouched: the estimates of inputs in the place of outputs, enlarged where these are larger; of paired images.
    """

    estimates: dict[str, Estimate]
    missing: dict[str, str]
    counts: dict[str, int]
    labelled: bool
    pictures: Pictures | None = None
    untouched: dict[str, Estimate] = dataclasses.field(default_factory=dict)

    def to_tree(self) -> dict[str, Any]:
        """All but the pictures as plain values, from which `of` makes the same again."""
        told = {"untouched": {name: _plain(each) for name, each in self.untouched.items()}} if self.untouched else {}
        return told | {
            "estimates": {name: _plain(each) for name, each in self.estimates.items()},
            "missing": self.missing,
            "counts": {name: int(count) for name, count in self.counts.items()},
            "labelled": self.labelled,
        }

    @classmethod
    def of(cls, tree: Mapping[str, Any], pictures: Pictures | None) -> Self:
        """Takes back what `to_tree` gave. Raises KeyError, TypeError or ValueError where it is something else."""
        return cls(
            estimates={name: _estimate(each) for name, each in tree["estimates"].items()},
            missing=dict(tree["missing"]),
            counts=dict(tree["counts"]),
            labelled=bool(tree["labelled"]),
            pictures=pictures,
            untouched={name: _estimate(each) for name, each in tree.get("untouched", {}).items()},
        )


def _plain(estimate: Estimate) -> dict[str, Any]:
    return dataclasses.asdict(estimate) | {
        "value": _number(estimate.value),
        "uncertainty": None if estimate.uncertainty is None else _number(estimate.uncertainty),
        "per_class": [_number(value) for value in estimate.per_class],
        "counts": {side: int(count) for side, count in estimate.counts.items()},
    }


def _estimate(tree: Mapping[str, Any]) -> Estimate:
    return Estimate(
        value=float(tree["value"]),
        uncertainty=None if tree["uncertainty"] is None else float(tree["uncertainty"]),
        per_class=tuple(float(value) for value in tree["per_class"]),
        protocol=tree["protocol"],
        counts=dict(tree["counts"]),
        trials=tree["trials"],
        freedom=tree["freedom"],
    )


def _number(value: float) -> float | str:
    """A number that JSON has, or the words "nan", "inf" and "-inf", which it has not as numbers."""
    value = float(value)
    return value if abs(value) < float("inf") else str(value)
