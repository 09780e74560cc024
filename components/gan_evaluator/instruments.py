"""What every generator of a judgement is measured with."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from components.gan_evaluator.measuring import Population, measure
from components.gan_evaluator.populations import Side
from components.gan_evaluator.saved_models import Generator
from models import catalog
from models.config import Experiment, Threshold
from models.data import Arrays
from models.metrics.estimate import Estimate
from models.metrics.parts import DISJOINT, part_size

WAYS, WAY = 8, 8
"""Interpolations that are shown, and examples of each."""


class Instruments:
    """What every generator of a judgement is measured with: the same real examples, noise, labels and extractor.

    Args:
        experiment: `data` and `evaluation` decide.
        extractor: directory of the extractor that gives the features.
        train: training examples: the noise floor, and the labels that are asked for.
        held_out: the reference.
        look: draws and looks, as `populations.look`.
        generated: how many examples are judged.

    Attributes:
        experiment: as given.
        size: of the parts that are compared with as many real examples.
    """

    def __init__(
        self,
        experiment: Experiment,
        extractor: str,
        train: Arrays,
        held_out: Arrays,
        look: Callable[..., dict[str, Population]],
        generated: int,
    ):
        evaluation = experiment.evaluation
        self.experiment = experiment
        self._look = functools.partial(look, extractor=extractor, experiment=experiment)
        self._available = {"held-out": len(held_out), "generated": generated, "training": len(train)}
        self.size = part_size(real=len(held_out), generated=generated, train=len(train), compared=evaluation.compared)
        self._real = some(held_out, self.size, evaluation.seed)
        self._train, self._labels = some(train, len(train), evaluation.seed)
        self._generated = generated

    def side(self, generator: Generator) -> Side:
        """Samples of the classes of training examples, if it takes any, so that these have their real shares."""
        labels = None
        if generator.conditional and self._labels is not None:
            labels = np.resize(self._labels, self._generated)
        return Side(self._generated, labels=labels, generator=generator.directory)

    def look(self, judged: Side, scratch: str | None) -> dict[str, Population]:
        """What there is to see of what is judged.

        Returns:
            `fake`, what is judged; `real`, the reference; `floor`, training examples in the place of the judged ones;
            `train`, all of them.

        Raises:
            ValueError: as `Generator` and `Extractor` do.
        """
        real, labels = self._real
        sides = {
            "train": Side(len(self._train), examples=self._train, labels=self._labels),
            "real": Side(len(real), examples=real, labels=labels),
            "fake": judged,
        }
        seen = self._look(sides, scratch=scratch)
        floor = seen["train"].some(slice(max(self._generated, DISJOINT * self.size)))
        return seen | {"floor": floor if judged.labels is not None else dataclasses.replace(floor, labels=None)}

    def look_at(self, side: Side, scratch: str | None) -> Population:
        """One side alone. Raises ValueError as `look`."""
        return self._look({"one": side}, scratch=scratch)["one"]

    def ways(self, generator: Generator) -> np.ndarray:
        """Interpolations to show, [WAYS, WAY, ...]; see `Generator.interpolate`."""
        asked = self.side(generator).labels
        labels = None if asked is None else np.resize(np.unique(asked), WAYS)
        return generator.interpolate(WAYS, WAY, seed=self.experiment.evaluation.seed, labels=labels)

    def measure(self, seen: dict[str, Population], side: str) -> tuple[dict[str, Estimate], dict[str, str]]:
        """Every metric of one side of what was seen; see `measure`."""
        train = None if side == "floor" else seen["train"].features
        return measure(seen["real"], seen[side], self.experiment, train_features=train, available=self._available)

    def threshold(self, name: str) -> Threshold | None:
        """What is required of a metric."""
        return self.experiment.evaluation.thresholds.get(name)

    @property
    def names(self) -> dict[str, str]:
        """See `catalog.metric_names`; those of this kind of data."""
        return catalog.metric_names(self.experiment.evaluation.extractor, self.experiment.data.kind)


def some(arrays: Arrays, count: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """So many of the examples in random order, or all, and their labels."""
    rows = np.random.default_rng(seed).permutation(len(arrays))[:count]
    return arrays.target[rows], None if arrays.label is None else arrays.label[rows]
