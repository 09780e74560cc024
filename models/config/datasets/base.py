"""Where examples come from, and what a network sees of them."""

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from models.config.datasets.columns import Column, Role
from models.config.variants import Variant

KINDS = {"image": "images", "photograph": "images", "point": "points"}
"""A kind of column -> the kind of data, by which the catalog says which metrics there are."""


class Data(Variant):
    """Examples to draw the like of. A variant has these properties, whatever its fields are.

    Attributes:
        domains: one source each, with its shares and limits; what translates has two.
        kind: what an example to be drawn is, which decides the metrics that it has: `images`, `stacked`, `points`, or
            the column kind of a user's own.
        shape: of such an example as the networks see it: [r, r, c], [2] for points, or another.
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
        """What an example of the training holds, the groups in the order of `domains`."""
        raise NotImplementedError(f"{type(self).__name__} says what its columns are")

    @property
    def held_out(self) -> "Data":
        """What rows outside of training hold, as data of their own: itself, unless training has less of each."""
        return self

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns of all rows: those of training and, where held-out rows have others, these as further groups."""
        held_out = self.held_out
        if held_out is self:
            return self.columns
        further = 1 + max(column.group for column in self.columns)
        return (*self.columns, *(each._replace(group=further + each.group) for each in held_out.columns))

    @property
    def kind(self) -> str:
        """See the class."""
        return self.target.kind

    @property
    def drawn(self) -> Column:
        """The column of what is to be drawn."""
        return next(column for column in self.columns if column.role == "target")

    @property
    def images(self) -> bool:
        """True where an example is an image."""
        return self.kind in ("images", "stacked")

    @property
    def depth(self) -> int:
        """Channels of an image that is to be drawn; 0 where examples are none."""
        return self.shape[-1] if self.images else 0

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
    """Examples of one source.

    A variant of the user's own has the fields or properties `source`, `classes` and `shape`, and says in
    `implementation` which `components.example_gen.sources.source.Source` reads it: this is given the text of `source`.

    Attributes:
        column_kind: the kind of column that an example is: of the catalog, or `package.module:Kind`.
    """

    column_kind: ClassVar[str] = "image"

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
    def kind(self) -> str:
        """See `Data`: what the kind of column is, in the words of the metrics."""
        return KINDS.get(self.column_kind, self.column_kind)

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Data`."""
        raise NotImplementedError(f"{type(self).__name__} says what the shape of an example is")

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
        how = {name: getattr(self, name) for name in ("fit", "flip") if name in type(self).model_fields}
        return (Column(role, self.column_kind, self.shape, group, **how), *label)

    def read(self) -> Self:
        """See `Data.read`."""
        unread = [
            name for name in ("resolution", "channels", "fit", "flip", "schema_dir") if name in type(self).model_fields
        ]
        return self.model_copy(update={name: type(self).model_fields[name].default for name in unread})
