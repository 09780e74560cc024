"""What measuring reads of an experiment."""

from typing import Annotated, Any, Literal, Self

from models.config import Data, Experiment
from models.config.datasets.union import DATA
from models.config.frozen import Frozen
from models.tasks import task_of


class Settings(Frozen):
    """All that measuring reads of an experiment, and so what is kept of a measurement stands under it.

    Thresholds are none of it, nor is anything else that only the gate reads.

    Attributes:
        data: what the examples are.
        extractor: the name of what gives the features.
        split: the real examples to measure against.
        samples: examples to measure.
        compared: examples of each kind that are compared pair by pair at a time, at most.
        seed: of noise and subsets.
        task: what a model takes: a name of the catalog, or `package.module:Task`.
        asked: what decides its inputs, as `Task.settings` says.
    """

    data: Annotated[Data, DATA]
    extractor: str
    split: Literal["eval", "choose", "transfer"]
    samples: int
    compared: int
    seed: int
    task: str
    asked: dict[str, Any]

    @classmethod
    def of(cls, experiment: Experiment, samples: int | None = None) -> Self:
        """The settings of an experiment, with as many samples as it says or as are given."""
        evaluation = experiment.evaluation
        return cls(
            data=experiment.data,
            extractor=evaluation.extractor,
            split=evaluation.split,
            samples=evaluation.samples if samples is None else samples,
            compared=evaluation.compared,
            seed=evaluation.seed,
            task=experiment.scheme.task,
            asked=task_of(experiment).settings(experiment),
        )
