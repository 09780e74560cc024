"""What measuring reads of an experiment."""

from typing import Annotated, Literal, Self

from models.config import Data, Experiment, NoiseGenerator
from models.config.data import DATA
from models.config.frozen import Frozen


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
        codes: width of the codes that the generator takes.
        categorical_codes: how many of these are one categorical code.
    """

    data: Annotated[Data, DATA]
    extractor: str
    split: Literal["eval", "choose"]
    samples: int
    compared: int
    seed: int
    codes: int
    categorical_codes: int

    @classmethod
    def of(cls, experiment: Experiment, samples: int | None = None) -> Self:
        """The settings of an experiment, with as many samples as it says or as are given."""
        evaluation, generator = experiment.evaluation, experiment.scheme.generator
        latent = generator.latent if isinstance(generator, NoiseGenerator) else None
        return cls(
            data=experiment.data,
            extractor=evaluation.extractor,
            split=evaluation.split,
            samples=evaluation.samples if samples is None else samples,
            compared=evaluation.compared,
            seed=evaluation.seed,
            codes=generator.codes,
            categorical_codes=latent.categorical_codes if latent else 0,
        )
