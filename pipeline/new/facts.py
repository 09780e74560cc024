"""What follows from a look alone: figures that several choices need."""

import collections
from typing import NamedTuple

import numpy as np

from components.example_gen.near import MOST
from pipeline.new import pixels
from pipeline.new.looking import Look

SMALLEST_SHARE = 0.05
"""A share of the images that may be smaller than the resolution, and are enlarged."""
LEAST = 40
"""Different images without which nothing can be trained and judged."""
CLASS_LEAST = 20
"""Images of a class, on average, without which a classifier learns nothing of it."""
CHAIN = 0.3
"""A share of the images above which near duplicates that hang together would be most of a split."""
READ = 4_000
"""Images by which it is found how well classes can be told apart."""


class Facts(NamedTuple):
    """Figures of a look.

    Attributes:
        images: that can be used.
        different: of these, those that differ.
        side: pixels of the shorter side that all but a few images have.
        smaller: images with a shorter side than that.
        coloured: share of the sample that has colour.
        contrast: standard deviation of the values within an image of the sample, their mean, in [-1, 1].
        near: images of the sample that are almost equal to another one.
        largest_group: of these, those of the largest group that hangs together.
        classes: how many can be used; 0 with `why_none`.
        why_none: why images are taken without classes; empty where they have some.
        of_class: images of each class.
        read: see `pixels.told_apart`; None without classes.
    """

    images: int
    different: int
    side: int
    smaller: int
    coloured: float
    contrast: float
    near: int
    largest_group: int
    classes: int
    why_none: str
    of_class: list[int]
    read: tuple[float, float, float] | None

    @property
    def of_each(self) -> str:
        """How many images a class has, in words."""
        least, most = min(self.of_class), max(self.of_class)
        return f"{least:,}" if least == most else f"{least:,} to {most:,}"

    @property
    def keeps_together(self) -> bool:
        """True where near duplicates are worth a split by them."""
        return self.near > 0 and self.largest_group <= CHAIN * self.images and self.images <= MOST


def find(look: Look) -> Facts:
    """Finds them.

    Raises:
        ValueError: there are fewer than LEAST different images. One line.
    """
    sides = np.sort([each.side for each in look.seen])
    side = int(sides[int(SMALLEST_SHARE * len(sides))])
    different = len({each.head.key for each in look.seen})
    if different < LEAST:
        raise ValueError(
            f"an experiment needs at least {LEAST} different images, some of which are held out to judge by; "
            f"{look.source} has {different}: add others"
        )
    of_class = _of_class(look)
    why_none = _why_none(look, of_class)
    if why_none:
        of_class = []
    return Facts(
        images=len(look.seen),
        different=different,
        side=side,
        smaller=int((sides < side).sum()),
        coloured=sum(not each.grey for each in look.sample) / len(look.sample),
        contrast=float(np.mean([pixels.contrast(each.small) for each in look.sample])),
        near=sum(map(len, look.pairs)),
        largest_group=max(map(len, look.pairs), default=0),
        classes=len(of_class),
        why_none=why_none,
        of_class=of_class,
        read=_read(look) if of_class else None,
    )


def _of_class(look: Look) -> list[int]:
    counts = collections.Counter(each.head.label for each in look.seen)
    return [counts.get(number, 0) for number in range(len(look.classes))]


def _why_none(look: Look, of_class: list[int]) -> str:
    """Why classes cannot be used; empty where they can."""
    if look.unlabelled:
        return look.unlabelled
    if not of_class:
        return "no folder of a class and no file of labels says what the images are"
    if len(of_class) == 1:
        return f"there is one class alone, {look.classes[0]}, and nothing to tell apart"
    different: dict[int, set[bytes]] = collections.defaultdict(set)
    for each in look.seen:
        different[each.head.label or 0].add(each.head.key)
    few = [look.classes[number] for number in range(len(of_class)) if len(different[number]) < 2]
    if few:
        return (
            f"a class needs two different images or more, and {', '.join(few[:3])} has not: add some, or take it out, "
            "to have classes"
        )
    if sum(of_class) < CLASS_LEAST * len(of_class):
        return (
            f"{len(of_class):,} classes have {sum(of_class) / len(of_class):.0f} images each on average; below "
            f"{CLASS_LEAST} nothing can learn to tell them apart"
        )
    return ""


def _read(look: Look) -> tuple[float, float, float]:
    """How well the classes of the sample are told apart."""
    rows = np.random.default_rng(0).permutation(len(look.sample))[:READ]
    shown = [look.sample[row] for row in rows]
    labels = np.array([look.seen[each.number].head.label for each in shown], np.int64)
    return pixels.told_apart(np.stack([each.small for each in shown]), labels)
