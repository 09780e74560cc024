"""Real examples to ask a model with: what it was made to take, and what it was made to draw."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from models.columns import Kind, kind_of
from models.config import Experiment
from models.examples.arrays import Arrays, read_examples
from models.tasks import task_of


@dataclasses.dataclass(frozen=True)
class Real:
    """Real examples, as they are served.

    Attributes:
        inputs: what the model is made to take, by role, each [n, ...] float32; empty of one that is driven by noise.
        target: examples like those that it is made to draw, likewise.
        label: the classes of the inputs where there are any, else of the target, [n] int64; None where there are none.
    """

    inputs: Mapping[str, np.ndarray]
    target: np.ndarray
    label: np.ndarray | None

    @classmethod
    def read(cls, patterns: Sequence[str], experiment: Experiment) -> Self:
        """Reads a held-out split of transformed examples; a restorer's input is degraded as in its training.

        Args:
            patterns: of TFRecord files, here or in a bucket.
            experiment: made the model.

        Raises:
            ValueError: as `models.examples.arrays.read_examples`.
        """
        return cls.of(read_examples(patterns, experiment.data.held_out), experiment)

    @classmethod
    def of(cls, arrays: Arrays, experiment: Experiment, most: int = 100) -> Self:
        """The first ones of a split; see `read`."""
        first = Arrays({role: values[:most] for role, values in arrays.columns.items()}, arrays.groups)
        data, task = experiment.data, task_of(experiment)
        target = data.drawn
        kind = kind_of(target)
        wanted = kind.scaled(target, first.target)
        taken = task.asked(task.settings(experiment), data.columns, first, 0) if task.takes_examples else {}
        if "input" in taken:
            taken["input"] = _served(taken["input"], kind)
        return cls(taken, _served(wanted, kind), first.columns.get("label"))


def _served(x: np.ndarray, kind: Kind) -> np.ndarray:
    """Examples in the networks' range as they are served."""
    served = kind.outside(x)
    return np.asarray(served if kind.range is None else served.clip(*kind.range), np.float32)
