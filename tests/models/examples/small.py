"""Examples of a few numbers, and columns of points that belong together or do not."""

import numpy as np

from models.config import Column, Points, Unpaired
from models.examples.arrays import Arrays

ARRAYS = Arrays.aligned(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1), np.arange(10))
RING_AND_GRID = Unpaired(input=Points(source="mixture:ring", classes=8), target=Points(source="mixture:grid"))


class Pairs(Points):
    """Points that are translated, each with the one to draw and a label of the two."""

    classes: int = 8

    @property
    def columns(self):
        return (Column("input", "point", self.shape), *self.columns_as("target", 0))
