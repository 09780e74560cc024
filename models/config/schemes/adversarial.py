"""The scheme of generators that draw from noise."""

from typing import Annotated, Literal

from models.config.datasets.base import Data
from models.config.networks.generators import GENERATOR, DCGANGenerator, NoiseGenerator
from models.config.schemes.base import Alternating, check_no_input
from models.config.training import Training


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
