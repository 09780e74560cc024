"""The variants of data: images, pairs, points, and two domains of either."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from models import catalog
from models.config.columns import Column
from models.config.data import Data, OneSource
from models.config.image_variants import Images, Photographs, Stacked, of_kind
from models.config.pair_variants import Pairs, Separated
from models.config.variants import Pick


class Points(OneSource):
    """Points of the plane, drawn from a mixture of Gaussians."""

    column_kind: ClassVar[str] = "point"

    name: Literal["points"] = "points"
    source: str = Field("mixture:ring", description="mixture:ring, mixture:square or mixture:grid")
    classes: int = Field(0, ge=0, description="the number of modes, which are the labels; 0 to do without them")

    @field_validator("source")
    @classmethod
    def _mixture(cls, value: str) -> str:
        catalog.require("mixture", of_kind(value, only="mixture").removeprefix("mixture:"))
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
