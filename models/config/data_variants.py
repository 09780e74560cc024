"""The variants of data: squares, photographs, stacked digits, points, pairs, whole or separated, and two domains."""

import re
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
            _check_pattern(value.removeprefix("name:"))
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
    margin: int | None = Field(
        None,
        gt=0,
        le=256,
        description="pixels beside each edge of a crop that are read, too, for degradations that look there; no image "
        "is smaller than a crop with them",
    )

    _source = field_validator("source")(lambda value: _of(value, other=("mixture", "stacked")))

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


class OfPairs(Squares):
    """What pairs of aligned images have in common: what a translator takes, and what it is to make of it.

    The two images of a pair are as large as one another, or in the proportion of the two resolutions. Both are fitted,
    cropped and mirrored alike, as they would not be aligned otherwise.
    """

    source: str = Field(description="folder:DIR, zip:FILE or tar:FILE")
    layout: Literal["folders", "halves"] = Field(
        "folders",
        description="where the images A and B of a pair lie: in two folders, by the same name, or side by side in one "
        "file, A to the left",
    )
    folders: tuple[str, str] = Field(
        ("A", "B"), description="of layout=folders: their names, within the folders of splits or around these"
    )
    direction: Literal["AtoB", "BtoA"] = Field("AtoB", description="AtoB takes A and draws B")
    resolution: int = Field(256, ge=4, le=1024, description="height and width of what is drawn, pixels")
    channels: Literal[1, 3] = Field(3, description="of what is drawn")
    input_resolution: int | None = Field(None, ge=4, le=1024, description="of what is taken; None: as what is drawn")
    input_channels: Literal[1, 3] | None = Field(None, description="of what is taken; None: as what is drawn")
    transfer: str = Field(
        "",
        description="regular expression; pairs in whose path below the source it is found are in the split transfer "
        "alone, a test of what was never seen the like of (evaluation.split=transfer)",
    )

    @field_validator("source")
    @classmethod
    def _files(cls, value: str) -> str:
        if value.partition(":")[0] not in ("folder", "zip", "tar"):
            raise ValueError(f"pairs are files, of folder:DIR, zip:FILE or tar:FILE; received {value}")
        return value

    @field_validator("transfer")
    @classmethod
    def _transfer(cls, value: str) -> str:
        return _check_pattern(value)

    @field_validator("folders")
    @classmethod
    def _two_names(cls, value: tuple[str, str]) -> tuple[str, str]:
        if value[0] == value[1] or not all(value) or "/" in "".join(value):
            raise ValueError(f"the folders of A and of B have two names without a slash; received {list(value)}")
        return value

    @model_validator(mode="after")
    def _of_a_layout(self) -> Self:
        if self.layout == "halves" and "folders" in self.model_fields_set and self.folders != ("A", "B"):
            raise ValueError(f"folders are of layout=folders; received {list(self.folders)} with layout=halves")
        if self.layout == "folders" and self.source.startswith("tar:"):
            raise ValueError(
                f"a tar archive is read from its first to its last file, where the images of a pair lie far apart; "
                f"received {self.source} with layout=folders: unpack it, and name the folder"
            )
        return self

    @property
    def classes(self) -> int:
        """See `Data`: none."""
        return 0

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`: that of what is drawn."""
        return (self.resolution, self.resolution, self.channels)

    @property
    def columns(self) -> tuple[Column, ...]:
        """See `Data`: both, aligned."""
        (target,) = self.columns_as("target", 0)
        side = self.input_resolution or self.resolution
        return (target._replace(role="input", shape=(side, side, self.input_channels or self.channels)), target)

    def read(self) -> Self:
        """See `Data.read`: the proportion of the two images and their depths are read."""
        return self.model_copy(update={name: type(self).model_fields[name].default for name in ("flip", "schema_dir")})


class Pairs(OfPairs):
    """Pairs of aligned images, each of which is trained on as a whole."""

    name: Literal["pairs"] = "pairs"


class Separated(OfPairs):
    """Pairs of which training sees one image each: two domains without pairs, whose partners are known for judging.

    The key that `split_by` names decides by its hash which of the two images a training pair gives, so that the trained
    examples of both domains come from disjoint blocks, people or code points. Held-out pairs are whole.
    """

    name: Literal["separated"] = "separated"

    @property
    def columns(self) -> tuple[Column, ...]:
        """See `Data`: both, in no relation."""
        taken, drawn = super().columns
        return (taken, drawn._replace(group=1))

    @property
    def held_out(self) -> Pairs:
        """See `Data`: whole pairs."""
        return Pairs(**{name: getattr(self, name) for name in Pairs.model_fields if name != "name"})


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
        if any(getattr(domain, "margin", None) for domain in self.domains):
            raise ValueError("a margin is read for degradations, which two domains have none of: leave it out")
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


DATA = Pick("data", "images", Images, Photographs, Stacked, Points, Pairs, Separated, Unpaired)


def _of(source: str, *, only: str = "", other: tuple[str, ...] = ()) -> str:
    """The source, if it is of the kind that a variant of data takes."""
    kind = source.partition(":")[0]
    variants = {"mixture": "points", "stacked": "stacked"}
    if kind in other:
        raise ValueError(f"{source} is for data.name={variants[kind]}, which has fields of its own")
    if only and kind != only:
        raise ValueError(f"the source of {variants[only]} is {only}:NAME; received {source}")
    return source


def _check_pattern(value: str) -> str:
    """The text, if it is a regular expression."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"a part of a name is given as a regular expression; received {value!r}: {error}") from None
    return value
