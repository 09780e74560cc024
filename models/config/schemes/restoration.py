"""Restoration: a generator gives back what was degraded; it may learn alone before the game."""

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from models import catalog
from models.config.content import Content
from models.config.datasets.base import Data
from models.config.frozen import Frozen
from models.config.networks.discriminators import (
    DISCRIMINATOR,
    Discriminator,
    PointsDiscriminator,
)
from models.config.networks.translators import TRANSLATOR, PointsTranslator, Translator
from models.config.objective import amounts
from models.config.schemes.base import Alternating, check_no_input
from models.config.schemes.curves import Chart, of_players
from models.config.training import Optimizer, Training


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
