"""How far apart in a picture what a network reads and what it gives may lie: measured, not computed."""

from collections.abc import Iterable

import keras
import numpy as np


def touched(model: keras.Model, side: int, places: Iterable[tuple[int, int]], name: str = "input") -> np.ndarray:
    """Finds the outputs that read a pixel.

    All weights are made positive and biases 0, so that of a black image nothing comes, and of a single pixel something
    wherever a way leads: nothing cancels, and no unit is dead.

    Args:
        model: of one input of this name, with no normalisation by the image.
        side: height and width of the image.
        places: row and column of a pixel, one after the other.
        name: of the input.

    Returns:
        [places, rows, columns] bool, of the network's output.
    """
    for weight in model.trainable_variables:
        if len(weight.shape) > 1:
            weight.assign(np.abs(weight.numpy()) + 0.01)
    places = list(places)
    images = np.zeros([len(places), side, side, model.input[name].shape[-1]], np.float32)
    for image, place in zip(images, places, strict=True):
        image[place] = 1
    found = np.asarray(model({name: images}, training=False)) != 0
    return found.any(axis=-1) if found.ndim == 4 else found


def reach(model: keras.Model, side: int, multiple: int = 1, scale: int = 1) -> int:
    """The farthest that a pixel near the middle is read, in pixels of the input; it ends inside the image."""
    # a network that halves is not the same at odd and even places
    places = [(side // 2 + i % 2, side // 2 + i) for i in range(multiple)]
    distances = []
    for (row, column), map_ in zip(places, touched(model, side, places), strict=True):
        rows, columns = (each // scale for each in np.nonzero(map_))
        assert rows.min() > 0
        assert max(rows.max(), columns.max()) < side - 1
        distances.append(max(np.abs(rows - row).max(), np.abs(columns - column).max()))
    return int(max(distances))


def check_tile(model: keras.Model, halo: int, *, multiple: int = 1, scale: int = 1) -> None:
    """Checks that a tile with its halo around it, its corner at a multiple, gives what the whole image gives there."""
    margin = -(-halo // multiple) * multiple
    tile, random = 2 * multiple, np.random.default_rng(0)
    side = 2 * margin + tile + 4 * multiple
    whole = random.uniform(-1, 1, [1, side, side, model.input["input"].shape[-1]]).astype(np.float32)
    first = 2 * multiple
    part = whole[:, first : first + 2 * margin + tile, first : first + 2 * margin + tile]
    expected, found = (np.asarray(model({"input": each}, training=False)) for each in (whole, part))
    inside = slice(scale * margin, scale * (margin + tile))
    there = slice(scale * (first + margin), scale * (first + margin + tile))
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(found[:, inside, inside], expected[:, there, there], atol=1e-5)
