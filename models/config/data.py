"""Where examples come from, and what a network sees of them."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from models import catalog
from models.config.columns import Column, Role
from models.config.variants import Pick, Variant

Kind = catalog.Kind


class Data(Variant):
    """Examples to draw the like of. A variant has these properties, whatever its fields are.

    Attributes:
        domains: one source each, with its shares and limits; what translates has two.
        kind: what an example to be drawn is, which decides the metrics that it has.
        shape: of such an example as the networks see it: [r, r, c], or [2] for points.
    """

    schema_dir: str | None = Field(None, description="folder of a curated schema.pbtxt; None infers one")

    if TYPE_CHECKING:
        # fields of one variant, computed in another

        @property
        def target(self) -> "OneSource":
            """The domain that is to be drawn."""

        @property
        def source(self) -> str:
            """The source of the first domain."""

        @property
        def classes(self) -> int:
            """Classes of the first domain; 0 where it has no labels."""

        @property
        def resolution(self) -> int:
            """Height and width of an image that is to be drawn, pixels; points have none."""

        @property
        def channels(self) -> int:
            """Channels of such an image; 0 for points."""

    @property
    def domains(self) -> tuple["OneSource", ...]:
        """See the class."""
        raise NotImplementedError(f"{type(self).__name__} says what its domains are")

    @property
    def columns(self) -> tuple[Column, ...]:
        """What an example holds, the groups in the order of `domains`."""
        raise NotImplementedError(f"{type(self).__name__} says what its columns are")

    @property
    def kind(self) -> Kind:
        """See the class."""
        return self.target.kind

    @property
    def target_classes(self) -> int:
        """Classes of what is to be drawn; 0 where it has no labels."""
        group = next(column.group for column in self.columns if column.role == "target")
        return next((each.classes for each in self.columns if (each.role, each.group) == ("label", group)), 0)

    @property
    def shape(self) -> tuple[int, ...]:
        """See the class."""
        return self.target.shape

    @property
    def source_path(self) -> str:
        """The field that holds the source of the first domain."""
        return "data.source"

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of all domains."""
        return tuple(domain.source for domain in self.domains)

    @property
    def points(self) -> bool:
        """True where an example is a point of the plane instead of an image."""
        return self.kind == "points"

    def read(self) -> Self:
        """What ingestion depends on: fields that it does not read stand at their defaults."""
        raise NotImplementedError(f"{type(self).__name__} says what ingestion reads of it")


class OneSource(Data):
    """Examples of one source."""

    if TYPE_CHECKING:
        # of images alone

        @property
        def pixel_limit(self) -> int:
            """Pixels an image may decode to."""

        @property
        def mixed_channels(self) -> str:
            """What becomes of grey images among coloured ones."""

        @property
        def split_by(self) -> str:
            """What is kept on one side."""

    eval_share: float = Field(0.2, gt=0, lt=1, description="share held out where the source has no split")
    choose_share: float = Field(
        0.1, ge=0, lt=1, description="share to choose by (best checkpoint, recipe), of what the source has not split"
    )

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.eval_share + self.choose_share >= 1:
            raise ValueError(
                "eval_share and choose_share leave some examples to train on: their sum is below 1; received "
                f"{self.eval_share:g} and {self.choose_share:g}"
            )
        return self

    @property
    def domains(self) -> tuple["OneSource", ...]:
        """See `Data`: itself."""
        return (self,)

    @property
    def target(self) -> "OneSource":
        """See `Data`: itself."""
        return self

    @property
    def columns(self) -> tuple[Column, ...]:
        """See `Data`: a target and, where it has classes, its label."""
        return self.columns_as("target", 0)

    def columns_as(self, role: Role, group: int) -> tuple[Column, ...]:
        """The columns of this source, where its examples have this role."""
        label = (Column("label", "label", group=group, classes=self.classes),) if self.classes else ()
        return (
            Column(role, "point" if self.points else "image", self.shape, group, fit=getattr(self, "fit", "crop")),
            *label,
        )

    def read(self) -> Self:
        """See `Data.read`."""
        unread = [name for name in ("resolution", "channels", "fit", "schema_dir") if name in type(self).model_fields]
        return self.model_copy(update={name: type(self).model_fields[name].default for name in unread})


class OfImages(OneSource):
    """What sources of images have in common."""

    pixel_limit: int = Field(64_000_000, gt=0, description="pixels an image may decode to")
    bad_image_tolerance: float = Field(0, ge=0, lt=1, description="share of bad images that may be skipped")
    mixed_channels: Literal["convert", "refuse"] = Field("convert", description="what becomes of grey among colour")
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
    def kind(self) -> Kind:
        """See `Data`."""
        return "images"

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
    def kind(self) -> Kind:
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

    name: Literal["photographs"] = "photographs"
    source: str = Field(description="folder:DIR, zip:FILE, tar:FILE, idx:DIR, digits or tfds:NAME[/CONFIG]")
    channels: Literal[1, 3] = 3
    classes: int = Field(0, ge=0, description="0 for images without labels")
    crop: int = Field(96, ge=8, le=1024, description="height and width of a crop, pixels; no image is smaller")

    _source = field_validator("source")(lambda value: _of(value, other=("mixture", "stacked")))

    @property
    def kind(self) -> Kind:
        """See `Data`."""
        return "images"

    @property
    def resolution(self) -> int:
        """Of a crop."""
        return self.crop

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`: that of a crop."""
        return (self.crop, self.crop, self.channels)

    def columns_as(self, role: Role, group: int) -> tuple[Column, ...]:
        """See `OneSource`."""
        _, *label = super().columns_as(role, group)
        return (Column(role, "photograph", self.shape, group), *label)


class Points(OneSource):
    """Points of the plane, drawn from a mixture of Gaussians."""

    name: Literal["points"] = "points"
    source: str = Field("mixture:ring", description="mixture:ring, mixture:square or mixture:grid")
    classes: int = Field(0, ge=0, description="the number of modes, which are the labels; 0 to do without them")

    @field_validator("source")
    @classmethod
    def _mixture(cls, value: str) -> str:
        catalog.require("mixture", _of(value, only="mixture").removeprefix("mixture:"))
        return value

    @property
    def kind(self) -> Kind:
        """See `Data`."""
        return "points"

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
