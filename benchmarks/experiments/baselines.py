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


class Tones(NamedTuple):
    """The value of a channel that goes with each value of the same channel of an input.

    Attributes:
        values: [256, channels] float32, rising in 0 to 255; a row a value.
    """

    values: np.ndarray


def fit_tones(inputs: np.ndarray, targets: np.ndarray) -> Tones:
    """Learns to give the colours of one domain the distribution of the other, channel by channel: histogram matching.

    It needs no pairs, so it is what a translation without pairs has to be better than. What is pooled is all of a
    domain: a single picture has other colours than its domain has on the whole, and its partner's are not known.

    Args:
        inputs: [n, height, width, channels] uint8, of the training examples alone.
        targets: [m, height, width, channels] uint8, likewise, in no relation to the inputs.

    Raises:
        ValueError: the two differ in channels, or one has no pixel.

    Reference: Gonzalez & Woods 2018, section 3.3, with linear interpolation between the values of the target.
    """
    if inputs.shape[-1] != targets.shape[-1] or not inputs.size or not targets.size:
        raise ValueError(
            "histograms are matched channel by channel; received inputs of "
            f"{list(inputs.shape)} and targets of {list(targets.shape)}"
        )
    values = np.empty([256, inputs.shape[-1]], np.float32)
    for channel in range(inputs.shape[-1]):
        below, wanted = (_shares_up_to(images[..., channel]) for images in (inputs, targets))
        known = np.unique(targets[..., channel])  # between two of them no pixel of the target lies
        values[:, channel] = np.interp(below, wanted[known], known)
    return Tones(values)


def retone(inputs: np.ndarray, tones: Tones) -> np.ndarray:
    """What matched histograms make of inputs: [n, height, width, channels] uint8, rounded."""
    channels = [tones.values[inputs[..., channel], channel] for channel in range(inputs.shape[-1])]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def without_pairs(inputs: np.ndarray, trained_inputs: np.ndarray, trained_targets: np.ndarray) -> dict[str, np.ndarray]:
    """What each baseline that needs no pairs makes of held-out inputs, by its name.

    Args:
        inputs: [n, height, width, channels] uint8, held out.
        trained_inputs: [k, ...] uint8, the training examples of the domain of the inputs.
        trained_targets: [m, ...] uint8, those of the other.

    Raises:
        ValueError: as `fit_tones`.
    """
    return {
        "identity": inputs,
        "histogram matching": retone(inputs, fit_tones(trained_inputs, trained_targets)),
    }


def _shares_up_to(values: np.ndarray) -> np.ndarray:
    """The share of pixels at or below each of the 256 values."""
    return np.cumsum(np.bincount(values.reshape(-1), minlength=256)) / values.size


def _bins(images: np.ndarray, levels: int) -> np.ndarray:
    """The bin of each pixel, [n, height, width] int."""
    parts = images.astype(np.int64) * levels // 256
    return np.ravel_multi_index(tuple(np.moveaxis(parts, -1, 0)), [levels] * images.shape[-1])
