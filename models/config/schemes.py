"""How networks are trained: a scheme has players, a game and phases."""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from models import catalog
from models.config.content import Content
from models.config.curves import Chart, of_players
from models.config.data import Data
from models.config.data_variants import Unpaired
from models.config.discriminators import DISCRIMINATOR, DCGANDiscriminator, Discriminator, PointsDiscriminator
from models.config.frozen import Frozen
from models.config.networks import GENERATOR, DCGANGenerator, Generator, NoiseGenerator
from models.config.objective import OBJECTIVE, CrossEntropy, Objective, amounts
from models.config.training import Optimizer, Training
from models.config.translators import TRANSLATOR, PointsTranslator, Translator, check_same_size
from models.config.variants import Pick, Variant


class Scheme(Variant):
    """How the players learn. A variant has a generator, a discriminator and an objective, with fields of its own."""

    task: ClassVar[str] = "generate"
    """What a model of it takes and how it is judged: a name of the catalog, or `package.module:Task`."""

    generator: Annotated[Generator, GENERATOR] = DCGANGenerator()
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = DCGANDiscriminator()
    objective: Annotated[Objective, OBJECTIVE] = CrossEntropy()

    @property
    def earlier_steps(self) -> int:
        """Steps of the phases before the last one."""
        return 0

    @property
    def charts(self) -> tuple[Chart, ...]:
        """What of its history a report draws, besides the looks at samples."""
        return of_players({"": ""})

    @property
    def trained_on(self) -> tuple[str, ...]:
        """Pretrained networks whose features are a part of a loss, and which judge nothing therefore."""
        return ()

    @property
    def translates(self) -> bool:
        """True where the generator takes an example."""
        return isinstance(self.generator, Translator)

    def check(self, data: Data, training: Training) -> None:
        """Raises ValueError, one line, for the first part that does not fit the data or the training."""
        for player, network in (("generator", self.generator), ("discriminator", self.discriminator)):
            try:
                network.check(data)
            except ValueError as error:
                raise ValueError(f"scheme.{player}: {error}") from None
        self.discriminator.check_batch(training.batch_size)
        self.objective.check(data, self.discriminator)
        if self.generator.conditional != self.discriminator.conditional:
            players = ("generator", "discriminator")
            knows, other = players if self.generator.conditional else players[::-1]
            raise ValueError(
                f"both players read the label or neither: scheme.{knows}.condition is "
                f"{getattr(self, knows).condition}, the {other} has none; set scheme.{other}.condition, or "
                f"scheme.{knows}.condition=none"
            )


class Alternating(Scheme):
    """Algorithm 1 of Goodfellow et al. 2014: updates of the discriminator, then of the generator."""

    discriminator_steps: int = Field(1, gt=0, le=32, description="k of algorithm 1, each on fresh examples and noise")
    generator_steps: int = Field(1, gt=0, le=16, description="generator updates a step, each on fresh noise")
    updates: Literal["alternating", "simultaneous"] = "alternating"
    unrolled_steps: int = Field(0, ge=0, le=20, description="discriminator updates that the generator looks ahead")

    @model_validator(mode="after")
    def _simultaneous_is_one_to_one(self) -> Self:
        if self.updates == "simultaneous" and (self.discriminator_steps, self.generator_steps) != (1, 1):
            raise ValueError(
                "simultaneous updates have one discriminator and one generator step; received "
                f"{self.discriminator_steps} and {self.generator_steps}"
            )
        return self

    def check(self, data: Data, training: Training) -> None:
        """See `Scheme`."""
        super().check(data, training)
        optimizer = training.discriminator_optimizer
        plain = optimizer.name == "sgd" and not optimizer.momentum
        if self.unrolled_steps and optimizer.name != "adam" and not plain:
            raise ValueError(
                f"an unrolled discriminator is updated by adam, or by sgd without momentum; received {optimizer.name}"
                + (f" with momentum {optimizer.momentum}" if optimizer.momentum else "")
            )


class Adversarial(Alternating):
    """One generator, driven by noise, against one discriminator."""

    name: Literal["adversarial"] = "adversarial"
    generator: Annotated[NoiseGenerator, GENERATOR] = DCGANGenerator()

    def check(self, data: Data, training: Training) -> None:
        """See `Scheme`."""
        super().check(data, training)
        if isinstance(data, Unpaired):
            raise ValueError("the scheme adversarial draws one domain; data.name=unpaired is for scheme.name=cycle")
        codes, pack = self.generator.codes, self.discriminator.pack
        if pack > 1 and codes:
            raise ValueError(
                f"examples that are judged together have no code in common; received pack {pack} and {codes} codes"
            )


