"""The variants of data that are aligned images: pairs, whole or separated."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from models.config.datasets.columns import Column
from models.config.datasets.images import Squares, check_pattern


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
        return check_pattern(value)

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
