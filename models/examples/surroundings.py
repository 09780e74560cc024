"""The kind of column that shows what lies around the targets, in the photographs that they are cut from."""

from typing import Any

from models.columns import Photograph, Stored, Value
from models.config import Column
from models.examples.paged import Paged


class Surroundings(Photograph):
    """Crops of photographs with a margin around them, at the places where those of the targets are cut."""

    seen_in = "target"

    def ingested(self, column: Column) -> dict[str, Stored]:
        """See `Kind`: nothing, they are those of the targets."""
        return {}

    def features(self, column: Column, value: Any) -> dict[str, Value]:
        """See `Kind`: none."""
        return {}

    def seen(self, held: Paged) -> Paged:
        """See `Kind`."""
        return held.around()
