"""A loss in the features of a pretrained network."""

from typing import Self

from pydantic import Field, model_validator

from models import catalog
from models.config.frozen import Frozen


class Content(Frozen):
    """A loss in the features of a pretrained network, which then judges nothing of this experiment."""

    weight: float = Field(gt=0, description="of the squared distance of the layer's maps")
    network: str = Field("squeezenet", description="a pretrained network with layers: squeezenet")
    layer: str = Field("fire5", description="whose maps are compared: conv1, or fire2 to fire9")
    file: str | None = Field(
        None, description="file of the network's weights; without one, that of `ganworks fetch squeezenet`"
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="of that file; without one, that of the fetched file"
    )

    @property
    def digest(self) -> str:
        """The SHA-256 of the file of weights."""
        return self.sha256 or catalog.EXTRACTORS[self.network].sha256

    @model_validator(mode="after")
    def _in_the_catalog(self) -> Self:
        catalog.require("content network", self.network)
        layers = catalog.EXTRACTORS[self.network].layers
        if self.layer not in layers:
            raise ValueError(f"{self.layer} is no layer of {self.network}{catalog.near_misses(self.layer, layers)}")
        return self
