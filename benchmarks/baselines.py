"""Baselines that learn no network: what a translation has to be better than."""

from typing import NamedTuple

import numpy as np

from models.metrics.distances import nearest

LEVELS = 16


class ColourTable(NamedTuple):
    """The mean target of each colour of an input.

    Attributes:
        colours: [levels ** channels of the input, channels of the target] float32, in 0 to 255; a row a bin.
        levels: bins of each channel.
    """

    colours: np.ndarray
    levels: int


def fit_colours(inputs: np.ndarray, targets: np.ndarray, *, levels: int = LEVELS) -> ColourTable:
    """Learns which colour of the target goes with each colour of the input, pixel by pixel and without a context.

    A bin that no pixel falls in has the mean of the nearest one, by its centre, that has some.

    Args:
        inputs: [n, height, width, channels] uint8, of the training examples alone.
        targets: [n, height, width, channels] uint8, aligned; another number of channels is fine.
        levels: into how many equal parts the range of each channel of the input is cut, 1 to 256; 1 is the mean target.

    Raises:
        ValueError: the two differ in number, height or width, there is no pixel, or `levels` is out of range.
    """
    if inputs.shape[:-1] != targets.shape[:-1] or not inputs.size:
        raise ValueError(
            "a table of colours is fitted on aligned pixels; received inputs of "
            f"{list(inputs.shape)} and targets of {list(targets.shape)}"
        )
    if not 1 <= levels <= 256:
        raise ValueError(f"levels are 1 to 256; received {levels}")
    size = levels ** inputs.shape[-1]
    bins = _bins(inputs, levels).reshape(-1)
    values = targets.reshape(-1, targets.shape[-1])
    counts = np.bincount(bins, minlength=size)
    sums = np.stack([np.bincount(bins, value, minlength=size) for value in values.T], axis=1)
    means = sums / np.maximum(counts, 1)[:, None]
    filled, empty = np.flatnonzero(counts), np.flatnonzero(counts == 0)
    if len(empty):
        centres = np.stack(np.unravel_index(np.arange(size), [levels] * inputs.shape[-1]), axis=1).astype(np.float64)
        means[empty] = means[filled[nearest(centres[empty], centres[filled])[0]]]
    return ColourTable(means.astype(np.float32), levels)


def recolour(inputs: np.ndarray, table: ColourTable) -> np.ndarray:
    """What a table makes of inputs: [n, height, width, channels of the target] uint8, rounded."""
    return np.rint(table.colours[_bins(inputs, table.levels)]).astype(np.uint8)


def _bins(images: np.ndarray, levels: int) -> np.ndarray:
    """The bin of each pixel, [n, height, width] int."""
    parts = images.astype(np.int64) * levels // 256
    return np.ravel_multi_index(tuple(np.moveaxis(parts, -1, 0)), [levels] * images.shape[-1])
