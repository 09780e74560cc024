"""LAPGAN: how the levels of a Laplacian pyramid of generators are trained."""

from typing import Annotated, Literal

from pydantic import Field

from models.config.datasets.base import Data
from models.config.datasets.images import Squares
from models.config.frozen import Frozen
from models.config.networks.base import check_images
from models.config.networks.discriminators import DISCRIMINATOR, DCGANDiscriminator, Discriminator
from models.config.networks.generators import GENERATOR, DCGANGenerator, NoiseGenerator
from models.config.schemes.base import Scheme
from models.config.schemes.curves import Chart, of_players
from models.config.training import Training


class Refiner(Frozen):
    """The generator of a finer level: convolutions of the coarser image, a plane of noise and one of the label."""

    width: int = Field(64, gt=0, description="channels of a hidden layer")
    kernel: Literal[3, 5, 7] = Field(5, description="height and width of a kernel, pixels")
    hidden: int = Field(2, gt=0, description="hidden layers")
    last_kernel: Literal[3, 5, 7] | None = Field(
        None, description="height and width of the last layer's kernel, pixels; None: as of the others"
    )


class Laplacian(Scheme):
    """A generator and a discriminator for each level of a Laplacian pyramid. Denton et al. 2015 (LAPGAN)."""

    name: Literal["lapgan"] = "lapgan"
    levels: int = Field(3, ge=2, le=6, description="sizes of the pyramid, each half of the one above it")
    generator: Annotated[NoiseGenerator, GENERATOR] = DCGANGenerator()
    refiner: Refiner = Field(Refiner(), description="draws what a finer level adds to the coarser image")
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = DCGANDiscriminator()
    coarse_steps: int = Field(
        0,
        ge=0,
        description="steps of each coarser level alone, one level after the other, before the finest has "
        "training.steps; 0: all levels learn in each step",
    )

    @property
    def charts(self) -> tuple[Chart, ...]:
        """See `Scheme`: of every level."""
        return of_players({f"_{level}": f", level {level}" for level in range(self.levels)})

    @property
    def earlier_steps(self) -> int:
        """See `Scheme`."""
        return (self.levels - 1) * self.coarse_steps

    @property
    def noise(self) -> tuple[int, ...]:
        """How much of z each level takes, the coarsest first: equal parts, and what is left over for the coarsest."""
        part, over = divmod(self.generator.latent.size, self.levels)
        return (part + over, *[part] * (self.levels - 1))

    def at(self, data: Data, level: int) -> Data:
        """The data at the size of a level: 0 is the coarsest."""
        return data.model_copy(update={"resolution": data.resolution // 2 ** (self.levels - 1 - level)})

    def check(self, data: Data, training: Training) -> None:
        """See `Scheme`."""
        check_images(self.generator, data)
        if not isinstance(data, Squares):
            raise ValueError(f"the scheme {self.name} draws squares of one size; received data.name={data.name}")
        halved = 2 ** (self.levels - 1)
        if data.resolution % halved:
            raise ValueError(
                f"{self.levels} levels halve an image {self.levels - 1} times: data.resolution is a multiple of "
                f"{halved}; received {data.resolution}"
            )
        if self.generator.latent.size < self.levels:
            raise ValueError(
                f"each of {self.levels} levels has a part of the noise: scheme.generator.latent.size is at least "
                f"{self.levels}; received {self.generator.latent.size}"
            )
        if self.generator.codes or self.objective.generator_penalties:
            raise ValueError(f"codes and generator_penalties are of one generator; the scheme {self.name} has several")
        for level in range(self.levels):
            super().check(self.at(data, level), training)
