"""How a generator is judged before it may be served."""

from typing import Literal, Self

from pydantic import Field, model_validator

from models import catalog
from models.config.data import Data
from models.config.frozen import Frozen


class Threshold(Frozen):
    """What a metric must meet. A model is refused where it is shown to miss a bound: chance is counted."""

    at_least: float | None = None
    at_most: float | None = None
    within_floor: float | None = Field(
        None, ge=0, description="may be worse than real against real by this much, in the metric's unit"
    )
    within_blessed: float | None = Field(
        None,
        ge=0,
        description="may be worse than the latest blessed model by this share of its value",
    )
    resolves: float | None = Field(
        None, gt=0, description="a shortfall of this much has to be noticed, in the metric's unit; see bluntness"
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
