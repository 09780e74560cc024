"""How networks are trained: a scheme has players, a game and phases."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from models.config.datasets.base import Data
from models.config.datasets.columns import aligned
from models.config.networks.base import Generator
from models.config.networks.discriminators import DISCRIMINATOR, DCGANDiscriminator, Discriminator
from models.config.networks.generators import GENERATOR, DCGANGenerator
from models.config.networks.translators import Translator
from models.config.objective import OBJECTIVE, CrossEntropy, Objective
from models.config.schemes.curves import Chart, of_players
from models.config.training import Training
from models.config.variants import Variant


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
    def gives(self) -> tuple[str, ...]:
        """Names of what it can give a generator beside an example."""
        return ()

    @property
    def margin(self) -> int:
        """Pixels beside each edge of a target that what is made of it depends on."""
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
        self._check_beside()
        self._check_margin(data)
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

    def _check_beside(self) -> None:
        """Raises ValueError where the generator takes beside an example what this scheme cannot give."""
        lacking = [name for name in self.generator.beside if name not in self.gives]
        if lacking:
            raise ValueError(
                f"the generator {self.generator.name} takes a {' and a '.join(lacking)} beside each example, which the "
                f"scheme {self.name} does not give: take scheme.name=restoration, or another generator"
            )

    def _check_margin(self, data: Data) -> None:
        """Raises ValueError where data show more or less around a target than the scheme reads."""
        shown = getattr(data, "margin", None) or 0
        if shown != self.margin:
            others = "" if data.name == "photographs" else "data.name=photographs and "
            raise ValueError(
                f"the scheme {self.name} reads {self.margin} pixels beside each edge of a target, as far as its blurs "
                f"reach; received a margin of {shown}: set {others}data.margin to {self.margin or 'null'}"
            )


class Alternating(Scheme):
    """Algorithm 1 of Goodfellow et al. 2014: updates of the discriminator, then of the generator."""

    discriminator_steps: int = Field(1, gt=0, le=32, description="k of algorithm 1, each on fresh examples and noise")
    generator_steps: int = Field(1, gt=0, le=16, description="generator updates a step, each on fresh noise")
    updates: Literal["alternating", "simultaneous"] = "alternating"
    unrolled_steps: int = Field(0, ge=0, le=20, description="discriminator updates that the generator looks ahead")

    @property
    def plays(self) -> bool:
        """True where there is a discriminator to play against; else the generator learns alone, by its other losses."""
        return True

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


def check_no_input(scheme: str, does: str, data: Data) -> None:
    """Raises ValueError where the data have inputs, which this scheme would not read."""
    if any(column.role == "input" for column in data.columns):
        raise ValueError(
            f"the scheme {scheme} {does} one domain; data.name={data.name} is for scheme.name="
            f"{'pix2pix' if aligned(data.columns) else 'cycle'}"
        )
