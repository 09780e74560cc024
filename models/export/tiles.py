"""Large pictures in tiles, computed one after the other inside the graph: memory is bounded by a tile.

A tile is what a network sees at once. What it gives there is kept but for a margin, as wide as a pixel is decided from,
where the whole picture has pixels that the tile has not. At an edge of the picture there is no margin: a tile ends
there as the picture does, so that it sees the zeros, mirrored or repeated pixels that the whole picture sees.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from models.export.describing import ANY_SIDE, example_name

LARGEST_MAP = 2**26
"""Bytes that the largest map of a network has on a tile; about five of that size are alive at once."""

LARGEST_WHOLE_MAP = 2**30
"""Bytes that it has on a picture that no tiles are made of."""

MOST_PLACES = 2**22
"""Places of a map of what is made: TensorFlow 2.21 ends the process in 9x9 convolutions of 5792 x 5792."""

MOST_MADE = 2**28
"""Pixels of the largest picture that is made: its file is compressed whole."""

Make = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""The rows and columns of a tile, [h] and [w] int32, to what a network makes of it, [scale * h, scale * w, c] uint8."""


@dataclasses.dataclass(frozen=True)
class Tiling:
    """How a network of pictures of any size is asked about a large one.

    Args:
        multiple: what the sides and corners of what it takes are multiples of.
        halo: how far from a pixel lies what decides it; None where the whole picture does, which is then one tile.
        scale: how many times as large the picture is that it makes.
        values: float32 numbers of its largest map, for each pixel that it takes.
        side: of a tile; None for one whose largest map has LARGEST_MAP bytes, and whose answer MOST_PLACES, or for what
            the halo asks for.

    Raises:
        ValueError: the network cannot do with tiles of this side.
    """

    multiple: int = 1
    halo: int | None = None
    scale: int = 1
    values: float = 1
    side: int | None = None

    def __post_init__(self) -> None:
        if self.side is None:
            return
        if self.halo is None:
            raise ValueError(f"a network whose pixels depend on the whole picture has no tiles; received {self.side}")
        if self.side % self.multiple or self.side <= 2 * self.margin:
            raise ValueError(
                f"a tile has a side that is a multiple of {self.multiple}, and more than {2 * self.margin} pixels, as "
                f"a margin of {self.margin} is lost on each side; received {self.side}"
            )

    @property
    def margin(self) -> int:
        """Pixels of a tile that are not kept, beside each edge that is none of the picture."""
        return -(-(self.halo or 0) // self.multiple) * self.multiple

    @property
    def tile(self) -> int | None:
        """The side of a tile; None where there are none."""
        if self.halo is None or self.side is not None:
            return self.side
        fits = math.isqrt(self._most(LARGEST_MAP)) // self.multiple * self.multiple
        # of four margins a quarter is kept, of fewer soon next to nothing
        return max(fits, 4 * self.margin, self.multiple)

    def most_pixels(self, limit: int) -> int:
        """The pixels that a picture may have, of which no more than this limit are taken."""
        whole = limit if self.halo is not None else self._most(LARGEST_WHOLE_MAP)
        return min(limit, whole, MOST_MADE // self.scale**2)

    def _most(self, bytes_: int) -> int:
        """The pixels that are taken at once where the largest map has so many bytes."""
        return min(int(bytes_ / (4 * self.values)), MOST_PLACES // self.scale**2)

    def joined(self, height: tf.Tensor, width: tf.Tensor, make: Make) -> tf.Tensor:
        """Makes a picture tile by tile.

        Args:
            height: of the picture that is taken, an int32 scalar.
            width: likewise.
            make: what the network makes of a tile. Rows and columns of a picture whose sides are no multiples go on
                beyond its end, as its last ones.

        Returns:
            [scale * height, scale * width, c] uint8.
        """
        down, across = self._cut(height), self._cut(width)

        def tile(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
            made = make(down.places(row), across.places(column))
            top, bottom = down.kept(row, self.scale)
            left, right = across.kept(column, self.scale)
            return made[top:bottom, left:right]

        # what is joined is joined along the first axis, so that columns lie there for that moment
        return _one_below_another(
            down.count,
            lambda row: _turned(_one_below_another(across.count, lambda column: _turned(tile(row, column)))),
        )

    def _cut(self, size: tf.Tensor) -> "Cut":
        """Where tiles lie along one axis of a picture."""
        filled = -(-size // self.multiple) * self.multiple
        if self.tile is None:
            return Cut(size, filled, tf.constant(1), filled, 0)
        step = self.tile - 2 * self.margin
        count = 1 + tf.maximum(0, -((self.tile - filled) // step))
        return Cut(size, tf.minimum(filled, self.tile), count, filled, self.margin)


class Cut(NamedTuple):
    """Tiles along one axis of a picture: the first begins at its start, the last ends at its end.

    Attributes:
        size: of the picture, int32 like all of them.
        tile: pixels of each.
        count: how many there are.
        filled: the size, up to the next multiple.
        margin: pixels that are not kept.
    """

    size: tf.Tensor
    tile: tf.Tensor
    count: tf.Tensor
    filled: tf.Tensor
    margin: int

    def places(self, number: tf.Tensor) -> tf.Tensor:
        """The places of the picture that a tile has, [tile]."""
        return tf.minimum(self._start(number) + tf.range(self.tile), self.size - 1)

    def kept(self, number: tf.Tensor, scale: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The first place that is kept of what is made of a tile, and the one after the last."""
        start = self._start(number)
        first = tf.where(number == 0, 0, number * self._step + self.margin)
        end = tf.where(number == self.count - 1, self.size, number * self._step + self.tile - self.margin)
        return (first - start) * scale, (end - start) * scale

    @property
    def _step(self) -> tf.Tensor:
        return self.tile - 2 * self.margin

    def _start(self, number: tf.Tensor) -> tf.Tensor:
        return tf.minimum(number * self._step, self.filled - self.tile)


def values_per_pixel(network: keras.Model, multiple: int) -> float:
    """How many numbers the largest map of a network has, for each pixel of an image of any size that it takes."""
    side = -(-ANY_SIDE // multiple) * multiple
    specs = {name: [1, *(size or side for size in each.shape[1:])] for name, each in network.input.items()}
    taken = {name: tf.TensorSpec(shape, network.input[name].dtype, name) for name, shape in specs.items()}
    graph = tf.function(lambda **inputs: network(inputs, training=False)).get_concrete_function(**taken).graph
    shapes = [output.shape for each in graph.get_operations() for output in each.outputs]
    # weights have no batch of one in front
    maps = [shape for shape in shapes if shape.rank == 4 and shape.is_fully_defined() and shape[0] == 1]
    _, height, width, _ = specs[example_name(judging=False)]
    return max(shape.num_elements() for shape in maps) / (height * width)


def _one_below_another(count: tf.Tensor, make: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Joins what is made for 0 to count - 1, [any, w, c] each, one after the other, along the first axis."""
    pieces = tf.TensorArray(tf.uint8, count, infer_shape=False)
    # two at once would have the memory of two
    _, pieces = tf.while_loop(
        lambda number, _: number < count,
        lambda number, pieces: (number + 1, pieces.write(number, make(number))),
        (tf.constant(0), pieces),
        parallel_iterations=1,
    )
    return pieces.concat()


def _turned(image: tf.Tensor) -> tf.Tensor:
    return tf.transpose(image, [1, 0, 2])
