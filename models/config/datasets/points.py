"""The variant of data that is points of the plane."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from models import catalog
from models.config.datasets.base import OneSource
from models.config.datasets.images import of_kind


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
