"""The configuration of an experiment: frozen, typed, bounded; JSON in and out.

Importing this module needs pydantic alone, so that `ganworks --help` and `ganworks list` answer at once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models import catalog

RESOLUTIONS = (16, 28, 32, 64, 128)


class Frozen(BaseModel):
    """A part of the configuration: cannot change, refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        """`network="dcgan"` is short for `network=Network(name="dcgan")`."""
        return {"name": value} if isinstance(value, str) and "name" in cls.model_fields else value


def _known(kind: str) -> Any:
    """Validator of a field whose value is a name in the catalog."""

    def check(cls: type, value: str) -> str:
        catalog.require(kind, value)
        return value

    return check


class Data(Frozen):
    """Where the images come from and what the networks see of them."""

    source: str = Field("digits", description="digits, idx:DIR, folder:DIR or tfds:NAME[/CONFIG]")
    resolution: int = Field(28, description="height and width after Transform, pixels")
    channels: Literal[1, 3] = 1
    labels: int = Field(0, ge=0, description="classes; 0 for images without labels")
    eval_share: float = Field(0.2, gt=0, lt=1, description="share held out where the source has no split")
    pixel_limit: int = Field(64_000_000, gt=0, description="pixels an image may decode to")
    bad_image_tolerance: float = Field(0, ge=0, lt=1, description="share of bad images that may be skipped")
    schema_dir: str | None = Field(None, description="folder of a curated schema.pbtxt; None infers one")

    @field_validator("resolution")
    @classmethod
    def _resolution(cls, value: int) -> int:
        if value not in RESOLUTIONS:
            raise ValueError(f"resolution is one of {', '.join(map(str, RESOLUTIONS))}; received {value}")
        return value


class Network(Frozen):
    """The architecture of generator and discriminator."""

    name: str = "dcgan"
    latent_size: int = Field(100, gt=0)
    generator_width: int = Field(64, gt=0, description="channels at full resolution; doubles as it halves")
    discriminator_width: int = Field(64, gt=0, description="channels of the first layer; doubles likewise")
    generator_norm: Literal["batch", "none"] = "batch"
    discriminator_norm: Literal["batch", "none"] = "batch"
    condition: Literal["none", "embedding"] = Field(
        "none", description="embedding: label embeddings concatenated to z and to the discriminator's image"
    )

    _name = field_validator("name")(_known("network"))


class Objective(Frozen):
    """The game: losses of both players and the penalties added to the discriminator's."""

    name: str = "non_saturating"
    penalties: dict[str, float] = Field({}, description="penalty's name -> its weight")

    _name = field_validator("name")(_known("objective"))

    @field_validator("penalties")
    @classmethod
    def _penalties(cls, value: dict[str, float]) -> dict[str, float]:
        for name, weight in value.items():
            catalog.require("penalty", name)
            if weight < 0:
                raise ValueError(f"the weight of a penalty is at least 0; received {weight} for {name}")
        return value


class Optimizer(Frozen):
    """One player's optimizer."""

    name: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: float = Field(2e-4, gt=0)
    beta_1: float = Field(0.5, ge=0, lt=1, description="adam")
    beta_2: float = Field(0.999, ge=0, lt=1, description="adam")
    momentum: float = Field(0, ge=0, lt=1, description="sgd, rmsprop")
    schedule: Literal["constant", "cosine"] = "constant"


class Training(Frozen):
    """What the loop does. One step is one update of the generator."""

    steps: int = Field(gt=0)
    batch_size: int = Field(64, gt=0, description="examples a step, over all replicas")
    discriminator_steps: int = Field(1, gt=0, le=32, description="k of algorithm 1, each on fresh images and noise")
    generator_optimizer: Optimizer = Optimizer()
    discriminator_optimizer: Optimizer = Optimizer()
    ema_half_life_images: float = Field(10_000, ge=0, description="0 switches the average off")
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    strategy: Literal["one_device", "mirrored"] = "mirrored"
    steps_per_call: int = Field(50, gt=0, description="steps in one call of the compiled loop")
    checkpoint_every_steps: int = Field(500, gt=0)
    sample_every_steps: int = Field(500, gt=0, description="how often a grid of samples is drawn")
    seed: int = Field(0, ge=0)


