"""What is done to images from elsewhere before they are compared, in words: each step moves every distance."""

import collections
import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from models.config import Data

COLOURED = 0.05
"""Mean difference of an image's channels, of 1, above which it is coloured: JPEG leaves a tenth of it in grey ones."""

LOOKED_AT = 1_000
"""Images whose colour is looked at."""

FITS = {
    "crop": "cut to their centred square",
    "pad": "laid on a square, their edges repeated",
    "extend": "laid on a square, their edges repeated",
    "stretch": "stretched to a square",
}

JPEG = b"\xff\xd8"


@dataclasses.dataclass(frozen=True)
class Side:
    """Images of one side as their files hold them.

    Attributes:
        sizes: (height, width) -> images.
        channels: 1 or 3 -> images.
        jpeg: images in JPEG files.
        colour: mean difference of the channels of the first LOOKED_AT, 0 for grey ones to 1.
        highest_label: -1 where there are none.
    """

    sizes: collections.Counter[tuple[int, int]]
    channels: collections.Counter[int]
    jpeg: int
    colour: float
    highest_label: int

    @property
    def count(self) -> int:
        """Images."""
        return self.channels.total()


def look(patterns: Sequence[str]) -> Side:
    """Looks at ingested images, gzip TFRecords of tf.Example as `ingest` writes them."""
    number = tf.io.FixedLenFeature([], tf.int64, -1)
    spec = dict.fromkeys(("target/height", "target/width", "target/channels", "label"), number)
    spec |= {"target/encoded": tf.io.FixedLenFeature([], tf.string)}
    files = [file for pattern in patterns for file in tf.io.gfile.glob(pattern)]
    records = tf.data.TFRecordDataset(files, "GZIP").map(lambda each: tf.io.parse_single_example(each, spec))
    sizes: collections.Counter[tuple[int, int]] = collections.Counter()
    channels: collections.Counter[int] = collections.Counter()
    colours: list[float] = []
    jpeg, highest = 0, -1
    for each in records.as_numpy_iterator():
        sizes[int(each["target/height"]), int(each["target/width"])] += 1
        channels[int(each["target/channels"])] += 1
        jpeg += each["target/encoded"].startswith(JPEG)
        highest = max(highest, int(each["label"]))
        if len(colours) < LOOKED_AT:
            colours.append(_colour(each["target/encoded"]) if each["target/channels"] == 3 else 0.0)
    return Side(sizes, channels, jpeg, sum(colours) / max(1, len(colours)), highest)


def words(side: Side, data: Data) -> str:
    """What the images were and what was done to them, in a line."""
    shown = ", ".join(f"{width} x {height}" for (height, width), _ in side.sizes.most_common(3))
    more = len(side.sizes) - 3
    told = [f"{side.count:,} of {shown}{f' and {more} other sizes' if more > 0 else ''} pixels"]
    fit = data.target.columns[0].fit
    extended = fit == "extend" and any(max(size) < data.resolution for size in side.sizes)
    if extended or any(height != width for height, width in side.sizes):
        told.append(FITS[fit])
    least = data.resolution if fit == "extend" else 0
    sides = {max(*size, least) if fit in ("pad", "extend") else min(size) for size in side.sizes}
    if sides != {data.resolution}:
        told.append(f"resized to {data.resolution} x {data.resolution} (bilinear, antialiased)")
    other = side.count - side.channels[data.channels]
    if other:
        change = "colour turned grey (ITU-R 601 luma)" if data.channels == 1 else "grey repeated in three channels"
        told.append(f"{change}: {'all' if other == side.count else f'{other:,}'}")
    if side.jpeg:
        told.append(f"JPEG: {'all' if side.jpeg == side.count else f'{side.jpeg:,}'}")
    return "; ".join(told)


def check(samples: Side, real: Side, data: Data) -> list[str]:
    """Warnings of what makes the sides unlike beside what the samples show.

    Raises:
        ValueError: the samples are coloured where the real images are grey, and colour would be dropped.
    """
    if data.channels == 1 and samples.colour > COLOURED >= real.colour:
        raise ValueError(
            f"samples of grey images are grey; their channels differ by {255 * samples.colour:.0f} of 255 on average: "
            "judge them in colour by --set data.channels=3, or turn them grey before"
        )
    if bool(samples.jpeg) == bool(real.jpeg):
        return []
    which, others = ("samples", "real images") if samples.jpeg else ("real images", "samples")
    return [f"the {which} are JPEG and the {others} are not: its blocks and its blur move every distance"]


def _colour(encoded: bytes) -> float:
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False).numpy()
    return float((image.max(axis=-1) - image.min(axis=-1)).mean() / 255)
