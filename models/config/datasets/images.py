"""The variants of data that are images, one an example: squares, photographs, stacked digits."""

import re
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from models.config.datasets.base import OneSource
from models.config.datasets.columns import Column


class OfImages(OneSource):
    """What sources of images have in common."""

    pixel_limit: int = Field(64_000_000, gt=0, description="pixels an image may decode to")
    bad_image_tolerance: float = Field(0, ge=0, lt=1, description="share of bad images that may be skipped")
    mixed_channels: Literal["convert", "refuse"] = Field("convert", description="what becomes of grey among colour")
    flip: bool = Field(False, description="training mirrors half of the images, left to right")
    split_by: str = Field(
        "content",
        pattern=r"^(content|near_duplicates|folder|name:.+)$",
        description="what is kept together: equal images, near_duplicates, those of a folder, or those that have one "
        "part of their path below the source in common, name:REGEX (its groups, or all of it)",
    )

    @field_validator("split_by")
    @classmethod
    def _pattern(cls, value: str) -> str:
        if value.startswith("name:"):
            check_pattern(value.removeprefix("name:"))
        return value


class Squares(OfImages):
    """What images that become squares of one size have in common."""

    resolution: int = Field(28, ge=4, le=1024, description="height and width after Transform, pixels")
    fit: Literal["crop", "pad", "extend", "stretch"] = Field(
        "crop",
        description="what makes an image a square: its centre, its edges repeated beside it, these repeated up to the "
        "resolution so that a smaller image is not enlarged, or other proportions",
    )


class Images(Squares):
    """Images, with or without classes, made squares of one size."""

    name: Literal["images"] = "images"
    source: str = Field("digits", description="digits, idx:DIR, folder:DIR, zip:FILE, tar:FILE or tfds:NAME[/CONFIG]")
    channels: Literal[1, 3] = 1
    classes: int = Field(0, ge=0, description="0 for images without labels")

    _source = field_validator("source")(lambda value: of_kind(value, other=("mixture", "stacked")))

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`: [r, r, c]."""
        return (self.resolution, self.resolution, self.channels)


class Stacked(Squares):
    """Three random digits as the colours of one image: 1000 classes. Metz et al. 2017, section 3.3.1."""

    name: Literal["stacked"] = "stacked"
    source: str = Field(description="stacked:SOURCE, of a source of grey digits that are labelled 0 to 9")

    _source = field_validator("source")(lambda value: of_kind(value, only="stacked"))

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
    margin: int | None = Field(
        None,
        gt=0,
        le=256,
        description="pixels beside each edge of a crop that are read, too, for degradations that look there; no image "
        "is smaller than a crop with them",
    )

    _source = field_validator("source")(lambda value: of_kind(value, other=("mixture", "stacked")))

    @property
    def resolution(self) -> int:
        """Height and width of a crop."""
        return self.crop

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`: that of a crop."""
        return (self.crop, self.crop, self.channels)

    @property
    def columns(self) -> tuple[Column, ...]:
        """See `Data`: beside a target with a margin, its surroundings."""
        target, *labels = super().columns
        if not self.margin:
            return (target, *labels)
        side, target = self.crop + 2 * self.margin, target._replace(margin=self.margin)
        around = target._replace(role="surroundings", kind="surroundings", shape=(side, side, self.channels))
        return (target, around, *labels)


def of_kind(source: str, *, only: str = "", other: tuple[str, ...] = ()) -> str:
    """The source, if it is of the kind that a variant of data takes."""
    kind = source.partition(":")[0]
    variants = {"mixture": "points", "stacked": "stacked"}
    if kind in other:
        raise ValueError(f"{source} is for data.name={variants[kind]}, which has fields of its own")
    if only and kind != only:
        raise ValueError(f"the source of {variants[only]} is {only}:NAME; received {source}")
    return source


def check_pattern(value: str) -> str:
    """The text, if it is a regular expression."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"a part of a name is given as a regular expression; received {value!r}: {error}") from None
    return value
