"""pix2pix: a translator that learns from pairs."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from models.config.datasets.base import Data
from models.config.networks.discriminators import DISCRIMINATOR, Discriminator, PatchGANDiscriminator
from models.config.networks.translators import TRANSLATOR, Translator, UNetTranslator, check_same_size
from models.config.schemes.base import Alternating
from models.config.schemes.curves import Chart, of_players
from models.config.training import Training


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
