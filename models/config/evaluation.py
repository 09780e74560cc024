"""How a generator is judged before it may be served."""

from typing import Literal, Self

from pydantic import Field, model_validator

from models import catalog
from models.config.datasets.base import Data
from models.config.datasets.columns import aligned
from models.config.frozen import Frozen

LACKING = {
    "mixture": "counts the modes of a mixture, and the points to be drawn come from elsewhere",
    "classes": "is what a classifier says, and the examples to be drawn have no classes to train one with",
    "labels": "is of examples that are asked for by class, and these are not",
    "truth": "holds each output against its truth, and nothing says what these outputs ought to be",
}
"""Why a metric has no value without what it needs, by the names of `models.metrics.metric.Need`."""


class Threshold(Frozen):
    """What a metric must meet. A model is refused where it is shown to miss a bound: chance is counted."""

    at_least: float | None = Field(None, allow_inf_nan=False)
    at_most: float | None = Field(None, allow_inf_nan=False)
    within_floor: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="may be worse than real against real by this much, in the metric's unit",
    )
    within_blessed: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="may be worse than the latest blessed model by this share of its value",
    )
    resolves: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="a shortfall of this much has to be noticed, in the metric's unit; see bluntness",
    )

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if not self.bounds:
            raise ValueError("a threshold sets at_least, at_most, within_floor or within_blessed")
        return self

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds that are set, by the name of their field."""
        fields = ("at_least", "at_most", "within_floor", "within_blessed")
        return {name: value for name in fields if (value := getattr(self, name)) is not None}


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
        description="efficientnet_lite0, inception_v3, or a name for the features of a classifier that is trained on "
        "the data; images without classes have nothing to train one with, and by default efficientnet_lite0",
    )
    extractor_weights: str | None = Field(
        None,
        description="file of a pretrained extractor's weights; without one, that of `ganworks fetch "
        "efficientnet_lite0`, and those of inception_v3 are downloaded",
    )
    extractor_steps: int = Field(600, gt=0, description="training steps of the classifier whose features judge")
    split: Literal["eval", "choose", "transfer"] = Field(
        "eval",
        description="the real examples to judge against: choose while a recipe is looked for, eval at the end, "
        "transfer for what data.transfer held out",
    )
    samples: int = Field(
        20_000, gt=0, description="generated images that the metrics see; the more, the sharper the judgement"
    )
    compared: int = Field(
        2_000, gt=0, description="images of each kind that are compared pair by pair at a time, at most"
    )
    confidence: float = Field(
        0.99, gt=0.5, lt=1, description="that a model which meets all bounds is not refused for any by chance"
    )
    bluntness: float = Field(
        0.1,
        gt=0,
        description="a bound has to notice a shortfall of this share of its limit, or of 1 where that is more, with "
        "95 % probability; Threshold.resolves says it for one metric",
    )
    seed: int = Field(0, ge=0)
    thresholds: dict[str, Threshold] = Field({}, description="metric -> what it must meet")

    @model_validator(mode="after")
    def _thresholds_name_metrics(self) -> Self:
        known = [*catalog.metric_names(self.extractor), *catalog.PLAYERS]
        if "extractor" not in self.model_fields_set:  # the data may give it another
            known += catalog.metric_names(catalog.UNLABELLED)
        for name in self.thresholds:
            if name not in known:
                raise ValueError(f"{name} is no metric of this evaluation{catalog.near_misses(name, known)}")
        return self

    def for_data(self, kind: str, labels: int) -> Self:
        """This, with the extractor that follows from the data where none is set."""
        if "extractor" in self.model_fields_set:
            return self
        return self.model_copy(update={"extractor": default_extractor(kind, labels)})

    def check(self, data: Data) -> None:
        """Raises ValueError, one line, where the extractor cannot look at such examples."""
        if self.split == "transfer" and not getattr(data, "transfer", ""):
            raise ValueError(
                f"evaluation.split=transfer is of what data.transfer held out; data.name={data.name} holds out none"
            )
        if self.extractor in catalog.EXTRACTORS:
            if data.kind != "images":
                raise ValueError(f"{self.extractor} looks at images; {data.source} gives {data.kind}")
            return
        if self.extractor_weights is not None:
            raise ValueError(
                f"extractor_weights are of {' or '.join(catalog.EXTRACTORS)}; received extractor {self.extractor}"
            )
        if data.kind == "images" and not data.target_classes:
            raise ValueError(
                f"images without classes are judged by {catalog.UNLABELLED}, as a classifier would have nothing to "
                f"learn; received evaluation.extractor {self.extractor}: leave it out, or set data.classes"
            )

    def check_bounds(self, data: Data, task: str, *, conditional: bool = True, paired: bool | None = None) -> None:
        """Refuses bounds that no run could judge.

        Args:
            data: what is judged.
            task: what the model takes: a name of the catalog, or a user's own, which has the metrics of all.
            conditional: whether a label decides what is drawn.
            paired: whether each output has one true answer; None to tell it by the task and the columns, where one of a
                user's own may have it.

        Raises:
            ValueError: a metric is one of other examples or another task, or has no value; one line.
        """
        if paired is None:
            paired = ":" in task or task == "restore" or aligned(data.held_out.columns)
        mixture = data.target.source.startswith("mixture:")
        classes = mixture or (data.images and data.target_classes)
        have = {"mixture": mixture, "classes": classes, "labels": conditional, "truth": paired}
        listed, known = (catalog.metric_names(self.extractor, *of) for of in ((), (data.kind, task)))
        for name, threshold in self.thresholds.items():
            if name in catalog.PLAYERS:
                if threshold.within_floor is not None or threshold.within_blessed is not None:
                    raise ValueError(f"a bound on {name} is at_least or at_most, as neither direction is better")
                continue
            near = catalog.near_misses(name, known)
            if name in listed and catalog.METRICS[listed[name]].suits(data.kind) and name not in known:
                tasks = " and ".join(catalog.METRICS[listed[name]].tasks)
                raise ValueError(f"{name} is no metric of the task {task}, but of {tasks}{near}")
            if name not in known:
                raise ValueError(f"{name} is no metric of {data.kind}{near}")
            metric = catalog.METRICS[known[name]]
            lacking = next((need for need in metric.needs if not have.get(need, True)), None)
            if lacking:
                raise ValueError(f"{name} {LACKING[lacking]}: leave evaluation.thresholds.{name} out")
            if threshold.within_floor is not None and not metric.has_floor:
                raise ValueError(
                    f"evaluation.thresholds.{name}.within_floor is measured from real examples in the place of "
                    f"generated ones, of which {name} has no value: write at_least or at_most"
                )

    @model_validator(mode="after")
    def _pretrained_ones_have_weights(self) -> Self:
        # one that is not set may follow from the data
        if self.extractor_weights is None or "extractor" not in self.model_fields_set:
            return self
        if self.extractor not in catalog.EXTRACTORS:
            raise ValueError(
                f"extractor_weights are of {' or '.join(catalog.EXTRACTORS)}; received extractor {self.extractor}"
            )
        return self


def default_extractor(kind: str, labels: int) -> str:
    """The extractor where none is set: images without classes have nothing to train a classifier with."""
    own: str = Evaluation.model_fields["extractor"].default
    return catalog.UNLABELLED if kind == "images" and not labels else own
