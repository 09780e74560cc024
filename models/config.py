"""The configuration of an experiment: frozen, typed, bounded; JSON in and out.

Importing this module needs pydantic alone, so that `ganworks --help` and `ganworks list` answer at once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from models import catalog
from models.evaluation import AtLeast as AtLeast
from models.evaluation import AtMost as AtMost
from models.evaluation import Evaluation as Evaluation
from models.evaluation import Serving as Serving
from models.evaluation import Threshold as Threshold
from models.evaluation import default_extractor
from models.fit import check_fit
from models.frozen import Frozen, one_line, set_path
from models.resources import Resources as Resources

RESOLUTIONS = (16, 28, 32, 64, 128)


def _known(kind: str) -> Any:
    """Validator of a field whose value is a name in the catalog."""

    def check(cls: type, value: str) -> str:
        catalog.require(kind, value)
        return value

    return check


def _weighted(kind: str, amount: str, value: dict[str, float]) -> dict[str, float]:
    """Checks parts of the catalog by name with an amount each; gives them in its order, which JSON would not keep."""
    for name, number in value.items():
        catalog.require(kind, name)
        if number < 0:
            raise ValueError(f"the {amount} of a {kind} is at least 0; received {number} for {name}")
    return {name: value[name] for name in catalog.KINDS[kind] if name in value}


class Data(Frozen):
    """Where the examples come from and what the networks see of them."""

    source: str = Field(
        "digits",
        description="digits, idx:DIR, folder:DIR, tfds:NAME[/CONFIG], mixture:ring, mixture:square, mixture:grid or "
        "stacked:SOURCE",
    )
    unpaired_source: str | None = Field(
        None,
        description="a second domain, in no relation to the first: for GANs that translate; its labels are not read",
    )
    resolution: int = Field(28, description="height and width after Transform, pixels")
    channels: Literal[1, 3] = 1
    labels: int = Field(0, ge=0, description="classes; 0 for images without labels")
    eval_share: float = Field(0.2, gt=0, lt=1, description="share held out where the source has no split")
    choose_share: float = Field(
        0.1, ge=0, lt=1, description="share to choose by (best checkpoint, recipe), of what the source has not split"
    )
    pixel_limit: int = Field(64_000_000, gt=0, description="pixels an image may decode to")
    bad_image_tolerance: float = Field(0, ge=0, lt=1, description="share of bad images that may be skipped")
    schema_dir: str | None = Field(None, description="folder of a curated schema.pbtxt; None infers one")

    @field_validator("resolution")
    @classmethod
    def _resolution(cls, value: int) -> int:
        if value not in RESOLUTIONS:
            raise ValueError(f"resolution is one of {', '.join(map(str, RESOLUTIONS))}; received {value}")
        return value

    @field_validator("source", "unpaired_source")
    @classmethod
    def _mixture(cls, value: str | None) -> str | None:
        if value and value.startswith("mixture:"):
            catalog.require("mixture", value.removeprefix("mixture:"))
        return value

    @model_validator(mode="after")
    def _domains_are_alike(self) -> Self:
        if len({source.startswith("mixture:") for source in self.sources}) > 1:
            raise ValueError(f"both domains are points or both images; received {' and '.join(self.sources)}")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The source and, where there is one, that of the second domain."""
        return (self.source,) if self.unpaired_source is None else (self.source, self.unpaired_source)

    @property
    def kind(self) -> catalog.Kind:
        """What an example is, which decides the metrics that it has."""
        return "points" if self.points else "stacked" if self.source.startswith("stacked:") else "images"

    @property
    def points(self) -> bool:
        """Whether an example is a point of the plane instead of an image."""
        return self.source.startswith("mixture:")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example, as the networks see it: [r, r, c], or [2] for points."""
        return (2,) if self.points else (self.resolution, self.resolution, self.channels)


class Scheme(Frozen):
    """How the networks are trained. Fields that a scheme does not have are refused by it."""

    name: str = "adversarial"
    cycle_weight: float = Field(10, ge=0, description="cycle: of the way there and back, beside the adversarial losses")
    identity_weight: float = Field(
        0.5, ge=0, description="cycle: of what a translator does to its own target, as a share of cycle_weight"
    )
    pool_size: int = Field(50, ge=0, description="cycle: translated examples that a discriminator may see again")
    degradations: dict[str, float] = Field({}, description="restoration: name -> strength, in the catalog's order")
    fidelity_weight: float = Field(
        1, ge=0, description="restoration: of the squared error, beside the adversarial loss"
    )

    _name = field_validator("name")(_known("gan"))

    @field_validator("degradations")
    @classmethod
    def _degradations(cls, value: dict[str, float]) -> dict[str, float]:
        return _weighted("degradation", "strength", value)


class Network(Frozen):
    """The architecture of generator and discriminator. Fields that an architecture does not have are refused by it."""

    name: str = "dcgan"
    latent_size: int = Field(100, gt=0)
    latent: Literal["normal", "uniform"] = Field(
        "normal", description="z is standard normal; the generator takes it as it is, or maps it to uniform in [-1, 1]"
    )
    categorical_codes: int = Field(0, ge=0, description="InfoGAN: values of the categorical code; 0 for none")
    continuous_codes: int = Field(0, ge=0, description="InfoGAN: how many codes, uniform in [-1, 1]")
    generator_width: int = Field(
        64, gt=0, description="channels at full resolution, doubling as it halves; units of an MLP"
    )
    discriminator_width: int = Field(64, gt=0, description="channels of the first layer, doubling; units of an MLP")
    discriminator_smallest_map: int = Field(
        7,
        gt=1,
        lt=16,
        description="DCGAN: its discriminator halves its maps down to at most so many pixels a side",
    )
    generator_depth: int = Field(2, gt=0, description="hidden layers of an MLP")
    discriminator_depth: int = Field(2, gt=0, description="hidden layers of an MLP")
    generator_norm: Literal["batch", "none"] = "batch"
    discriminator_norm: Literal["batch", "spectral", "none"] = "batch"
    attention: bool = Field(False, description="self-attention in both networks, at 16 pixels or the next smaller map")
    batch_statistics: Literal["none", "stddev", "discrimination"] = Field(
        "none", description="what the discriminator sees of a group of examples: minibatch stddev or discrimination"
    )
    batch_group: int = Field(4, gt=1, description="consecutive examples that batch_statistics look at together")
    pack: int = Field(1, gt=0, description="PacGAN: examples that the discriminator judges together")
    dropout: float = Field(0, ge=0, lt=1, description="of the discriminator's hidden layers, MLPs")
    condition: Literal["none", "concatenation", "embedding", "batch_norm"] = Field(
        "none", description="how the generator reads the label: one-hot or embedded beside z, or conditional batch norm"
    )
    discriminator_condition: Literal["concatenation", "embedding", "projection", "auxiliary"] = Field(
        "projection",
        description="how the discriminator reads it, where there is a condition: one-hot or embedded maps beside the "
        "image, projection, or an auxiliary classifier (AC-GAN), which is asked for it instead",
    )

    _name = field_validator("name")(_known("network"))

    @property
    def conditional(self) -> bool:
        """Whether a label decides what is generated."""
        return self.condition != "none"


class Objective(Frozen):
    """The game: losses of both players, what is added to them, and what is done to the discriminator's input."""

    name: str = "non_saturating"
    penalties: dict[str, float] = Field({}, description="of the discriminator: name -> weight")
    generator_penalties: dict[str, float] = Field({}, description="of the generator: name -> weight")
    auxiliary_weight: float = Field(
        1, ge=0, description="of what is asked beside real or generated: AC-GAN's class, InfoGAN's codes (its lambda)"
    )
    penalty_every_steps: int = Field(1, gt=0, description="lazy regularisation: every so many steps, as much stronger")
    label_smoothing: float = Field(0, ge=0, lt=1, description="one-sided, of binary cross-entropies")
    instance_noise: float = Field(0, ge=0, description="stddev at the first step, falling to 0 at the last")
    augment: tuple[Literal["color", "translation", "cutout"], ...] = Field((), description="DiffAugment's policy")
    weight_limit: float | None = Field(None, gt=0, description="the discriminator's weights are clipped to this")

    _name = field_validator("name")(_known("objective"))

    @field_validator("penalties", "generator_penalties")
    @classmethod
    def _penalties(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        return _weighted("penalty" if info.field_name == "penalties" else "generator penalty", "weight", value)


class Optimizer(Frozen):
    """One player's optimizer."""

    name: Literal["adam", "adamw", "lion", "sgd", "rmsprop"] = "adam"
    learning_rate: float = Field(2e-4, gt=0)
    beta_1: float = Field(0.5, ge=0, lt=1, description="adam, adamw, lion")
    beta_2: float = Field(0.999, ge=0, lt=1, description="adam, adamw, lion")
    momentum: float = Field(0, ge=0, lt=1, description="sgd, rmsprop")
    weight_decay: float = Field(0, ge=0, description="decoupled, adamw and lion")
    schedule: Literal["constant", "linear", "cosine", "exponential"] = Field(
        "constant", description="over all updates of this player: to 0, to 0, or to a hundredth"
    )
    warmup_updates: int = Field(0, ge=0, description="the rate rises from 0 over this many updates")
    clip_norm: float | None = Field(
        None, gt=0, description="bound of the norm of all gradients of this player together"
    )


class Health(Frozen):
    """What is done about a training that goes wrong."""

    action: Literal["warn", "stop", "roll_back"] = Field(
        "warn", description="at a verdict that is not healthy: log it, stop, or go back to the best checkpoint"
    )
    check_every_steps: int = Field(500, gt=0, description="how often samples are drawn and looked at")
    samples: int = Field(512, ge=64, le=4_096, description="generated examples that a look takes")


class Training(Frozen):
    """What the loop does. One step is one update of the generator."""

    steps: int = Field(gt=0)
    pretraining_steps: int = Field(0, ge=0, description="supervised steps before, of GANs that have such a phase")
    pretraining_optimizer: Optimizer = Field(Optimizer(), description="of the generator in these steps")
    batch_size: int = Field(64, gt=0, description="examples a step, over all replicas")
    discriminator_steps: int = Field(1, gt=0, le=32, description="k of algorithm 1, each on fresh examples and noise")
    generator_steps: int = Field(1, gt=0, le=16, description="generator updates a step, each on fresh noise")
    updates: Literal["alternating", "simultaneous"] = "alternating"
    unrolled_steps: int = Field(0, ge=0, le=20, description="discriminator updates that the generator looks ahead")
    generator_optimizer: Optimizer = Optimizer()
    discriminator_optimizer: Optimizer = Optimizer()
    ema_half_life_images: float = Field(10_000, ge=0, description="0 switches the average off")
    ema_ramp_up: float = Field(0, ge=0, description="the half-life is at most this share of the images so far; 0: none")
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    strategy: Literal["one_device", "mirrored", "multi_worker", "tpu"] = "mirrored"
    steps_per_call: int = Field(50, gt=0, description="steps in one call of the compiled loop")
    jit: bool = Field(
        False, description="XLA compiles a step whole, with other noise: faster for points, on one_device alone"
    )
    checkpoint_every_steps: int = Field(500, gt=0)
    sample_every_steps: int = Field(500, gt=0, description="how often a grid of samples is drawn")
    keep: Literal["best", "last"] = Field(
        "best", description="which weights are exported: those of the best look at samples, or of the last step"
    )
    health: Health = Health()
    seed: int = Field(0, ge=0)

    @property
    def total_steps(self) -> int:
        """Of all phases."""
        return self.pretraining_steps + self.steps

    @model_validator(mode="after")
    def _jit_is_for_one_device(self) -> Self:
        # XLA on CPUs has no collectives that a step on several replicas could call
        if self.jit and self.strategy != "one_device":
            raise ValueError(f"training.jit needs training.strategy=one_device; received {self.strategy}")
        return self

    @model_validator(mode="after")
    def _simultaneous_is_one_to_one(self) -> Self:
        if self.updates == "simultaneous" and (self.discriminator_steps, self.generator_steps) != (1, 1):
            raise ValueError(
                "simultaneous updates have one discriminator and one generator step; received "
                f"{self.discriminator_steps} and {self.generator_steps}"
            )
        return self


class Experiment(Frozen):
    """Everything that decides what a run makes; saved beside every model."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="also the name of the served model")
    description: str = ""
    data: Data
    gan: Scheme = Scheme()
    network: Network = Network()
    objective: Objective = Objective()
    training: Training
    evaluation: Evaluation = Evaluation()
    serving: Serving = Serving()
    resources: Resources = Resources()

    @field_validator("evaluation")
    @classmethod
    def _extractor_follows(cls, value: Evaluation, info: ValidationInfo) -> Evaluation:
        data = info.data.get("data")
        return value.for_data(data.kind, data.labels) if data else value

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        check_fit(self)
        return self

    @classmethod
    def parse(cls, tree: Mapping[str, Any]) -> Self:
        """Validates plain values. Raises ValueError, one line, for the first that is out of range or unknown."""
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
        if self.evaluation.extractor == default_extractor(self.data.kind, self.data.labels):
            del tree["evaluation"]["extractor"]  # it follows from the data, which may change
        for setting in settings:
            path, equals, text = setting.partition("=")
            if not equals:
                raise ValueError(f"a setting is written field=value; received {setting!r}")
            try:
                value = json.loads(text)
            except json.JSONDecodeError:
                value = text
            set_path(tree, path.split("."), value)
        return self.parse(tree)
