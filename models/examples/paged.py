"""Images of any sizes, decoded once into a file: crops are read from it, so that memory does not grow with them."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

BAND_BYTES = 2**20
"""Rows of an image up to this size are read in one go, with what lies beside the crop; larger ones row by row."""


class Paged:
    """A column of images, each [height, width, channels] uint8 with sides of at least `side`.

    Indexed by rows it gives their centred crops, as an array of squares would; `crops` gives any others. What is read
    goes by way of the system's page cache: the process holds what it was given and no more.

    Args:
        side: height and width of a crop, pixels.
        margin: pixels beside each edge of a crop, which every image has too; see `around`.
        channels: of every image.
        order: rows of `images` in the order that this has; None for theirs.
        images: whose file is shared; None for a new one.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        side: int,
        channels: int,
        images: "Paged | None" = None,
        order: np.ndarray | None = None,
        margin: int = 0,
    ):
        self.side, self.channels, self.margin = side, channels, margin
        self._file: Any = images._file if images else tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the images do
        self._sizes: list[tuple[int, int]] = []
        self._starts: list[int] = []
        if images is not None and order is not None:
            self._sizes = [images._sizes[row] for row in order]
            self._starts = [images._starts[row] for row in order]

    def append(self, image: np.ndarray) -> None:
        """Adds an image. Raises ValueError where it is smaller than a crop, or has other channels."""
        height, width, channels = image.shape
        if min(height, width) < (least := self.side + 2 * self.margin) or channels != self.channels:
            raise ValueError(
                f"an image has at least {least} pixels a side and {self.channels} channels; received "
                f"{width} x {height} with {channels}"
            )
        self._starts.append(self._file.seek(0, os.SEEK_END))
        self._sizes.append((height, width))
        self._file.write(image.tobytes())
        self._file.flush()

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what all rows give."""
        return (len(self), self.side, self.side, self.channels)

    def __iter__(self) -> Iterator[np.ndarray]:
        """The images, whole, one at a time."""
        return (self.image(row) for row in range(len(self)))

    def __getitem__(self, rows: Any) -> np.ndarray:
        """The centred crops of these rows, [..., side, side, channels]."""
        wanted = np.arange(len(self))[rows]
        return self.crops(wanted, np.full([*wanted.shape, 2], 0.5))

    def image(self, row: int) -> np.ndarray:
        """One image, whole."""
        height, width = self._sizes[row]
        content = os.pread(self._file.fileno(), height * width * self.channels, self._starts[row])
        return np.frombuffer(content, np.uint8).reshape(height, width, self.channels)

    def crops(self, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Crops of images.

        Args:
            rows: [...] int.
            places: [..., 2 or more] in [0, 1): how far down and to the right, from the one edge to the other.

        Returns:
            [..., side, side, channels] uint8.
        """
        made = np.empty([*rows.shape, self.side, self.side, self.channels], np.uint8)
        for index in np.ndindex(rows.shape):
            height, width = self._sizes[rows[index]]
            down, right = places[index][:2]
            whole = self.side + 2 * self.margin
            top, left = int(down * (height - whole + 1)), int(right * (width - whole + 1))
            made[index] = self._crop(int(rows[index]), top + self.margin, left + self.margin)
        return made

    def ordered(self, order: np.ndarray) -> "Paged":
        """The same images in another order."""
        return Paged(self.side, self.channels, self, order, self.margin)

    def around(self) -> "Paged":
        """The same images, whose crops have the margin in them: at the same places, the middle is what this gives."""
        return Paged(self.side + 2 * self.margin, self.channels, self, np.arange(len(self)))

    def _crop(self, row: int, top: int, left: int) -> np.ndarray:
        width, start = self._sizes[row][1], self._starts[row]
        line = width * self.channels
        if self.side * line <= BAND_BYTES:
            band = os.pread(self._file.fileno(), self.side * line, start + top * line)
            return np.frombuffer(band, np.uint8).reshape(self.side, width, self.channels)[:, left : left + self.side]
        size, first = self.side * self.channels, start + top * line + left * self.channels
        lines = b"".join(os.pread(self._file.fileno(), size, first + line * i) for i in range(self.side))
        return np.frombuffer(lines, np.uint8).reshape(self.side, self.side, self.channels)
