"""What every generator of a judgement is measured with."""

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

WAYS, WAY = 8, 8
"""Interpolations that are shown, and examples of each."""


class Bench:
    """What every generator of a judgement is measured with: the same real examples, noise, labels and extractor.

    Args:
        experiment: `data` and `evaluation` decide.
        extractor: directory of the extractor that gives the features.
        train: training examples, of which the first of a shuffle are the noise floor and lend their labels.
        held_out: the reference.
        look: draws and looks, as `populations.look`.

    Attributes:
        experiment: as given.
    """

    def __init__(
        self,
        experiment: Experiment,
        extractor: str,
        train: Arrays,
        held_out: Arrays,
        look: Callable[..., dict[str, Population]],
    ):
        evaluation = experiment.evaluation
        self.experiment = experiment
        self._look = functools.partial(look, extractor=extractor, experiment=experiment)
        self._real = some(held_out, evaluation.samples, evaluation.seed)
        self._train = train.examples
        self._stand_ins, self._labels = some(train, evaluation.samples, evaluation.seed)

    def side(self, generator: Generator) -> Side:
        """As many samples as there are stand-ins, of their labels if it takes any."""
        labels = self._labels if generator.conditional else None
        return Side(len(self._stand_ins), labels=labels, generator=generator.directory)

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
            "train": Side(len(self._train), examples=self._train, keeps_all=True),
            "real": Side(len(real), examples=real, labels=labels),
            "floor": Side(
                len(self._stand_ins),
                examples=self._stand_ins,
                labels=None if judged.labels is None else self._labels,
            ),
            "fake": judged,
        }
        return self._look(sides, scratch=scratch)

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
        return measure(seen["real"], seen[side], self.experiment, train_features=train)

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
    return arrays.examples[rows], None if arrays.labels is None else arrays.labels[rows]
