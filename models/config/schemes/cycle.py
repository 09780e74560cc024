"""CycleGAN: two translators that undo one another."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.config.datasets.base import Data
from models.config.datasets.columns import aligned
from models.config.networks.discriminators import DISCRIMINATOR, Discriminator, PointsDiscriminator
from models.config.networks.translators import TRANSLATOR, PointsTranslator, Translator, check_same_size
from models.config.schemes.base import Scheme
from models.config.schemes.curves import Chart, of_players
from models.config.training import Training


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
