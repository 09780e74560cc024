"""The architectures of discriminators.

Each checks what it can do of the data, before anything runs.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.config.datasets.base import Data
from models.config.datasets.columns import aligned
from models.config.networks.base import Network, check_doubling, check_images, check_points
from models.config.variants import Pick


class Discriminator(Network):
    """What judges examples.

    Attributes:
        conditional: True where a label is read, or asked for.
        joint: True where it looks at several examples together, so that an answer depends on its neighbours.
        takes_input: True where it is shown the input beside the target, and judges the pair.
    """

    norm: Literal["batch", "instance", "spectral", "none"] = "batch"
    batch_statistics: Literal["none", "stddev", "discrimination"] = Field(
        "none", description="what it sees of a group of examples: minibatch stddev or discrimination"
    )
    batch_group: int = Field(4, gt=1, description="consecutive examples that batch_statistics look at together")
    pack: int = Field(1, gt=0, description="PacGAN: examples that are judged together")
    condition: Literal["none", "concatenation", "embedding", "projection", "auxiliary"] = Field(
        "none",
        description="how it reads the label: one-hot or embedded maps beside the image, projection, or an auxiliary "
        "classifier (AC-GAN), which is asked for it instead",
    )

    @property
    def conditional(self) -> bool:
        """See the class."""
        return self.condition != "none"

    @property
    def takes_input(self) -> bool:
        """See the class."""
        return False

    @property
    def joint(self) -> bool:
        """See the class."""
        return self.pack > 1 or self.batch_statistics != "none"

    @property
    def group(self) -> int:
        """Consecutive examples that a batch holds a multiple of."""
        return self.pack * (self.batch_group if self.batch_statistics != "none" else 1)

    @model_validator(mode="after")
    def _options_that_need_another(self) -> Self:
        if self.batch_group != 4 and self.batch_statistics == "none":
            raise ValueError(
                "batch_group is of batch_statistics=stddev or discrimination; received "
                f"batch_group={self.batch_group} with batch_statistics=none"
            )
        if self.pack > 1 and self.conditional:
            raise ValueError(
                f"examples that are judged together have no label in common: pack={self.pack} needs condition=none; "
                f"received {self.condition}"
            )
        return self

    def check_batch(self, batch_size: int) -> None:
        """Raises ValueError where a batch does not divide into packs and groups."""
        if batch_size % self.group:
            parts = [f"pack ({self.pack})"] * (self.pack > 1)
            parts += [f"batch_group ({self.batch_group})"] * (self.group > self.pack)
            raise ValueError(
                f"training.batch_size is a multiple of the discriminator's {' x '.join(parts)}; received {batch_size}"
            )


class MLPDiscriminator(Discriminator):
    """What discriminators of maxout layers have in common."""

    norm: Literal["batch", "spectral", "none"] = "batch"
    width: int = Field(64, gt=0, description="units of a layer")
    depth: int = Field(2, gt=0, description="hidden layers")
    dropout: float = Field(0, ge=0, lt=1, description="of the hidden layers")


class GanMLPDiscriminator(MLPDiscriminator):
    """Maxout layers for images. Goodfellow et al. 2014."""

    name: Literal["gan_mlp"] = "gan_mlp"

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_images(self, data)


class PointsDiscriminator(MLPDiscriminator):
    """Maxout layers for points of the plane."""

    name: Literal["points"] = "points"

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_points(self, data)


class DCGANDiscriminator(Discriminator):
    """Strided convolutions. Radford, Metz & Chintala 2015."""

    name: Literal["dcgan"] = "dcgan"
    kernel: int = Field(5, ge=3, le=7, description="height and width of a kernel, pixels")
    norm: Literal["batch", "spectral", "none"] = "batch"
    width: int = Field(64, gt=0, description="channels of the first layer, doubling")
    smallest_map: int = Field(7, gt=1, lt=16, description="maps are halved down to at most so many pixels a side")
    attention: bool = Field(False, description="self-attention at 16 pixels, or the next smaller map")

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_images(self, data)


class ResNetDiscriminator(Discriminator):
    """Residual blocks. Miyato et al. 2018."""

    name: Literal["resnet"] = "resnet"
    norm: Literal["batch", "spectral", "none"] = "batch"
    width: int = Field(64, gt=0, description="channels of the first block, doubling")
    attention: bool = Field(False, description="self-attention at 16 pixels, or the next smaller map (SAGAN)")

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_doubling(self, data)


class LAPGANDiscriminator(Discriminator):
    """Two dense layers for the smallest images, two convolutions for larger ones. Denton et al. 2015."""

    name: Literal["lapgan"] = "lapgan"
    norm: Literal["spectral", "none"] = "none"
    width: int = Field(64, gt=0, description="channels of a convolution")
    units: int = Field(600, gt=0, description="of a dense layer")
    dense_up_to: int = Field(8, ge=8, description="pixels a side up to which there are dense layers")
    dropout: float = Field(0.5, ge=0, lt=1, description="before the answer, and behind each dense layer")

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_images(self, data)


class PatchGANDiscriminator(Discriminator):
    """Convolutions of 4x4 that judge overlapping patches: a map of logits. Isola et al. 2017."""

    name: Literal["patchgan"] = "patchgan"
    batch_statistics: Literal["none", "stddev"] = Field("none", description="what it sees of a group: minibatch stddev")
    width: int = Field(64, gt=0, description="channels of the first layer, doubling to 8 times")
    layers: int = Field(
        3,
        ge=0,
        le=6,
        description="halvings: patches of 16, 34, 70, 142, 286 pixels for 1, 2, 3, 4, 5; 0 judges single pixels",
    )
    pairs: bool = Field(False, description="judges the target together with its input, as pix2pix does")

    @property
    def takes_input(self) -> bool:
        """See `Discriminator`."""
        return self.pairs

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_images(self, data)
        # as many places as are left after the halvings and the two layers that each take one off
        least = 3 * 2**self.layers if self.layers else 1
        if data.shape[0] < least:
            raise ValueError(
                f"patchgan of {self.layers} layers judges images of at least {least} pixels a side; received "
                f"{data.shape[0]}: take fewer layers"
            )
        if self.pairs and not aligned(data.columns):
            raise ValueError(
                f"pairs=true judges a target together with its input, but data.name={data.name} has no pairs: set "
                "pairs=false"
            )


DISCRIMINATOR = Pick(
    "discriminator",
    "dcgan",
    GanMLPDiscriminator,
    PointsDiscriminator,
    DCGANDiscriminator,
    ResNetDiscriminator,
    PatchGANDiscriminator,
    LAPGANDiscriminator,
)
