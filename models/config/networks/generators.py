"""The architectures of generators that are driven by noise.

Each checks what it can do of the data, before anything runs.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.config.datasets.base import Data
from models.config.frozen import Frozen
from models.config.networks.base import Generator, check_doubling, check_images, check_points
from models.config.variants import Pick


class Latent(Frozen):
    """What a generator is driven by, beside a label."""

    size: int = Field(100, gt=0, description="of the noise z")
    distribution: Literal["normal", "uniform"] = Field(
        "normal", description="z is standard normal; the generator takes it as it is, or maps it to uniform in [-1, 1]"
    )
    categorical_codes: int = Field(0, ge=0, description="InfoGAN: values of the categorical code; 0 for none")
    continuous_codes: int = Field(0, ge=0, description="InfoGAN: how many codes, uniform in [-1, 1]")

    @property
    def codes(self) -> int:
        """The width of all codes."""
        return self.categorical_codes + self.continuous_codes


class NoiseGenerator(Generator):
    """A generator that is driven by noise."""

    latent: Latent = Latent()
    width: int = Field(64, gt=0, description="channels at full resolution, doubling as it halves; units of an MLP")
    norm: Literal["batch", "none"] = "batch"
    condition: Literal["none", "concatenation", "embedding", "batch_norm"] = Field(
        "none", description="how it reads the label: one-hot or embedded beside z, or conditional batch norm"
    )

    @property
    def conditional(self) -> bool:
        """See `Generator`."""
        return self.condition != "none"

    @property
    def codes(self) -> int:
        """See `Generator`."""
        return self.latent.codes

    @model_validator(mode="after")
    def _conditional_norm_is_a_norm(self) -> Self:
        if self.condition == "batch_norm" and self.norm != "batch":
            raise ValueError(f"condition=batch_norm needs norm=batch; received norm={self.norm}")
        return self

    def check(self, data: Data) -> None:
        """See `Network`."""
        if self.conditional and not data.classes:
            raise ValueError("a conditional generator needs data.classes of at least 2; received 0")


class MLPGenerator(NoiseGenerator):
    """What generators of dense layers have in common."""

    depth: int = Field(2, gt=0, description="hidden layers")


class GanMLPGenerator(MLPGenerator):
    """Rectified linear layers, then a sigmoid. Goodfellow et al. 2014."""

    name: Literal["gan_mlp"] = "gan_mlp"

    def check(self, data: Data) -> None:
        """See `Network`."""
        super().check(data)
        check_images(self, data)


class PointsGenerator(MLPGenerator):
    """Rectified linear layers to a point of the plane."""

    name: Literal["points"] = "points"

    def check(self, data: Data) -> None:
        """See `Network`."""
        super().check(data)
        check_points(self, data)


class DCGANGenerator(NoiseGenerator):
    """Transposed convolutions. Radford, Metz & Chintala 2015."""

    name: Literal["dcgan"] = "dcgan"
    kernel: int = Field(
        5, ge=3, le=7, description="height and width of a kernel, pixels; one less where an even one has no stride"
    )
    even_start: bool = Field(
        False,
        description="neighbours that a stride lays side by side begin with equal weights (ICNR), so that there is no "
        "grid in the first pictures; for an even kernel",
    )
    attention: bool = Field(False, description="self-attention at 16 pixels, or the next smaller map")

    def check(self, data: Data) -> None:
        """See `Network`."""
        super().check(data)
        check_doubling(self, data)
        if self.even_start and self.kernel % 2:
            raise ValueError(
                f"even_start is of kernels that a stride of 2 divides: scheme.generator.kernel is 4 or 6; received "
                f"{self.kernel}"
            )


class ResNetGenerator(NoiseGenerator):
    """Residual blocks. Miyato et al. 2018."""

    name: Literal["resnet"] = "resnet"
    attention: bool = Field(False, description="self-attention at 16 pixels, or the next smaller map (SAGAN)")

    def check(self, data: Data) -> None:
        """See `Network`."""
        super().check(data)
        check_doubling(self, data)


GENERATOR = Pick("generator", "dcgan", GanMLPGenerator, PointsGenerator, DCGANGenerator, ResNetGenerator)
