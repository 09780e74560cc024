"""The variants of data: images made squares, photographs, stacked digits, points, and two domains."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from models import catalog
from models.config.columns import Column
from models.config.data import Data, OneSource
from models.config.variants import Pick


class OfImages(OneSource):
    """What sources of images have in common."""

    pixel_limit: int = Field(64_000_000, gt=0, description="pixels an image may decode to")
    bad_image_tolerance: float = Field(0, ge=0, lt=1, description="share of bad images that may be skipped")
    mixed_channels: Literal["convert", "refuse"] = Field("convert", description="what becomes of grey among colour")
    flip: bool = Field(False, description="training mirrors half of the images, left to right")
    split_by: Literal["content", "near_duplicates", "folder"] = Field("content", description="what is kept together")


class Squares(OfImages):
    """What images that become squares of one size have in common."""

    resolution: int = Field(28, ge=4, le=1024, description="height and width after Transform, pixels")
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop",
        description="what makes an image a square: its centre, its edges repeated beside it, or other proportions",
    )


class Images(Squares):
    """Images, with or without classes, made squares of one size."""

    name: Literal["images"] = "images"
    source: str = Field("digits", description="digits, idx:DIR, folder:DIR, zip:FILE, tar:FILE or tfds:NAME[/CONFIG]")
    channels: Literal[1, 3] = 1
    classes: int = Field(0, ge=0, description="0 for images without labels")

    _source = field_validator("source")(lambda value: _of(value, other=("mixture", "stacked")))

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`: [r, r, c]."""
        return (self.resolution, self.resolution, self.channels)


class Stacked(Squares):
    """Three random digits as the colours of one image: 1000 classes. Metz et al. 2017, section 3.3.1."""

    name: Literal["stacked"] = "stacked"
    source: str = Field(description="stacked:SOURCE, of a source of grey digits that are labelled 0 to 9")

    _source = field_validator("source")(lambda value: _of(value, only="stacked"))

    @property
    def kind(self) -> str:
        """See `Data`."""
        return "stacked"

    @property
    def channels(self) -> int:
        """One a digit."""
        return 3

    @property
    def classes(self) -> int:
        """One a triple of digits."""
        return 1000

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`: [r, r, 3]."""
        return (self.resolution, self.resolution, self.channels)


class Photographs(OfImages):
    """Images of any size, kept whole; networks are trained on crops of them."""

    column_kind: ClassVar[str] = "photograph"

    name: Literal["photographs"] = "photographs"
    source: str = Field(description="folder:DIR, zip:FILE, tar:FILE, idx:DIR, digits or tfds:NAME[/CONFIG]")
    channels: Literal[1, 3] = 3
    classes: int = Field(0, ge=0, description="0 for images without labels")
    crop: int = Field(96, ge=8, le=1024, description="height and width of a crop, pixels; no image is smaller")

    _source = field_validator("source")(lambda value: _of(value, other=("mixture", "stacked")))

    @property
    def resolution(self) -> int:
        """Height and width of a crop."""
        return self.crop

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`: that of a crop."""
        return (self.crop, self.crop, self.channels)


class Points(OneSource):
    """Points of the plane, drawn from a mixture of Gaussians."""

    column_kind: ClassVar[str] = "point"

    name: Literal["points"] = "points"
    source: str = Field("mixture:ring", description="mixture:ring, mixture:square or mixture:grid")
    classes: int = Field(0, ge=0, description="the number of modes, which are the labels; 0 to do without them")

    @field_validator("source")
    @classmethod
    def _mixture(cls, value: str) -> str:
        catalog.require("mixture", _of(value, only="mixture").removeprefix("mixture:"))
        return value

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`: [2]."""
        return (2,)

    @property
    def channels(self) -> int:
        """See `Data`: none, as points are no images."""
        return 0


class Unpaired(Data):
    """Two domains, in no relation to one another: what a translator takes, and what it is to draw."""

    name: Literal["unpaired"] = "unpaired"
    input: Annotated[OneSource, Pick("domain", "images", Images, Photographs, Points)] = Field(
        description="the domain that is translated; its labels are read"
    )
    target: Annotated[OneSource, Pick("domain", "images", Images, Photographs, Points)] = Field(
        description="the domain to translate into; its labels are not read"
    )

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if self.input.shape != self.target.shape:
            raise ValueError(
                "the examples of both domains have one shape: points, or images of one resolution and number of "
                f"channels; received {list(self.input.shape)} and {list(self.target.shape)}"
            )
        return self

    @property
    def domains(self) -> tuple[OneSource, ...]:
        """See `Data`."""
        return (self.input, self.target)

    @property
    def columns(self) -> tuple[Column, ...]:
        """See `Data`: the input with its label, and the target, in no relation."""
        target, *_ = self.target.columns_as("target", 1)
        return (*self.input.columns_as("input", 0), target)

    @property
    def source(self) -> str:
        """See `Data`."""
        return self.input.source

    @property
    def classes(self) -> int:
        """See `Data`."""
        return self.input.classes

    @property
    def resolution(self) -> int:
        """See `Data`."""
        return self.target.resolution

    @property
    def channels(self) -> int:
        """See `Data`."""
        return self.target.channels

    @property
    def source_path(self) -> str:
        """See `Data`."""
        return "data.input.source"

    def read(self) -> Self:
        """See `Data.read`."""
        return self.model_copy(update={"input": self.input.read(), "target": self.target.read(), "schema_dir": None})


DATA = Pick("data", "images", Images, Photographs, Stacked, Points, Unpaired)


def _of(source: str, *, only: str = "", other: tuple[str, ...] = ()) -> str:
    """The source, if it is of the kind that a variant of data takes."""
    kind = source.partition(":")[0]
    variants = {"mixture": "points", "stacked": "stacked"}
    if kind in other:
        raise ValueError(f"{source} is for data.name={variants[kind]}, which has fields of its own")
    if only and kind != only:
        raise ValueError(f"the source of {variants[only]} is {only}:NAME; received {source}")
    return source
