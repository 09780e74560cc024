"""Points of a Gaussian mixture, drawn anew by every run and the same in each."""

import hashlib
from collections.abc import Iterator

from components.example_gen.sources.source import EVAL, TRAINED, Point, Shard, Source
from models import mixtures
from models.config import OneSource

COUNTS = {TRAINED: 100_000, (EVAL,): 10_000}
SHARD_POINTS = 10_000


class Points(Source):
    """`mixture:NAME`: 100,000 points to train on and to choose by, and 10,000 held out; a label is the mode's index."""

    channels = 0

    def __init__(self, argument: str) -> None:
        self.name = argument

    def check(self) -> None:
        """Raises ValueError where there is no mixture of this name."""
        mixtures.of_source(self.name)

    def shards(self) -> Iterator[Shard]:
        """The seeds of equal parts: what is held out has its own."""
        for number, (sides, count) in enumerate(COUNTS.items()):
            for part in range(count // SHARD_POINTS):
                yield Shard(sides=sides, part=(number, part))

    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Point]:
        """The points of a seed."""
        points, modes = mixtures.sample(mixtures.of_source(self.name), SHARD_POINTS, shard.part)
        for point, mode in zip(points, modes, strict=True):
            x, y = point.tolist()
            yield Point((x, y), hashlib.sha256(point.tobytes()).digest(), int(mode))

    def fingerprint(self) -> str:
        """Always the same: the points follow from the code."""
        return "1"

    def classes(self) -> list[str]:
        """Where each mode is."""
        # + 0 makes a 0 of -0
        return [f"({x:g}, {y:g})" for x, y in mixtures.of_source(self.name).centres.round(3) + 0]
