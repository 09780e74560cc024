"""How columns of each kind are stored in tf.Examples, read into arrays, and shown to networks.

Ingestion, the rules of validation, `preprocessing_fn`, `Arrays`, the batches and the evaluator all ask here, and know
no kind by name. A kind has one class and one line in the catalog; a user's own is named `package.module:Kind`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from models import pixels
from models.catalog import lookup
from models.config import Column
from models.examples import plots
from models.examples.paged import Paged

Value = bytes | int | float | Sequence[float]

GROUP = "group"
"""The feature that says to which group a row belongs, where there are several."""


class Stored(NamedTuple):
    """What a feature of a tf.Example is.

    Attributes:
        type: of its values.
        size: how many there are.
        low: the smallest that is allowed; None for any.
        high: the largest.
        content: what the bytes are, for statistics.
    """

    type: Literal["bytes", "int", "float"]
    size: int = 1
    low: int | None = None
    high: int | None = None
    content: Literal["", "image", "text"] = ""

    def spec(self) -> tf.io.FixedLenFeature:
        """How TensorFlow parses it: one value is a scalar."""
        kinds = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}
        return tf.io.FixedLenFeature([] if self.size == 1 else [self.size], kinds[self.type])


class Kind:
    """A kind of column; a subclass says what is special.

    A value has three forms: it is *held* in arrays, *scaled* for networks, and *served* to clients.

    Attributes:
        dtype: of the arrays that examples are held in; uint8 is for pictures, [height, width, channels].
        served: what a tensor of this kind is called in a signature, in the singular.
        range: the lowest and the highest value that is served; None where there is no bound.
        dots: whether examples are points of the plane, many of which make one picture; others have one each.
        any_size: whether values are of sizes of their own, and kept whole: networks see cuts, and take any size.
        seen_in: the role of the column in whose values these are seen; such a column is stored nowhere.
    """

    dtype: ClassVar[type] = np.float32
    served: ClassVar[str] = "value"
    range: ClassVar[tuple[float, float] | None] = None
    dots: ClassVar[bool] = False
    any_size: ClassVar[bool] = False
    seen_in: ClassVar[str] = ""

    @property
    def is_picture(self) -> bool:
        """True where an example is a picture, held in pixels."""
        return self.dtype is np.uint8

    def ingested(self, column: Column) -> dict[str, Stored]:
        """The features of an example as ingestion writes it."""
        raise NotImplementedError(f"{type(self).__name__} says what is stored")

    def features(self, column: Column, value: Any) -> dict[str, Value]:
        """The values of these features, of what a source gave for the column."""
        raise NotImplementedError(f"{type(self).__name__} says how a value is stored")

    def transformed(self, column: Column) -> Stored:
        """The one feature, named by the role, that Transform makes of them."""
        raise NotImplementedError(f"{type(self).__name__} says what Transform leaves")

    def transform(self, column: Column, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """What Transform does, in the graph: features [batch] or [batch, size] -> [batch, size]."""
        raise NotImplementedError(f"{type(self).__name__} says what Transform does")

    def decode(self, column: Column, stored: tf.Tensor) -> tf.Tensor:
        """One transformed feature as an array of `dtype`, in the graph."""
        return stored

    def held(self, column: Column, count: int) -> Any:
        """What holds so many decoded values; None for an array of the column's shape."""
        return None

    def seen(self, held: Any) -> Any:
        """What is seen in what holds the column `seen_in`."""
        raise NotImplementedError(f"{type(self).__name__} says how its values are seen in others")

    def taken(self, column: Column, held: Any, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The values of these rows for a batch.

        Args:
            column: whose they are.
            held: an array, or what `held` gave.
            rows: [draws, batch] int.
            places: [draws, batch, 3] in [0, 1), drawn for each row: how far down and to the right it is cut, and
                whether it is mirrored. Columns of one group have the same.
        """
        return np.asarray(held[rows])

    def scaled(self, column: Column, values: Any) -> Any:
        """A batch, a tensor or an array, as networks take it."""
        return values

    def inside(self, served: Any) -> Any:
        """What is served, a tensor or an array, as networks take it: float32."""
        return served

    def outside(self, scaled: Any) -> Any:
        """What a network gives, a tensor or an array, as it is served: float32."""
        return scaled

    def shown(self, held: np.ndarray) -> np.ndarray:
        """What is held, as it is served: float32."""
        return np.asarray(held, np.float32)

    def held_as(self, served: np.ndarray) -> np.ndarray:
        """What was served, as it is held."""
        return served.astype(self.dtype)

    def made(self, scaled: np.ndarray) -> np.ndarray:
        """What a network gave or took, as it is held."""
        return self.held_as(np.asarray(self.outside(scaled), np.float32))

    def compared(self, values: Any) -> Any:
        """What a distance is taken of, where examples are judged by their features or looked at: [n, d].

        Args:
            values: [n, ...], a tensor as it is served, or an array as networks take it.
        """
        return tf.reshape(values, [-1, math.prod(values.shape[1:])])

    def pictures(self, held: np.ndarray, reach: float) -> np.ndarray:
        """Pictures of examples, for reports and grids.

        Args:
            held: [n, ...].
            reach: the largest absolute value of real examples.

        Returns:
            [n, height, width, channels] uint8, 1 or 3 channels.
        """
        return plots.curves(self.shown(held), 1.25 * reach or 1.0)

    def words(self, column: Column) -> str:
        """What the examples are, in the plural."""
        return f"examples of the shape {' x '.join(map(str, column.shape))}"


class Image(Kind):
    """Pictures: PNG or JPEG in ingested examples, PNG of one size in transformed ones, uint8 in arrays."""

    dtype = np.uint8
    served = "image"
    range = (0.0, 1.0)

    def ingested(self, column: Column) -> dict[str, Stored]:
        """See `Kind`."""
        stored = {
            "encoded": Stored("bytes", content="image"),
            "height": Stored("int", low=1),
            "width": Stored("int", low=1),
            "channels": Stored("int", low=1, high=3),
        }
        return {f"{column.role}/{name}": each for name, each in stored.items()}

    def features(self, column: Column, value: Any) -> dict[str, Value]:
        """See `Kind`; the value is a `Picture`."""
        names = ("encoded", "height", "width", "channels")
        return {f"{column.role}/{name}": getattr(value, name) for name in names}

    def transformed(self, column: Column) -> Stored:
        """See `Kind`."""
        return Stored("bytes")

    def transform(self, column: Column, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Kind`: cut and resized to the column's shape, with its channels."""
        side, _, channels = column.shape
        encoded = tf.map_fn(
            lambda content: tf.io.encode_png(pixels.fit(pixels.decode(content, channels), side, column.fit)),
            tf.reshape(features[f"{column.role}/encoded"], [-1]),
            fn_output_signature=tf.string,
            parallel_iterations=16,
        )
        return encoded[:, tf.newaxis]

    def decode(self, column: Column, stored: tf.Tensor) -> tf.Tensor:
        """See `Kind`."""
        return tf.io.decode_png(stored, channels=column.shape[-1])

    def taken(self, column: Column, held: Any, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """See `Kind`: mirrored where the column wants it and the draw says so."""
        values = self.cut(held, rows, places)
        if not column.flip:
            return values
        mirrored = places[..., 2, np.newaxis, np.newaxis, np.newaxis] < 0.5
        return np.where(mirrored, values[..., ::-1, :], values)

    def cut(self, held: Any, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The pictures of these rows, in the size that networks see."""
        return np.asarray(held[rows])

    def scaled(self, column: Column, values: Any) -> Any:
        """See `Kind`: in [-1, 1]."""
        return pixels.scaled(values)

    def inside(self, served: Any) -> Any:
        """See `Kind`: of [0, 1]."""
        return served * 2 - 1

    def outside(self, scaled: Any) -> Any:
        """See `Kind`: in [0, 1]; what a network gives beyond its range is black or white."""
        return pixels.within((scaled + 1) / 2, 0, 1)

    def shown(self, held: np.ndarray) -> np.ndarray:
        """See `Kind`: in [0, 1]."""
        return held.astype(np.float32) / 255

    def held_as(self, served: np.ndarray) -> np.ndarray:
        """See `Kind`: rounded as a served picture is."""
        return np.rint(served.clip(0, 1) * 255).astype(np.uint8)

    def made(self, scaled: np.ndarray) -> np.ndarray:
        """See `Kind`: rounded to the nearest."""
        return pixels.to_bytes(scaled)

    def compared(self, values: Any) -> Any:
        """See `Kind`: as they are, since their features are those of a network."""
        return values

    def pictures(self, held: np.ndarray, reach: float) -> np.ndarray:
        """See `Kind`: themselves."""
        return held

    def words(self, column: Column) -> str:
        """See `Kind`."""
        return f"images of {' x '.join(map(str, column.shape))}"


class Photograph(Image):
    """Pictures of any size, kept whole; networks see crops, which are drawn anew for each row of each batch."""

    any_size = True

    def transform(self, column: Column, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Kind`: nothing, as what is decoded here would only be encoded again."""
        return tf.reshape(features[f"{column.role}/encoded"], [-1, 1])

    def decode(self, column: Column, stored: tf.Tensor) -> tf.Tensor:
        """See `Kind`: the whole picture, in the column's channels."""
        return pixels.decode(stored, column.shape[-1])

    def held(self, column: Column, count: int) -> Paged:
        """See `Kind`."""
        return Paged(column.shape[0], column.shape[-1], margin=column.margin)

    def cut(self, held: Paged, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """See `Image`: a crop of each."""
        return held.crops(rows, places)


class Point(Kind):
    """Points of the plane."""

    served = "point"
    dots = True

    def ingested(self, column: Column) -> dict[str, Stored]:
        """See `Kind`."""
        return {f"{column.role}/point": Stored("float", size=column.shape[0])}

    def features(self, column: Column, value: Any) -> dict[str, Value]:
        """See `Kind`; the value is a `Point` of a source."""
        return {f"{column.role}/point": value.coordinates}

    def transformed(self, column: Column) -> Stored:
        """See `Kind`."""
        return Stored("float", size=column.shape[0])

    def transform(self, column: Column, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Kind`: nothing."""
        return tf.reshape(features[f"{column.role}/point"], [-1, column.shape[0]])

    def words(self, column: Column) -> str:
        """See `Kind`."""
        return "points"


class Label(Kind):
    """Classes, 0 to `classes` - 1."""

    dtype = np.int64
    served = "label"

    def ingested(self, column: Column) -> dict[str, Stored]:
        """See `Kind`."""
        return {column.role: Stored("int", low=0, high=column.classes - 1)}

    def features(self, column: Column, value: Any) -> dict[str, Value]:
        """See `Kind`; the value is an int."""
        return {column.role: value}

    def transformed(self, column: Column) -> Stored:
        """See `Kind`."""
        return Stored("int")

    def transform(self, column: Column, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Kind`: nothing."""
        return tf.reshape(features[column.role], [-1, 1])


@tf.autograph.experimental.do_not_convert  # a look-up is no graph
def kind_of(column: Column) -> Kind:
    """What knows a column's kind. Raises ValueError where the catalog has none of this name, or it cannot be had."""
    made: Kind = lookup("column kind", column.kind)()
    return made


def stored(columns: Sequence[Column]) -> list[Column]:
    """The columns that examples have in files; others are seen in them."""
    return [column for column in columns if not kind_of(column).seen_in]


def ingested(columns: Sequence[Column]) -> dict[str, Stored]:
    """All features of rows of these columns, as ingestion writes them."""
    return {name: each for column in columns for name, each in kind_of(column).ingested(column).items()}
