"""An experiment: everything that decides what a run makes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from models import catalog
from models.config.datasets.base import Data
from models.config.datasets.union import DATA
from models.config.evaluation import Evaluation, default_extractor
from models.config.frozen import Frozen, one_line, picks, set_path
from models.config.networks.generators import Latent, NoiseGenerator
from models.config.resources import Resources
from models.config.schemes.adversarial import Adversarial
from models.config.schemes.base import Scheme
from models.config.schemes.union import SCHEME
from models.config.serving import Serving
from models.config.training import Training

FORMAT: Literal[2] = 2
"""The number of the form that experiments have in files and beside models; the first form had none."""


class Experiment(Frozen):
    """Everything that decides what a run makes; saved beside every model."""

    format: Literal[2] = FORMAT
    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="also the name of the served model")
    description: str = ""
    data: Annotated[Data, DATA]
    scheme: Annotated[Scheme, SCHEME] = Adversarial()
    training: Training
    evaluation: Evaluation = Evaluation()
    serving: Serving = Serving()
    resources: Resources = Resources()

    @property
    def conditional(self) -> bool:
        """True where a label decides what is generated."""
        return self.scheme.generator.conditional

    @property
    def latent(self) -> Latent:
        """What the generator is driven by. Raises TypeError for one that takes examples."""
        if not isinstance(self.scheme.generator, NoiseGenerator):
            raise TypeError(f"{self.scheme.generator.name} takes examples, and no noise")
        return self.scheme.generator.latent

    @property
    def total_steps(self) -> int:
        """Steps of all phases."""
        return self.scheme.earlier_steps + self.training.steps

    @model_validator(mode="before")
    @classmethod
    def _of_this_format(cls, value: Any) -> Any:
        old = isinstance(value, Mapping) and "scheme" not in value and {"gan", "network"} & value.keys()
        if old or (isinstance(value, Mapping) and value.get("format", FORMAT) != FORMAT):
            raise ValueError(
                f"an experiment is of format {FORMAT}; received one of another, which an earlier ganworks wrote: "
                "`ganworks show NAME` prints how experiments are written now"
            )
        return value

    @field_validator("evaluation")
    @classmethod
    def _extractor_follows(cls, value: Evaluation, info: ValidationInfo) -> Evaluation:
        data = info.data.get("data")
        return value.for_data(data.kind, data.target_classes) if data else value

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        self.scheme.check(self.data, self.training)
        self.evaluation.check(self.data)
        if self.evaluation.extractor in self.scheme.trained_on:
            other = next(name for name in catalog.EXTRACTORS if name not in self.scheme.trained_on)
            raise ValueError(
                "what a model was trained on does not judge it; received evaluation.extractor "
                f"{self.evaluation.extractor}, in whose features the scheme has a loss: take another, such as {other}"
            )
        self.evaluation.check_bounds(self.data, self.scheme.task, conditional=self.conditional)
        return self

    @classmethod
    def parse(cls, tree: Mapping[str, Any]) -> Self:
        """Validates a tree of plain values.

        Raises:
            ValueError: a value is out of range or a key unknown; one line for the first that is wrong.
        """
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise ValueError(one_line(cls, error)) from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote. Raises ValueError like `parse`."""
        try:
            tree = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"an experiment is written as JSON; received text that is not: {error}") from None
        return cls.parse(tree)

    def to_json(self, parts: Iterable[str] | None = None, indent: int | None = None) -> str:
        """The experiment, or these of its fields alone, as JSON with sorted keys: equal ones read the same."""
        tree = self.model_dump(mode="json", include=set(parts) if parts else None, exclude_none=True)
        return json.dumps(tree, sort_keys=True, indent=indent)

    def key(self, parts: Iterable[str] | None = None) -> str:
        """What tells it, or these of its fields, from the defaults, as JSON: for keys of caches and checkpoints.

        A new field with a default changes no experiment's key. `from_json` reads it.
        """
        wanted = set(parts or type(self).model_fields)
        tree = {name: value for name, value in self.essential().items() if name in wanted}
        return json.dumps(tree, sort_keys=True)

    def override(self, settings: Sequence[str]) -> Self:
        """Applies `a.b=c` settings as the command line gives them.

        The settings of a `name` come first: another variant has fields of its own, and those of the one before go.

        Args:
            settings: each `path=value`; the value is read as JSON where it is JSON, else as text.

        Raises:
            ValueError: a setting without `=`, an unknown field (the near miss is named), a value out of range.
        """
        tree = self.model_dump(mode="json", exclude_none=True)
        if self.evaluation.extractor == default_extractor(self.data.kind, self.data.target_classes):
            del tree["evaluation"]["extractor"]  # it follows from the data, which may change
        read = [_setting(each) for each in settings]
        for path, value in read:
            if path[-1] == "name" and picks(type(self), tree, path[:-1]):
                set_path(tree, path[:-1], {"name": value})
        for path, value in read:
            set_path(tree, path, value)
        return self.parse(tree)


def parse_data(tree: Mapping[str, Any]) -> Data:
    """Data alone of plain values. Raises ValueError, one line, for the first that is wrong."""
    try:
        return _DataAlone.model_validate({"data": tree}).data
    except ValidationError as error:
        raise ValueError(one_line(_DataAlone, error)) from None


class _DataAlone(Frozen):
    data: Annotated[Data, DATA]


def _setting(text: str) -> tuple[list[str], Any]:
    path, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"a setting is written field=value; received {text!r}")
    try:
        return path.split("."), json.loads(value)
    except json.JSONDecodeError:
        return path.split("."), value
