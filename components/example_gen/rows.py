"""The columns that a row of the examples holds, by its domain, its split and its key."""

from typing import NamedTuple

from components.example_gen.sources.source import TRAIN
from models.config import Column, Data, groups_of


class Rows(NamedTuple):
    """The groups of columns that rows of a domain may be of.

    Attributes:
        trained: number -> columns, of training rows; of several, an example is of one alone.
        held_out: likewise of the others.
        several: whether rows say which they are of.
    """

    trained: dict[int, tuple[Column, ...]]
    held_out: dict[int, tuple[Column, ...]]
    several: bool

    @classmethod
    def of(cls, data: Data, domain: int) -> "Rows":
        """Those of a domain: with several domains, each has a group."""
        stored = dict(enumerate(groups_of(data.all_columns)))
        if len(data.domains) > 1:
            mine = {domain: stored[domain]}
            return cls(mine, mine, True)
        of_training = len(groups_of(data.columns))
        trained = {number: columns for number, columns in stored.items() if number < of_training}
        further = {number: columns for number, columns in stored.items() if number >= of_training}
        return cls(trained, further or trained, len(stored) > 1)

    @property
    def listed(self) -> tuple[Column, ...]:
        """All columns that there are."""
        return tuple(column for columns in self.trained.values() for column in columns)

    def row(self, key: bytes, side: str) -> tuple[tuple[Column, ...], int | None]:
        """What a row holds, and the number of its group where there are several.

        Args:
            key: of the example; its last byte decides among groups, its first ones have decided the split.
            side: its split.
        """
        groups = list((self.trained if side == TRAIN else self.held_out).items())
        number, columns = groups[key[-1] % len(groups)] if len(groups) > 1 else groups[0]
        return columns, number if self.several else None
