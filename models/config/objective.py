"""The game: losses of both players, what is added to them, and what is done to the discriminator's input."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from models import catalog
from models.config.datasets.base import Data
from models.config.frozen import Frozen
from models.config.networks.discriminators import Discriminator
from models.config.variants import Pick, Variant


class Penalty(Frozen):
    """A term of the discriminator's loss; its weight alone is short for it."""

    weight: float = Field(ge=0)
    every_steps: int = Field(1, gt=0, description="lazy regularisation: so many times its weight, every so many steps")

    @model_validator(mode="before")
    @classmethod
    def _weight_alone(cls, value: Any) -> Any:
        return {"weight": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class Objective(Variant):
    """A game of the catalog. Its cross-entropies have a field more: `CrossEntropy`."""

    name: str
    penalties: dict[str, Penalty] = Field({}, description="of the discriminator: name -> weight (and interval)")
    generator_penalties: dict[str, float] = Field({}, description="of the generator: name -> weight")
    auxiliary_weight: float = Field(
        1, ge=0, description="of what is asked beside real or generated: AC-GAN's class, InfoGAN's codes (its lambda)"
    )
    instance_noise: float = Field(0, ge=0, description="stddev at the first step, falling to 0 at the last")
    augment: tuple[Literal["color", "translation", "cutout"], ...] = Field((), description="DiffAugment's policy")
    weight_limit: float | None = Field(None, gt=0, description="the discriminator's weights are clipped to this")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """See `Variant`: all but the cross-entropies."""
        return tuple(name for name in catalog.OBJECTIVES if name not in CrossEntropy.names())

    @field_validator("penalties")
    @classmethod
    def _penalties(cls, value: dict[str, Penalty]) -> dict[str, Penalty]:
        return ordered("penalty", value)

    @field_validator("generator_penalties")
    @classmethod
    def _generator_penalties(cls, value: dict[str, float]) -> dict[str, float]:
        return amounts("generator penalty", "weight", value)

    def check(self, data: Data, discriminator: Discriminator) -> None:
        """Raises ValueError, one line, where it does not fit the data or the discriminator."""
        wanted = ["augment"] * bool(self.augment) + ["penalties.consistency"] * ("consistency" in self.penalties)
        if wanted and not data.images:
            raise ValueError(f"scheme.objective.{wanted[0]} changes images; {data.target.source} gives {data.kind}")
        if "consistency" in self.penalties and discriminator.takes_input:
            raise ValueError(
                "scheme.objective.penalties.consistency moves a target away from the input that is judged with it: set "
                "scheme.discriminator.pairs=false, or take another penalty"
            )
        # a penalty inside a condition cannot talk to the other replicas, which these have to
        for name, penalty in self.penalties.items():
            talks = name == "dragan" or discriminator.norm == "batch"
            if penalty.every_steps > 1 and talks:
                with_ = name if name == "dragan" else "scheme.discriminator.norm=batch"
                raise ValueError(
                    f"scheme.objective.penalties.{name}.every_steps of more than 1 needs a penalty without batch "
                    f"statistics; received {penalty.every_steps} with {with_}"
                )


class CrossEntropy(Objective):
    """A game whose discriminator minimises a binary cross-entropy. Goodfellow et al. 2014."""

    name: Literal["minimax", "non_saturating", "maximum_likelihood"] = "non_saturating"
    label_smoothing: float = Field(0, ge=0, lt=1, description="one-sided: of the labels of real examples")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """See `Variant`."""
        return ("minimax", "non_saturating", "maximum_likelihood")


OBJECTIVE = Pick("objective", "non_saturating", CrossEntropy, Objective)


def amounts(kind: str, amount: str, value: Mapping[str, float]) -> dict[str, float]:
    """Parts of the catalog by name with an amount each, in its order. Raises ValueError for one below 0."""
    for name, number in value.items():
        if number < 0:
            raise ValueError(f"the {amount} of a {kind} is at least 0; received {number} for {name}")
    return ordered(kind, value)


def ordered(kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Parts of the catalog by name, in its order, which JSON would not keep. Raises ValueError for an unknown one."""
    for name in value:
        catalog.require(kind, name)
    return {name: value[name] for name in catalog.KINDS[kind] if name in value}