class Cycle(Scheme):
    """Two translators that undo one another, each against a discriminator of its target. Zhu et al. 2017."""

    task: ClassVar[str] = "translate"

    name: Literal["cycle"] = "cycle"
    generator: Annotated[Translator, TRANSLATOR] = PointsTranslator()
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = PointsDiscriminator()
    cycle_weight: float = Field(10, ge=0, description="of the way there and back, beside the adversarial losses")
    identity_weight: float = Field(
        0.5, ge=0, description="of what a translator does to its own target, as a share of cycle_weight"
    )
    pool_size: int = Field(50, ge=0, description="translated examples that a discriminator may see again")

    @property
    def charts(self) -> tuple[Chart, ...]:
        """See `Scheme`."""
        back = Chart(
            "There and back",
            {"cycle": "cycle_loss", "identity": "identity_loss"},
            "Mean absolute differences after the way there and back, and of a target that ought to stay as it is.",
        )
        return (*of_players({"": "", "_reverse": ", reverse"}), back)

    def check(self, data: Data, training: Training) -> None:
        """See `Scheme`."""
        super().check(data, training)
        if not isinstance(data, Unpaired):
            raise ValueError(f"the scheme cycle needs two domains: data.name=unpaired; received {data.name}")
        check_same_size(self.generator, self.name)
        if self.objective.generator_penalties:
            raise ValueError(f"generator_penalties are of noise, which the scheme {self.name} has none of")


class Pretraining(Frozen):
    """The phase before the adversarial one: the generator alone, by the squared error."""

    steps: int = Field(0, ge=0)
    batch_size: int | None = Field(None, gt=0, description="examples a step, over all replicas; None: training's")
    optimizer: Optimizer = Optimizer()


class Restoration(Alternating):
    """A generator that is given degraded examples and is to give them back. Ledig et al. 2017."""

    task: ClassVar[str] = "restore"

    name: Literal["restoration"] = "restoration"
    generator: Annotated[Translator, TRANSLATOR] = PointsTranslator()
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = PointsDiscriminator()
    degradations: dict[str, float] = Field(min_length=1, description="name -> strength, in the catalog's order")
    fidelity_weight: float = Field(1, ge=0, description="of the squared error, beside the adversarial loss")
    adversarial_weight: float | None = Field(
        None, ge=0, description="of the adversarial loss; none: 1. At 0 the generator learns alone, by the other losses"
    )
    content: Content | None = Field(None, description="a distance in features, beside the others in the last phase")
    pretraining: Pretraining = Pretraining()

    @property
    def plays(self) -> bool:
        """True where there is a discriminator to play against."""
        return self.adversarial_weight != 0

    @property
    def charts(self) -> tuple[Chart, ...]:
        """See `Scheme`."""
        fidelity = Chart(
            "Fidelity", {"squared error": "fidelity_loss"}, "Of what is restored, against the truth, in both phases."
        )
        content = Chart(
            "Content",
            {"distance of maps": "content_loss"},
            "Squared, of what is restored and of the truth, by the network.",
        )
        return (*(of_players({"": ""}) if self.plays else ()), fidelity, *((content,) if self.content else ()))

    @property
    def trained_on(self) -> tuple[str, ...]:
        """See `Scheme`."""
        return (self.content.network,) if self.content else ()

    @property
    def earlier_steps(self) -> int:
        """See `Scheme`."""
        return self.pretraining.steps

    @field_validator("degradations")
    @classmethod
    def _degradations(cls, value: dict[str, float]) -> dict[str, float]:
        for name in catalog.DIVIDING:
            if value.get(name, 1) < 1 or value.get(name, 1) % 1:
                raise ValueError(
                    f"{name} divides both sides by its strength, a whole number of at least 1; received {value[name]:g}"
                )
        return amounts("degradation", "strength", value)

    @property
    def divided_by(self) -> int:
        """How many times as high and wide targets are as the inputs that are made of them."""
        return math.prod(int(self.degradations.get(name, 1)) for name in catalog.DIVIDING)

    def _check_sizes(self, data: Data) -> None:
        """Raises ValueError where inputs of smaller sides do not fit the data or the players."""
        factor, scale = self.divided_by, getattr(self.generator, "scale", 1)
        if factor > 1 and not data.images:
            raise ValueError(f"{' and '.join(catalog.DIVIDING)} make images smaller; {data.target.source} gives others")
        if scale != factor:
            raise ValueError(
                f"the generator makes good by what degradations divide the sides of an image, {factor}; received "
                f"scheme.generator.scale={scale}: set it to {factor}, or scheme.degradations.downscale={scale}"
            )
        if factor > 1 and data.shape[0] % factor:
            raise ValueError(
                f"data.resolution (or data.crop) is a multiple of what it is divided by, {factor}; received "
                f"{data.shape[0]}"
            )

    def check(self, data: Data, training: Training) -> None:
        """See `Scheme`."""
        super().check(data, training)
        if any(column.role == "input" for column in data.columns):
            raise ValueError(
                f"the scheme {self.name} degrades one domain, which makes its inputs; data.name={data.name} has inputs "
                "of its own, and is for other schemes"
            )
        self._check_sizes(data)
        if not self.plays and not self.fidelity_weight and self.content is None:
            raise ValueError(
                "a generator learns by some loss; received scheme.adversarial_weight=0, fidelity_weight=0 and no "
                "scheme.content"
            )
        if self.content and (not data.images or data.channels not in (1, 3) or data.shape[0] < 32):
            raise ValueError(
                "scheme.content looks at images of 1 or 3 channels and at least 32 pixels a side; received "
                f"{data.name} of the shape {list(data.shape)}"
            )
        if self.objective.generator_penalties:
            raise ValueError(f"generator_penalties are of noise, which the scheme {self.name} has none of")


SCHEME = Pick("scheme", "adversarial", Adversarial, Cycle, Restoration)
