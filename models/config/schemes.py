"""How networks are trained: a scheme has players, a game and phases."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from models.config.curves import Chart, of_players
from models.config.data import Data
from models.config.data_variants import Unpaired
from models.config.discriminators import (
    DISCRIMINATOR,
    DCGANDiscriminator,
    Discriminator,
    PatchGANDiscriminator,
    PointsDiscriminator,
)
from models.config.frozen import Frozen
from models.config.networks import GENERATOR, DCGANGenerator, Generator, NoiseGenerator
from models.config.objective import OBJECTIVE, CrossEntropy, Objective, amounts
from models.config.training import Optimizer, Training
from models.config.translators import TRANSLATOR, PointsTranslator, Translator, UNetTranslator, check_same_size
from models.config.variants import Pick, Variant


class Scheme(Variant):
    """How the players learn. A variant has a generator, a discriminator and an objective, with fields of its own."""

    task: ClassVar[str] = "generate"
    """What a model of it takes and how it is judged: a name of the catalog, or `package.module:Task`."""

    charts: ClassVar[tuple[Chart, ...]] = of_players({"": ""})
    """What of its history a report draws, besides the looks at samples."""

    generator: Annotated[Generator, GENERATOR] = DCGANGenerator()
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = DCGANDiscriminator()
    objective: Annotated[Objective, OBJECTIVE] = CrossEntropy()

    @property
    def earlier_steps(self) -> int:
        """Steps of the phases before the last one."""
        return 0

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
        check_no_input(self.name, "draws", data)
        codes, pack = self.generator.codes, self.discriminator.pack
        if pack > 1 and codes:
            raise ValueError(
                f"examples that are judged together have no code in common; received pack {pack} and {codes} codes"
            )


class Cycle(Scheme):
    """Two translators that undo one another, each against a discriminator of its target. Zhu et al. 2017."""

    task: ClassVar[str] = "translate"
    charts: ClassVar[tuple[Chart, ...]] = (
        *of_players({"": "", "_reverse": ", reverse"}),
        Chart(
            "There and back",
            {"cycle": "cycle_loss", "identity": "identity_loss"},
            "Mean absolute differences after the way there and back, and of a target that ought to stay as it is.",
        ),
    )

    name: Literal["cycle"] = "cycle"
    generator: Annotated[Translator, TRANSLATOR] = PointsTranslator()
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = PointsDiscriminator()
    cycle_weight: float = Field(10, ge=0, description="of the way there and back, beside the adversarial losses")
    identity_weight: float = Field(
        0.5, ge=0, description="of what a translator does to its own target, as a share of cycle_weight"
    )
    pool_size: int = Field(50, ge=0, description="translated examples that a discriminator may see again")

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
    charts: ClassVar[tuple[Chart, ...]] = (
        *of_players({"": ""}),
        Chart(
            "Fidelity", {"squared error": "fidelity_loss"}, "Of what is restored, against the truth, in both phases."
        ),
    )

    name: Literal["restoration"] = "restoration"
    generator: Annotated[Translator, TRANSLATOR] = PointsTranslator()
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = PointsDiscriminator()
    degradations: dict[str, float] = Field(min_length=1, description="name -> strength, in the catalog's order")
    fidelity_weight: float = Field(1, ge=0, description="of the squared error, beside the adversarial loss")
    pretraining: Pretraining = Pretraining()

    @property
    def earlier_steps(self) -> int:
        """See `Scheme`."""
        return self.pretraining.steps

    @field_validator("degradations")
    @classmethod
    def _degradations(cls, value: dict[str, float]) -> dict[str, float]:
        return amounts("degradation", "strength", value)

    def check(self, data: Data, training: Training) -> None:
        """See `Scheme`."""
        super().check(data, training)
        check_no_input(self.name, "degrades", data)
        check_same_size(self.generator, self.name)
        if self.objective.generator_penalties:
            raise ValueError(f"generator_penalties are of noise, which the scheme {self.name} has none of")


class Pix2Pix(Alternating):
    """A translator that learns from pairs: near the truth, and like it to a discriminator. Isola et al. 2017.

    The rows of the paper's ablation: `l1_weight=0` is the conditional GAN alone, `adversarial_weight=0` L1 alone, and
    `discriminator.pairs=false` the GAN whose discriminator does not see the input.
    """

    task: ClassVar[str] = "translate"
    charts: ClassVar[tuple[Chart, ...]] = (
        *of_players({"": ""}),
        Chart("Fidelity", {"L1": "l1_loss"}, "Mean absolute difference of what is drawn and the truth, in [-1, 1]."),
    )

    name: Literal["pix2pix"] = "pix2pix"
    generator: Annotated[Translator, TRANSLATOR] = UNetTranslator()
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = PatchGANDiscriminator(pairs=True)
    l1_weight: float = Field(
        100, ge=0, description="of the mean absolute difference from the truth, the paper's lambda"
    )
    adversarial_weight: float = Field(
        2,
        ge=0,
        description="of the generator's adversarial loss: objectives have a factor of 1/2 in it, the paper has none; 0 "
        "for L1 alone",
    )

    @model_validator(mode="after")
    def _learns_something(self) -> Self:
        if not self.l1_weight and not self.adversarial_weight:
            raise ValueError("the generator learns by l1_weight or adversarial_weight; received 0 for both")
        return self

    def check(self, data: Data, training: Training) -> None:
        """See `Scheme`."""
        super().check(data, training)
        inputs = [column for column in data.columns if column.role == "input" and column.group == data.drawn.group]
        if not inputs:
            raise ValueError(f"the scheme pix2pix needs aligned images: data.name=pairs; received {data.name}")
        if inputs[0].shape[:-1] != data.shape[:-1]:
            raise ValueError(
                "the scheme pix2pix draws images as large as those that it takes; received "
                f"{' x '.join(map(str, inputs[0].shape[:-1]))} and {' x '.join(map(str, data.shape[:-1]))}: leave "
                "data.input_resolution out"
            )
        check_same_size(self.generator, self.name)
        if self.objective.generator_penalties:
            raise ValueError(f"generator_penalties are of noise, which the scheme {self.name} has none of")


def check_no_input(scheme: str, does: str, data: Data) -> None:
    """Raises ValueError where the data have inputs, which this scheme would not read."""
    if any(column.role == "input" for column in data.columns):
        raise ValueError(
            f"the scheme {scheme} {does} one domain; data.name={data.name} is for scheme.name="
            f"{'cycle' if isinstance(data, Unpaired) else 'pix2pix'}"
        )


SCHEME = Pick("scheme", "adversarial", Adversarial, Cycle, Restoration, Pix2Pix)
