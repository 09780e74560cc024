import numpy as np

from models.monitor import tile


def test_a_grid_is_filled_row_by_row():
    images = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones([6, 48, 48, 1], np.uint8)
    grid = tile(images, rows=2, columns=3)
    assert grid.shape == (96, 144)
    assert grid[::48, ::48].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_small_images_are_enlarged_without_a_new_value():
    images = np.random.default_rng(0).integers(0, 256, [4, 16, 16, 3], np.uint8)
    grid = tile(images, rows=2, columns=2)
    assert grid.shape == (96, 96, 3)
    np.testing.assert_array_equal(grid[1:48:3, 1:48:3], images[0])
    np.testing.assert_array_equal(grid[49::3, 49::3], images[3])
