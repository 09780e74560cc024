"""What a report shows of examples, taken while they are at hand: small arrays that are kept with the figures."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from components.gan_evaluator.measuring.metrics import Population
from models.columns import Kind, kind_of
from models.config import Data
from models.metrics.distances import nearest

CLASSES_SHOWN = 20
IMAGES_A_ROW = 8
ROWS_UNLABELLED = 6
NEIGHBOURS = 12
DOTS = 1_500

Rows = tuple[tuple[np.ndarray, ...], ...]
"""Images side by side: of each row its columns, [n, h, w, c]."""


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Examples to show. Images are uint8 [n, h, w, c]; of another kind they are pictures of examples.

    Attributes:
        first: the first generated images, in their order.
        rows: what the task shows side by side, such as real and generated images, of one class each where there are
            classes.
        classes: the class of each row; None without.
        real_dots: [n, 2] real points, or features of real images in the plane in which these vary most.
        fake_dots: likewise of generated ones.
        reach: the coordinate up to which the dots are drawn.
        neighbours: of the first of `first`, the training images that are nearest in pixels, or in the values.
        distances: [n] float32, root mean square distances to `neighbours`; of images 0 to 255.
        ways: interpolations, [ways, steps, r, r, c]; None where there is no generator to ask.
        extremes: like two of `rows`, of the outputs that are nearest to the truth and of those farthest from it; empty
            where there is no truth.
    """

    first: np.ndarray
    rows: Rows
    classes: np.ndarray | None
    real_dots: np.ndarray
    fake_dots: np.ndarray
    reach: float
    neighbours: np.ndarray
    distances: np.ndarray
    ways: np.ndarray | None = None
    extremes: Rows = ()

    def arrays(self) -> dict[str, np.ndarray]:
        """All of them by name; `of` takes them back."""
        found = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        found["reach"] = np.array(self.reach)
        for what in _ROWS:
            for number, row in enumerate(getattr(self, what)):
                found |= {f"{what}_{number}_{column}": images for column, images in enumerate(row)}
        return found

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Takes back what `arrays` gave. Raises KeyError or TypeError where something is missing or strange."""
        plain = {name: value for name, value in arrays.items() if name.partition("_")[0] not in _ROWS}
        rows = {what: _rows_of(what, arrays) for what in _ROWS}
        return cls(**{"classes": None, **plain, "reach": float(plain["reach"]), **rows})  # type: ignore[arg-type]


_ROWS = ("rows", "extremes")
"""Fields that are `Rows`."""


def _rows_of(what: str, arrays: Mapping[str, np.ndarray]) -> Rows:
    """The arrays WHAT_ROW_COLUMN, row by row."""
    places = sorted(tuple(map(int, name.split("_")[1:])) for name in arrays if name.startswith(f"{what}_"))
    return tuple(
        tuple(arrays[f"{what}_{number}_{column}"] for at, column in places if at == number)
        for number in sorted({number for number, _ in places})
    )


def take_pictures(
    real: Population,
    fake: Population,
    train: np.ndarray,
    ways: np.ndarray | None,
    data: Data,
    true: Population | None = None,
) -> Pictures:
    """Takes what is shown of a measurement.

    Args:
        real: held-out examples.
        fake: generated ones.
        train: training examples, [n, ...].
        ways: see `Pictures`; as examples are held.
        data: what they are.
        true: what each of `fake` ought to be; None where nothing says so.
    """
    largest, kind = float(np.abs(real.examples).max()), kind_of(data.drawn)
    if kind.dots:
        reach = 1.25 * largest
        none = fake.examples[:0]
        dots = (real.examples[:DOTS], fake.examples[:DOTS], reach)
        return Pictures(none, (), None, *dots, neighbours=none, distances=none[:, 0])
    first = fake.examples[: ROWS_UNLABELLED * IMAGES_A_ROW]
    extremes: Rows = ()
    if fake.inputs is not None:
        starts = range(0, min(ROWS_UNLABELLED * IMAGES_A_ROW, fake.count), IMAGES_A_ROW)
        classes, rows = (
            None,
            _chains([np.arange(fake.count)[start : start + IMAGES_A_ROW] for start in starts], kind, fake, true),
        )
        extremes = _chains(_nearest_and_farthest(fake, true), kind, fake, true) if true else ()
    else:
        classes, rows = _rows(real, fake)
    neighbours, distances = _neighbours(first[:NEIGHBOURS], train)
    show = functools.partial(kind.pictures, reach=largest)
    return Pictures(
        show(first),
        tuple(tuple(map(show, row)) for row in rows),
        classes,
        *_features(real, fake),
        neighbours=show(neighbours),
        distances=distances,
        ways=None if ways is None else np.stack([show(way) for way in ways]),
        extremes=tuple(tuple(map(show, row)) for row in extremes),
    )


def _chains(rows: Sequence[np.ndarray], kind: Kind, fake: Population, true: Population | None) -> Rows:
    """Inputs, what was made of them and, where there is one, the truth: a row for each array of their numbers."""
    assert fake.inputs is not None
    return tuple(
        (kind.made(fake.inputs[row]), fake.examples[row], *([true.examples[row]] if true else [])) for row in rows
    )


def _nearest_and_farthest(fake: Population, true: Population) -> list[np.ndarray]:
    """The numbers of the outputs nearest to the truth in squared error, and of those farthest, the extremes first."""
    errors = [
        np.mean((made.astype(np.float32) - truth) ** 2)
        for made, truth in zip(fake.examples, true.examples, strict=True)
    ]
    order = np.argsort(errors, kind="stable")
    count = min(IMAGES_A_ROW, len(order) // 2)
    return [order[:count], order[::-1][:count]] if count else []


def _rows(real: Population, fake: Population) -> tuple[np.ndarray | None, Rows]:
    """The classes of the rows and their images; rows as they come where the generator takes no classes."""
    if fake.labels is None or real.labels is None:
        parts = [slice(start, start + IMAGES_A_ROW) for start in range(0, ROWS_UNLABELLED * IMAGES_A_ROW, IMAGES_A_ROW)]
        pairs = [(real.examples[part], fake.examples[part]) for part in parts]
        return None, tuple(pair for pair in pairs if all(map(len, pair)))
    found = {}
    for label in np.unique(real.labels)[:CLASSES_SHOWN]:
        left, right = (side.examples[side.labels == label][:IMAGES_A_ROW] for side in (real, fake))
        if len(left) and len(right):
            found[int(label)] = (left, right)
    return np.array(list(found), np.int64), tuple(found.values())


def _features(real: Population, fake: Population) -> tuple[np.ndarray, np.ndarray, float]:
    """The dots of both in the plane in which the real features vary most, and their reach."""
    mean = real.features.mean(axis=0)
    axes = np.linalg.eigh(np.cov(real.features - mean, rowvar=False))[1][:, -2:]
    left, right = ((side.features[:DOTS] - mean) @ axes for side in (real, fake))
    return left, right, 1.25 * float(np.abs(left).max())


def _neighbours(samples: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The training image that is nearest to each sample in pixels, and how far it is."""
    rows = samples.reshape(len(samples), -1).astype(np.float32)
    best, least = np.zeros(len(samples), np.int64), np.full(len(samples), np.inf, np.float32)
    for start in range(0, len(train), 2_000):
        block = train[start : start + 2_000]
        index, distance = nearest(rows, block.reshape(len(block), -1).astype(np.float32))
        nearer = distance < least
        best[nearer], least[nearer] = index[nearer] + start, distance[nearer]
    return train[best], np.sqrt(least / rows.shape[1])
