"""The handwritten digits that ship in scikit-learn: 1,797 grey images of 8 x 8, from UCI's optical recognition set."""

import importlib.metadata
from collections.abc import Iterator

import numpy as np

from components.example_gen.images import Picture, pictures
from components.example_gen.sources.source import SPLITS, Shard, Source
from models.config import OneSource


class Digits(Source):
    """`digits`: labels 0 to 9; values 0..16 become 0..255."""

    channels = 1
    numbered = True

    def __init__(self, argument: str) -> None:
        pass

    def check(self) -> None:
        """The data is part of an installed package."""

    def shards(self) -> Iterator[Shard]:
        """One: it is all in memory at once anyway."""
        yield Shard(sides=SPLITS, part=None)

    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Picture]:
        """All digits."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
        yield from pictures(pixels[..., np.newaxis], digits.target.astype(np.int64))

    def fingerprint(self) -> str:
        """The version of the package that carries them."""
        return importlib.metadata.version("scikit-learn")

    def classes(self) -> list[str]:
        """The digits."""
        return [str(digit) for digit in range(10)]
