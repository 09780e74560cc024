"""How many images fall on each side of the split, found by the rules of ingestion itself."""

import collections
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from components.example_gen import census
from components.example_gen.sources.source import EVAL, SPLITS, TRAIN, Head
from models.config.datasets.images import Squares
from pipeline.new.looking import Look, Seen


class Counts(NamedTuple):
    """Images by split, and by class and split.

    Attributes:
        by_split: split -> images; a split without any is not there.
        by_class: label, as text -> split -> images; empty without labels.
    """

    by_split: Mapping[str, int]
    by_class: Mapping[str, Mapping[str, int]]

    def of(self, split: str) -> int:
        """Images of a split."""
        return self.by_split.get(split, 0)

    def lacking(self, classes: int) -> list[int]:
        """Classes with nothing to train on or nothing to judge by."""
        sides = [self.by_class.get(str(number), {}) for number in range(classes)]
        return [number for number, each in enumerate(sides) if not (each.get(TRAIN) and each.get(EVAL))]


def split(seen: Iterable[Seen], data: Squares) -> Counts:
    """Deals images to the splits, as a run will do.

    Near duplicates outside of the sample are not known, and images that have to be decoded for their key have another
    one here: of these, the counts are those of a split with the same shares.

    Args:
        seen: the images; of pairs, one of each.
        data: its shares and its `split_by` decide.
    """
    together = data.split_by == "near_duplicates"
    groups: dict[tuple[str, ...], list[Head]] = collections.defaultdict(list)
    for each in seen:
        groups[each.sides].append(each.head if together else each.head._replace(thumbnail=b""))
    taken = [census.of_heads(heads, sides, data, labelled=True) for sides, heads in groups.items()]
    found = census.Census.merged(taken)
    # of more images than that, ingestion refuses to compare, and `new` does not ask for it
    plan = census.plan(found, data.channels, data)
    by_split: collections.Counter[str] = collections.Counter()
    by_class: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for sides, heads in groups.items():
        for head in heads:
            side = plan.side(head.key, sides, data)
            by_split[side] += 1
            if head.label is not None:
                by_class[str(head.label)][side] += 1
    return Counts(dict(by_split), {label: dict(counts) for label, counts in by_class.items()})


def divides_itself(look: Look) -> bool:
    """True where the source has folders or files of splits of its own."""
    return any(each.sides != SPLITS for each in look.seen)
