"""Finds out whether two folders of images, which look like two classes, are the two sides of pairs."""

import collections
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.new import looking, pixels
from pipeline.new.looking import Look

LEAST = 20
"""Pairs of the sample by which it is decided."""
SURE = 5
"""Standard errors by which partners have to be more alike than strangers."""


class Pairing(NamedTuple):
    """Two folders whose files of one name are aligned.

    Attributes:
        folders: their names.
        partners: numbers of the two images of each pair, in the look.
    """

    folders: tuple[str, str]
    partners: list[tuple[int, int]]

    def known(self, look: Look) -> tuple[pixels.Pixels, pixels.Pixels]:
        """Pairs whose two images are of the sample, [n, 64, 64, 3] uint8 each."""
        small = {each.number: each.small for each in look.sample}
        both = [(small[a], small[b]) for a, b in self.partners if a in small and b in small]
        one, other = zip(*both, strict=True) if both else ((), ())
        return np.asarray(one), np.asarray(other)


def find(look: Look) -> Pairing | None:
    """Pairs have one name and one size, and edges in the same places; two classes have names and sizes in common alone.

    Returns:
        None where the images are no pairs, or too few to tell.
    """
    numbers = _by_folder(look)
    if len(numbers) != 2:
        return None
    (one, first), (other, second) = sorted(numbers.items())
    if first.keys() != second.keys():
        return None
    paired = Pairing((one, other), [(first[name], second[name]) for name in sorted(first)])
    if any(_size(look, a) != _size(look, b) for a, b in paired.partners):
        return None
    sides = paired.known(look)
    if len(sides[0]) < LEAST:
        return None
    return paired if _aligned(*map(pixels.edges, sides)) else None


def _by_folder(look: Look) -> dict[str, dict[str, int]]:
    """The innermost folder of images -> what else their path is, without the ending -> number in the look."""
    found: dict[str, dict[str, int]] = collections.defaultdict(dict)
    for number, name in enumerate(looking.names(look, list(range(len(look.seen))))):
        path = PurePosixPath(name)
        found[path.parent.name][str(path.parent.parent / path.stem)] = number
    return found


def _size(look: Look, number: int) -> tuple[int, int]:
    return look.seen[number].side, look.seen[number].longer


def _aligned(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> bool:
    """True where rows of both, standardised, go together more than each with the next row of the other."""
    more = (one * other).mean(axis=1) - (one * np.roll(other, 1, axis=0)).mean(axis=1)
    return bool(more.mean() > SURE * more.std() / np.sqrt(len(more)))
