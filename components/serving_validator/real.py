"""Real examples to ask a model with: what it was made to take, and what it was made to draw."""

import dataclasses
from collections.abc import Sequence
from typing import Self

import numpy as np
import tensorflow as tf

from models.config import Experiment, Restoration
from models.data import Arrays, read_examples, scaled
from models.degradations import degrade
from models.randomness import key


@dataclasses.dataclass(frozen=True)
class Real:
    """Real examples, as they are served.

    Attributes:
        input: what the model is made to take, [n, h, w, c] float32 in [0, 1] or [n, 2] points; None of one that is
            driven by noise.
        target: examples like those that it is made to draw, likewise.
        label: the classes of the input where there is one, else of the target, [n] int64; None where there are none.
    """

    input: np.ndarray | None
    target: np.ndarray
    label: np.ndarray | None

    @classmethod
    def read(cls, patterns: Sequence[str], experiment: Experiment) -> Self:
        """Reads a split of transformed examples; a restorer's input is degraded as in its training.

        Args:
            patterns: of TFRecord files, here or in a bucket.
            experiment: made the model.

        Raises:
            ValueError: as `models.data.read_examples`.
        """
        return cls.of(read_examples(patterns, experiment.data), experiment)

    @classmethod
    def of(cls, arrays: Arrays, experiment: Experiment, most: int = 100) -> Self:
        """The first ones of a split; see `read`."""
        first = scaled(arrays.examples[:most])
        points, scheme = experiment.data.points, experiment.scheme
        label = None if arrays.labels is None else arrays.labels[:most]
        if arrays.unpaired is not None:
            return cls(_served(first, points), _served(scaled(arrays.unpaired[:most]), points), label)
        if isinstance(scheme, Restoration):
            degraded = degrade(tf.constant(first), scheme.degradations, key(0, 0, "degradation")).numpy()
            return cls(_served(degraded, points), _served(first, points), label)
        return cls(None, _served(first, points), label)


def _served(x: np.ndarray, points: bool) -> np.ndarray:
    """Examples in the networks' range as they are served."""
    return x if points else ((x + 1) / 2).clip(0, 1).astype(np.float32)
