"""Pairs of images: files that belong together, or one file with both side by side, as one example."""

import hashlib
import posixpath
from typing import NamedTuple

from components.example_gen.images import BadImage, Picture, halved, read_head, read_picture
from components.example_gen.notes import CROPPED
from models.config import OfPairs


class Aligned(NamedTuple):
    """The files of a pair, not looked at yet.

    Attributes:
        names: of the files, for people: A and B, or one that holds both.
        contents: their bytes.
        place: the path below the source, without the folder of A or B.
    """

    names: tuple[str, ...]
    contents: tuple[bytes, ...]
    place: str
    label: None = None

    @property
    def name(self) -> str:
        """Both, for people."""
        return " and ".join(self.names)

    @property
    def folder(self) -> str:
        """Where it lies; see `Raw.folder`."""
        return posixpath.dirname(self.place)


class Row(NamedTuple):
    """A sound pair, as it goes into an example.

    Attributes:
        pictures: role of the column -> picture.
        key: digest of what the source holds of both; see `Picture.key`.
        thumbnail: of the input, by which near duplicates are found; see `Picture.thumbnail`.
    """

    pictures: dict[str, Picture]
    key: bytes
    label: None = None
    thumbnail: bytes = b""

    @property
    def channels(self) -> int:
        """Those of the target."""
        return self.pictures["target"].channels


def read_row(item: Aligned, data: OfPairs, *, thumbnail: bool = False) -> Row:
    """Checks the files of a pair and makes them a row, as `read_picture` does of one.

    Args:
        item: what the source gave.
        data: its limits, its direction, and the proportion of the two images.
        thumbnail: whether the row has one.

    Raises:
        BadImage: a file is bad, or the two images are of sizes that do not fit together.
    """
    files = [
        _read(name, content, item, data, thumbnail) for name, content in zip(item.names, item.contents, strict=True)
    ]
    both = list(files) if len(files) > 1 else list(halved(files[0], thumbnail=thumbnail))
    pictures = dict(zip(_roles(data), both, strict=True))
    if data.fit != "crop":
        pictures = {
            role: each._replace(handled=tuple(what for what in each.handled if what != CROPPED))
            for role, each in pictures.items()
        }
    _check_sizes(pictures, data)
    if data.mixed_channels == "refuse":
        for column in data.columns:
            found, wanted = pictures[column.role].channels, column.shape[-1]
            if found != wanted:
                raise BadImage(f"make no pair: the {column.role} has {found} channels where the data have {wanted}")
    return Row(pictures, _key([each.key for each in files]), thumbnail=pictures["input"].thumbnail)


def read_row_head(item: Aligned, data: OfPairs) -> tuple[int, bytes] | None:
    """The target's channels and the key that `read_row` would give; None for a pair that is seen to be bad."""
    heads = [read_head(content, pixel_limit=data.pixel_limit) for content in item.contents]
    found = [head for head in heads if head is not None]
    if len(found) < len(heads):
        return None
    channels = found[_roles(data).index("target") % len(found)][0]
    return channels, _key([key for _, key in found])


def _roles(data: OfPairs) -> tuple[str, str]:
    """What A is, and what B is."""
    return ("input", "target") if data.direction == "AtoB" else ("target", "input")


def _read(name: str, content: bytes, item: Aligned, data: OfPairs, thumbnail: bool) -> Picture:
    try:
        return read_picture(content, None, pixel_limit=data.pixel_limit, thumbnail=thumbnail)
    except BadImage as error:
        raise BadImage(f"make no pair: {name} {error}" if len(item.names) > 1 else str(error)) from None


def _key(keys: list[bytes]) -> bytes:
    return keys[0] if len(keys) == 1 else hashlib.sha256(b"".join(keys)).digest()


def _check_sizes(pictures: dict[str, Picture], data: OfPairs) -> None:
    taken, drawn = pictures["input"], pictures["target"]
    small, large = data.input_resolution or data.resolution, data.resolution
    if (taken.height * large, taken.width * large) != (drawn.height * small, drawn.width * small):
        rule = "of one size" if small == large else f"in the proportion of {small} to {large}"
        raise BadImage(
            f"make no pair: input and target are {rule}, and have {taken.width} x {taken.height} and "
            f"{drawn.width} x {drawn.height} pixels"
        )
