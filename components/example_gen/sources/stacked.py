"""Stacked digits: three random ones as the colours of an image, which makes 1000 classes."""

import functools
import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from components.example_gen.aligned import Aligned
from components.example_gen.images import BadImage, Picture, pictures, read_picture
from components.example_gen.sources.source import (
    CHOOSE,
    EVAL,
    TRAIN,
    Example,
    Fault,
    Point,
    Raw,
    Shard,
    Source,
    make_source,
    split_of,
)
from models.config import OneSource

COUNTS = {TRAIN: 128_000, EVAL: 26_000, CHOOSE: 26_000}
SHARD_IMAGES = 2_000
MAX_BYTES = 2**30
"""The largest size of a split of the digits as pixels, which a worker holds: a triple may take any three."""


class Stacked(Source):
    """`stacked:SOURCE`: 128,000 random triples of SOURCE's digits to train on, and 26,000 of those of each other split.

    The digits a, b and c are the red, green and blue channel; the label is 100 a + 10 b + c. SOURCE has grey images of
    one size, labelled 0 to 9. A digit may be in many triples, but only in those of its own split.

    Reference: Metz et al. 2017, section 3.3.1; the counts are those of Lin et al. 2018.
    """

    channels = 3
    numbered = True

    def __init__(self, argument: str) -> None:
        self.name = argument
        self.digits = make_source(argument)

    def check(self) -> None:
        """Checks SOURCE as such. Raises ValueError where it has no grey images."""
        self.digits.check()
        if self.digits.channels in (0, 3):
            raise ValueError(f"stacked digits are made of grey images of digits; received stacked:{self.name}")

    def shards(self) -> Iterator[Shard]:
        """The seeds of equal parts: each split has its own."""
        for number, (split, count) in enumerate(COUNTS.items()):
            for part in range(count // SHARD_IMAGES):
                yield Shard(sides=(split,), part=(number, part))

    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Picture]:
        """The triples of a seed. Raises ValueError for a SOURCE that is not of one size, grey, and labelled 0 to 9."""
        (split,) = shard.sides
        images, labels = _digits(data.model_copy(update={"source": self.name}), self.digits.fingerprint(), split)
        if not len(images):
            return
        rows = np.random.default_rng(shard.part).integers(len(images), size=(SHARD_IMAGES, 3))
        yield from pictures(np.moveaxis(images[rows], 1, -1), labels[rows] @ np.array([100, 10, 1]))

    def fingerprint(self) -> str:
        """The fingerprint of SOURCE."""
        return self.digits.fingerprint()

    def classes(self) -> list[str]:
        """The digits of each triple."""
        return [f"{triple:03}" for triple in range(1000)]


@functools.lru_cache(maxsize=len(COUNTS))
def _digits(data: OneSource, fingerprint: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """The digits of a split, once a process: images [n, height, width] uint8 and labels [n] int64.

    Args:
        data: the source that they come from, the shares of the splits, and the limits.
        fingerprint: what is kept is of this content.
        split: one of COUNTS; choose alone may have no digits.
    """
    source = data.source
    opened = make_source(source)
    images, labels, size = list[np.ndarray](), list[int](), 0
    for shard in opened.shards():
        if split not in shard.sides:
            continue
        for item in opened.read(shard, data=data):
            picture = _sound(item, source, data)
            if split_of(picture.key, shard.sides, data) != split:
                continue
            images.append(np.asarray(Image.open(io.BytesIO(picture.encoded))))
            labels.append(picture.label or 0)
            size += images[-1].size
            if images[-1].shape != images[0].shape:
                raise ValueError(
                    f"stacked digits have one size; {source} has {list(images[0].shape)} and {list(images[-1].shape)}"
                )
            if size > MAX_BYTES:
                raise ValueError(f"stacked digits are small; a split of {source} has more than {MAX_BYTES} pixels")
    if not images and split == CHOOSE:
        return np.empty([0, 0, 0], np.uint8), np.empty([0], np.int64)
    if not images:
        raise ValueError(f"stacked digits need some in each split; {split} of {source} has none")
    return np.stack(images), np.array(labels)


def _sound(item: Raw | Aligned | Picture | Point | Example | Fault, source: str, data: OneSource) -> Picture:
    """The digit, if it is one: there is no tolerance, as a bad one would be in many triples."""
    found: Aligned | Picture | Point | Example | Fault
    if isinstance(item, Raw):
        try:
            found = read_picture(item.content, item.label, pixel_limit=data.pixel_limit)
        except BadImage as error:
            found = Fault(item.name, str(error))
    else:
        found = item
    if isinstance(found, Fault):
        raise ValueError(f"stacked digits need every image of {source} to be sound; {found}")
    if not isinstance(found, Picture) or found.channels != 1 or found.label not in range(10):
        raise ValueError(
            f"stacked digits are grey images with a label of 0 to 9; an image of {source} has "
            f"{getattr(found, 'channels', 'no')} channels and the label {found.label}"
        )
    return found
