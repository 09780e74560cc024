"""Pictures of examples that are no images: what a report and a sample grid show of them."""

import numpy as np

SIDE = 48
"""Height and width of a picture, pixels."""


def curves(values: np.ndarray, reach: float) -> np.ndarray:
    """Each example as a curve through its values, left to right, black on white with a grey line at 0.

    Args:
        values: [n, ...] numbers, finite; those of an example are taken one after the other.
        reach: the value at the upper border, > 0, and -reach at the lower one; what lies outside is drawn at a border.

    Returns:
        [n, SIDE, SIDE, 1] uint8.
    """
    rows = values.reshape(len(values), -1)
    places = np.linspace(0, rows.shape[1] - 1, SIDE)
    left = places.astype(int)
    right = np.minimum(left + 1, rows.shape[1] - 1)
    heights = rows[:, left] + (places - left) * (rows[:, right] - rows[:, left])
    lines = np.rint((1 - heights / reach) * (SIDE - 1) / 2).clip(0, SIDE - 1)
    # a column is filled from where the curve stands in the one before, so that a steep part has no gaps
    before = np.concatenate([lines[:, :1], lines[:, :-1]], axis=1)
    low, high = np.minimum(lines, before)[:, None], np.maximum(lines, before)[:, None]
    down = np.arange(SIDE)[:, None]
    pictures = np.full([len(rows), SIDE, SIDE], 255, np.uint8)
    pictures[:, SIDE // 2] = 200
    pictures[(down >= low) & (down <= high)] = 0
    return pictures[..., None]
