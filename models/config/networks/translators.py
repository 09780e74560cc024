"""The architectures of translators: generators that take an example.

Each checks what it can do of the data, before anything runs. Trained on photographs, those of convolutions take images
of any size; on squares, those of that size.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from models import catalog
from models.config.datasets.base import Data
from models.config.networks.base import Generator, check_images, check_points
from models.config.variants import Pick


class Translator(Generator):
    """A generator that takes an example, and has no noise, label or code.

    One that gives images larger than it takes has a field `scale`: how many times as high and wide they are.

    Attributes:
        size_multiple: what both sides of an image that it takes are multiples of.
        halo: how far from a pixel of its input lies what decides the output there, in pixels of the input; None where
            the whole image does. A larger image can be cut into tiles with so much around each, whose corners lie at
            multiples of `size_multiple`.
    """

    @property
    def size_multiple(self) -> int:
        """See the class."""
        return 1

    @property
    def halo(self) -> int | None:
        """See the class."""
        return None

    def check_degradations(self, degradations: Mapping[str, float]) -> None:
        """Raises ValueError, one line, where it is made to undo others than these: name -> strength."""


class PointsTranslator(Translator):
    """Rectified linear layers from a point of the plane to another, as a step from where it is."""

    name: Literal["points"] = "points"
    width: int = Field(64, gt=0, description="units of a layer")
    depth: int = Field(2, gt=0, description="hidden layers")
    norm: Literal["batch", "none"] = "batch"

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_points(self, data)


class UNetTranslator(Translator):
    """Encoder and decoder with skips between them. Ronneberger et al. 2015; Isola et al. 2017 (pix2pix)."""

    name: Literal["unet"] = "unet"
    width: int = Field(64, gt=0, description="channels of the first level, doubling to 8 times")
    levels: int = Field(8, ge=2, le=9, description="halvings; both sides are multiples of 2 to this power")
    norm: Literal["batch", "instance", "none"] = "batch"
    dropout: float = Field(0.5, ge=0, lt=1, description="of the decoder's first three levels, in training alone")

    @property
    def size_multiple(self) -> int:
        """See `Translator`."""
        return int(2**self.levels)

    @property
    def halo(self) -> int | None:
        """See `Translator`: of r at a level, 2 r + 3 at the next finer one."""
        return None if self.norm == "instance" else int(3 * (2**self.levels - 1))

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_images(self, data)
        check_multiple(self, data, f"halves it {self.levels} times: take fewer levels, or")


class ResNetTranslator(Translator):
    """Residual blocks at a quarter of the resolution. Johnson et al. 2016; Zhu et al. 2017 (CycleGAN)."""

    name: Literal["resnet"] = "resnet"
    width: int = Field(64, gt=0, description="channels at full resolution, four times as many in the blocks")
    blocks: int = Field(9, gt=0, description="residual blocks: the paper has 6 at 128 pixels, 9 from 256 on")
    norm: Literal["instance", "batch", "none"] = "instance"

    @property
    def size_multiple(self) -> int:
        """See `Translator`."""
        return 4

    @property
    def halo(self) -> int | None:
        """See `Translator`: 8 a block, and 12 of the layers around them."""
        return None if self.norm == "instance" else 8 * self.blocks + 12

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_images(self, data)
        if data.shape[0] < 8:
            raise ValueError(
                f"resnet mirrors the edges of maps of two places: at least 8 pixels; received {data.shape[0]}"
            )
        check_multiple(self, data, "halves it twice:")


class SRResNetTranslator(Translator):
    """Residual blocks, then sub-pixel convolutions: super-resolution. Ledig et al. 2017."""

    name: Literal["srresnet"] = "srresnet"
    scale: Literal[1, 2, 4, 8] = Field(4, description="how many times as high and wide the output is; 1 to restore")
    width: int = Field(64, gt=0, description="channels")
    blocks: int = Field(16, gt=0, description="residual blocks")
    norm: Literal["batch", "none"] = "batch"
    bicubic: bool = Field(False, description="learns what is added to the bicubic enlargement of what it takes")

    @property
    def halo(self) -> int | None:
        """See `Translator`: 2 a block, 4 of the first layer, 1 behind the blocks, and what enlarges."""
        radius, scale = 4, int(self.scale)
        while scale > 1:
            radius, scale = -(-radius // 2) + 1, scale // 2
        return 2 * self.blocks + 5 + radius

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_images(self, data)
        if data.shape[0] % self.scale:
            raise ValueError(
                f"srresnet makes images {self.scale} times as large: data.resolution (or data.crop) is a multiple of "
                f"that; received {data.shape[0]}"
            )


class DeconvolutionTranslator(Translator):
    """Residual blocks that take a blurred image and what a Wiener filter makes of it, and add what this lacks.

    It knows the noise and the kernel. The kernel is a part of it, where all images are blurred by the same one; or it
    is given beside each image, which is blurred by that.
    """

    name: Literal["deconvolution"] = "deconvolution"
    kernel: Literal["known_gaussian_blur", "known_motion_blur", "given"] = Field(
        "known_motion_blur", description="the degradation that it undoes; or given: each image comes with its kernel"
    )
    side: int = Field(17, ge=3, le=63, description="of the kernel, odd: the strength of the degradation that blurs")
    noise: float = Field(0.02, gt=0, description="standard deviation; images lie in [-1, 1], so 1 % is 0.02")
    support: int = Field(31, ge=3, le=127, description="side of the finite Wiener filter, odd")
    width: int = Field(64, gt=0, description="channels")
    blocks: int = Field(16, gt=0, description="residual blocks")
    norm: Literal["batch", "none"] = "none"

    @property
    def beside(self) -> tuple[str, ...]:
        """See `Generator`."""
        return ("kernel",) if self.kernel == "given" else ()

    def check_degradations(self, degradations: Mapping[str, float]) -> None:
        """See `Translator`."""
        kernel: str = self.kernel
        if kernel == "given":
            blurs = [name for name in degradations if name in catalog.BLURRING]
            if len(blurs) != 1:
                raise ValueError(
                    f"a generator that is given the kernel undoes one blur: scheme.degradations has one of "
                    f"{', '.join(catalog.BLURRING)}; received {', '.join(blurs) or 'none of them'}"
                )
            (kernel,) = blurs
        knows = {kernel: self.side, "noise": self.noise}
        if knows != degradations:
            raise ValueError(
                f"a generator that knows the kernel and the noise knows those of scheme.degradations; received "
                f"{dict(degradations)}, and of scheme.generator {knows}"
            )

    @property
    def halo(self) -> int | None:
        """See `Translator`: that of `srresnet`, and half of the filter."""
        return 2 * self.blocks + 9 + self.support // 2

    def check(self, data: Data) -> None:
        """See `Network`."""
        check_images(self, data)
        for name in ("side", "support"):
            if getattr(self, name) % 2 == 0:
                raise ValueError(f"a kernel has a middle: {name} is odd; received {getattr(self, name)}")


def check_multiple(network: Translator, data: Data, why: str) -> None:
    """Raises ValueError where an image is of a size that the network cannot take."""
    size, multiple = data.shape[0], network.size_multiple
    if size % multiple:
        near = " or ".join(str(each) for each in (size // multiple * multiple, -(-size // multiple) * multiple) if each)
        raise ValueError(
            f"{network.name} takes images whose sides are multiples of {multiple}; received {size}: it {why} set "
            f"data.resolution (or data.crop) to {near}"
        )


def check_same_size(network: Generator, scheme: str) -> None:
    """Raises ValueError where a translator gives images of another size than it takes, which this scheme does not."""
    if (scale := getattr(network, "scale", 1)) != 1:
        raise ValueError(
            f"the scheme {scheme} has inputs as large as targets; received scheme.generator.scale={scale}: set it to 1"
        )


TRANSLATOR = Pick(
    "translator",
    "points",
    PointsTranslator,
    UNetTranslator,
    ResNetTranslator,
    SRResNetTranslator,
    DeconvolutionTranslator,
)
