"""The real examples of a judgement."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from components.gan_evaluator.measuring.copies import equal_to
from components.gan_evaluator.measuring.settings import Settings
from models.examples.arrays import Arrays, read_examples


class Reference(NamedTuple):
    """What is compared with.

    Attributes:
        train: the training examples.
        held_out: those held out, without the copies of training ones.
        copies: how many copies were left out.
        digest: of all that was read.
    """

    train: Arrays
    held_out: Arrays
    copies: int
    digest: str


def read_reference(train: Sequence[str], held_out: Sequence[str], settings: Settings) -> Reference:
    """Reads the training examples and those held out.

    Args:
        train: file patterns of the transformed training examples.
        held_out: likewise of the held-out ones.
        settings: say what the examples are.

    Raises:
        ValueError: as `read_examples`; all held-out examples are copies of training ones, or a class has none.
    """
    trained_on, kept_back = read_examples(train, settings.data), read_examples(held_out, settings.data.held_out)
    digest = f"{trained_on.digest}-{kept_back.digest}"
    copied = equal_to(kept_back.target, trained_on.target)
    if copied.all():
        raise ValueError(
            f"held-out examples are none of the training ones; all {len(copied):,} are copies of some: "
            "give other data, or let ganworks split them"
        )
    if copied.any():
        kept_back = kept_back.rows(~copied)
    _check_classes(kept_back, settings.data.classes, settings.split)
    return Reference(trained_on, kept_back, int(copied.sum()), digest)


def some(arrays: Arrays, count: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Takes so many examples in random order, or all, and their labels."""
    rows = np.random.default_rng(seed).permutation(len(arrays))[:count]
    return arrays.target[rows], None if arrays.label is None else arrays.label[rows]


def _check_classes(held_out: Arrays, classes: int, split: str) -> None:
    if held_out.label is None:
        return
    absent = np.setdiff1d(np.arange(classes), held_out.label)
    if len(absent):
        raise ValueError(
            f"each of the {classes} classes needs images in the {split} split; there are none of class "
            + ", ".join(map(str, absent[:20]))
        )
