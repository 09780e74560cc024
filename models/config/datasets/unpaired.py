"""Two domains in no relation: images or points."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.config.datasets.base import Data, OneSource
from models.config.datasets.columns import Column
from models.config.datasets.images import Images, Photographs
from models.config.datasets.points import Points
from models.config.variants import Pick


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