class Threshold(Frozen):
    """What a metric must meet; every bound that is set has to hold."""

    at_least: float | None = None
    at_most: float | None = None
    within_floor: float | None = Field(
        None, ge=0, description="may be worse than real against real by this much, in the metric's unit"
    )
    within_blessed: float | None = Field(
        None, ge=0, description="may be worse than the latest blessed model by this share of its value"
    )

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a threshold sets at_least, at_most, within_floor or within_blessed")
        return self


def AtLeast(value: float, **more: float) -> Threshold:  # noqa: N802 - reads as the type that it makes
    """A lower bound, with further bounds by keyword."""
    return Threshold(at_least=value, **more)


def AtMost(value: float, **more: float) -> Threshold:  # noqa: N802
    """An upper bound, with further bounds by keyword."""
    return Threshold(at_most=value, **more)


class Evaluation(Frozen):
    """How the generator is judged before it may be served."""

    extractor: str = Field("cnn", pattern=r"^[a-z][a-z0-9_]*$", description="names the features in a metric's name")
    extractor_steps: int = Field(600, gt=0, description="training steps of the classifier whose features judge")
    samples: int = Field(2_000, gt=0, description="generated images that the metrics see")
    seed: int = Field(0, ge=0)
    thresholds: dict[str, Threshold] = {}

    @model_validator(mode="after")
    def _thresholds_name_metrics(self) -> Self:
        known = [*catalog.metric_names(self.extractor), *catalog.PLAYERS]
        for name in self.thresholds:
            if name not in known:
                raise ValueError(f"{name} is no metric of this evaluation{catalog.near_misses(name, known)}")
        return self


class Experiment(Frozen):
    """Everything that decides what a run makes; saved beside every model."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="also the name of the served model")
    description: str = ""
    data: Data
    gan: str = "adversarial"
    network: Network = Network()
    objective: Objective = Objective()
    training: Training
    evaluation: Evaluation = Evaluation()

    _gan = field_validator("gan")(_known("gan"))

    @model_validator(mode="after")
    def _condition_has_labels(self) -> Self:
        if self.network.condition != "none" and not self.data.labels:
            raise ValueError("a conditional network needs data.labels of at least 2; received 0")
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
            raise ValueError(_one_line(cls, error)) from None

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
        tree = self.model_dump(include=set(parts) if parts else None, exclude_none=True)
        return json.dumps(tree, sort_keys=True, indent=indent)

    def override(self, settings: Sequence[str]) -> Self:
        """Applies `a.b=c` settings as the command line gives them.

        Args:
            settings: each `path=value`; the value is read as JSON where it is JSON, else as text.

        Raises:
            ValueError: a setting without `=`, an unknown field (the near miss is named), a value out of range.
        """
        tree = self.model_dump(exclude_none=True)
        for setting in settings:
            path, equals, text = setting.partition("=")
            if not equals:
                raise ValueError(f"a setting is written field=value; received {setting!r}")
            try:
                value = json.loads(text)
            except json.JSONDecodeError:
                value = text
            _set(tree, path.split("."), value)
        return self.parse(tree)


def _set(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Puts `value` at `path`; a missing or plain inner node becomes a tree, which validation then judges."""
    for key in path[:-1]:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[path[-1]] = value


def _one_line(model: type[BaseModel], error: ValidationError) -> str:
    """The first fault in words: the field's path, what is wrong, what was received."""
    fault = error.errors()[0]
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        near = catalog.near_misses(path, _paths(model))
        return f"{path} is no field of {fault['loc'][0] if len(fault['loc']) > 1 else 'an experiment'}{near}"
    if fault["type"] == "missing":
        return f"{path} is required"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error":
        return f"{path}: {message}" if path else message
    return f"{path}: {message[0].lower() + message[1:]}; received {fault['input']!r}"


def _paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    """The dotted paths of all fields, for naming near misses."""
    found = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        inner = field.annotation
        if get_origin(inner) is None and isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _paths(inner, f"{prefix}{name}.")
        elif get_origin(inner) is dict and issubclass(get_args(inner)[1], BaseModel):
            continue
    return found
