"""The architectures of generators that are driven by noise, and what architectures of all players have in common.

Each checks what it can do of the data, before anything runs.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.config.data import Data
from models.config.frozen import Frozen
from models.config.variants import Pick, Variant


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


class Network(Variant):
    """An architecture of one player."""

    def check(self, data: Data) -> None:
        """Raises ValueError, one line, where it cannot take or draw such examples."""


class Generator(Network):
    """What makes examples.

    Attributes:
        conditional: True where a label decides what is made.
        codes: the width of its InfoGAN codes.
        beside: names of what it takes beside an example, which a scheme has to give; see `Scheme.gives`.
    """

    @property
    def conditional(self) -> bool:
        """See the class."""
        return False

    @property
    def codes(self) -> int:
        """See the class."""
        return 0

    @property
    def beside(self) -> tuple[str, ...]:
        """See the class."""
        return ()


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


def check_images(network: Network, data: Data) -> None:
    """Raises ValueError where examples are points."""
    if not data.images:
        what = "points of the plane: name=points is for those" if data.points else f"examples of the kind {data.kind}"
        raise ValueError(f"{network.name} is for images, but {data.target.source} has {what}")


def check_points(network: Network, data: Data) -> None:
    """Raises ValueError where examples are images."""
    if not data.points:
        what = "images" if data.images else f"examples of the kind {data.kind}"
        raise ValueError(f"{network.name} is for points of the plane, but {data.target.source} has {what}")


def check_doubling(network: Network, data: Data) -> None:
    """Raises ValueError where examples are no images, or of a size that does not come from doubling 4 to 7 pixels."""
    check_images(network, data)
    resolution = data.shape[0]
    base, doublings = scales(resolution)
    if base > 7 or not doublings:
        sizes = sorted(base * 2**times for base in (4, 5, 6, 7) for times in range(1, 9))
        below = max((size for size in sizes if size < resolution), default=None)
        above = min((size for size in sizes if size > resolution), default=None)
        near = " or ".join(str(size) for size in (below, above) if size)
        raise ValueError(
            f"{network.name} doubles a map of 4 to 7 pixels to the resolution: data.resolution is 4, 5, 6 or 7 times a "
            f"power of 2; received {resolution}, next to it are {near}"
        )


def scales(resolution: int) -> tuple[int, int]:
    """The smallest map's size, 4 to 7 where the resolution allows it, and how often it doubles up to the resolution."""
    doublings = 0
    while resolution % 2 == 0 and resolution > 7:
        resolution, doublings = resolution // 2, doublings + 1
    return resolution, doublings


GENERATOR = Pick("generator", "dcgan", GanMLPGenerator, PointsGenerator, DCGANGenerator, ResNetGenerator)
