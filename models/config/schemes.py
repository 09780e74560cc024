"""The schemes: what each has of players, losses and phases."""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from models import catalog
from models.config.columns import aligned
from models.config.content import Content
from models.config.curves import Chart, of_players
from models.config.data import Data
from models.config.discriminators import (
    DISCRIMINATOR,
    Discriminator,
    PatchGANDiscriminator,
    PointsDiscriminator,
)
from models.config.frozen import Frozen
from models.config.laplacian import Laplacian
from models.config.networks import GENERATOR, DCGANGenerator, NoiseGenerator
from models.config.objective import amounts
from models.config.scheme import Alternating, Scheme
from models.config.training import Optimizer, Training
from models.config.translators import TRANSLATOR, PointsTranslator, Translator, UNetTranslator, check_same_size
from models.config.variants import Pick


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
        inputs = [column for column in data.columns if column.role == "input"]
        if not inputs or aligned(data.columns):
            raise ValueError(
                f"the scheme cycle needs two domains: data.name=unpaired or separated; received {data.name}"
            )
        if inputs[0].shape != data.shape:
            raise ValueError(
                "the scheme cycle translates both ways, by networks that are alike: inputs have the shape of targets; "
                f"received {list(inputs[0].shape)} and {list(data.shape)}: leave data.input_resolution and "
                "data.input_channels out"
            )
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
        """See `Alternating`."""
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
    def gives(self) -> tuple[str, ...]:
        """See `Scheme`: the kernel of the degradation that blurs; the generator refuses others than one."""
        return ("kernel",)

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
        for name in catalog.BLURRING:
            if value.get(name, 1) % 2 != 1:
                raise ValueError(
                    f"the strength of {name} is the side of its kernel, which has a middle: an odd number; received "
                    f"{value[name]:g}"
                )
        return amounts("degradation", "strength", value)

    @property
    def margin(self) -> int:
        """See `Scheme`."""
        return sum(int(self.degradations.get(name, 1)) // 2 for name in catalog.BLURRING)

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
        check_no_input(self.name, "degrades", data)
        self.generator.check_degradations(self.degradations)
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


class Pix2Pix(Alternating):
    """A translator that learns from pairs: near the truth, and like it to a discriminator. Isola et al. 2017.

    The rows of the paper's ablation: `l1_weight=0` is the conditional GAN alone, `adversarial_weight=0` L1 alone, and
    `discriminator.pairs=false` the GAN whose discriminator does not see the input.
    """

    task: ClassVar[str] = "translate"
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
        "for L1 alone, without a discriminator",
    )

    @property
    def plays(self) -> bool:
        """See `Alternating`."""
        return self.adversarial_weight != 0

    @property
    def charts(self) -> tuple[Chart, ...]:
        """See `Scheme`."""
        l1 = Chart(
            "Fidelity", {"L1": "l1_loss"}, "Mean absolute difference of what is drawn and the truth, in [-1, 1]."
        )
        return (*(of_players({"": ""}) if self.plays else ()), l1)

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
            f"{'pix2pix' if aligned(data.columns) else 'cycle'}"
        )


SCHEME = Pick("scheme", "adversarial", Adversarial, Cycle, Restoration, Pix2Pix, Laplacian)
