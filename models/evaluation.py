"""How a generator is judged: the part of an experiment that decides what may be served."""

from typing import Literal, Self

from pydantic import Field, model_validator

from models import catalog
from models.frozen import Frozen


class Threshold(Frozen):
    """What a metric must meet; every bound that is set has to hold."""

    at_least: float | None = None
    at_most: float | None = None
    within_floor: float | None = Field(
        None, ge=0, description="may be worse than real against real by this much, in the metric's unit"
    )
    within_blessed: float | None = Field(
        None,
        ge=0,
        description="may be worse than the latest blessed model by this share of its value, and by what is noise",
    )

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a threshold sets at_least, at_most, within_floor or within_blessed")
        return self


def AtLeast(value: float, **more: float) -> Threshold:  # noqa: N802 - reads as the type that it makes
    """A lower bound, with further bounds by keyword."""
    return Threshold(at_least=value, **more)


def AtMost(value: float, **more: float) -> Threshold:  # noqa: N802 - reads as the type that it makes
    """An upper bound, with further bounds by keyword."""
    return Threshold(at_most=value, **more)


class Evaluation(Frozen):
    """How the generator is judged before it may be served."""

    extractor: str = Field(
        "cnn",
        pattern=r"^[a-z][a-z0-9_]*$",
        description="inception_v3, or a name for the features of a classifier that is trained on the data",
    )
    extractor_weights: str | None = Field(
        None, description="inception_v3: file of the weights, .h5; without one they are downloaded"
    )
    extractor_steps: int = Field(600, gt=0, description="training steps of the classifier whose features judge")
    split: Literal["eval", "choose"] = Field(
        "eval", description="the real examples to judge against: choose while a recipe is looked for, eval at the end"
    )
    samples: int = Field(2_000, gt=0, description="generated images that the metrics see")
    compared: int = Field(10_000, gt=0, description="images of each kind that are compared pair by pair, at most")
    seed: int = Field(0, ge=0)
    thresholds: dict[str, Threshold] = Field({}, description="metric -> what it must meet")

    @model_validator(mode="after")
    def _thresholds_name_metrics(self) -> Self:
        known = [*catalog.metric_names(self.extractor), *catalog.PLAYERS]
        for name in self.thresholds:
            if name not in known:
                raise ValueError(f"{name} is no metric of this evaluation{catalog.near_misses(name, known)}")
        return self

    @model_validator(mode="after")
    def _only_inception_has_weights(self) -> Self:
        if self.extractor_weights is not None and self.extractor != catalog.INCEPTION:
            raise ValueError(f"extractor_weights are of {catalog.INCEPTION}; received extractor {self.extractor}")
        return self
