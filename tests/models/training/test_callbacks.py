import numpy as np

from models.training.callbacks import scatter, tile


def test_a_grid_is_filled_row_by_row_with_lines_between():
    images = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones([6, 48, 48, 1], np.uint8)
    grid = tile(images, rows=2, columns=3)
    assert grid.shape == (4 + 2 * 52, 4 + 3 * 52)
    assert grid[4::52, 4::52].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (grid[:4] == 255).all()
    assert (grid[52:56] == 255).all()


def test_small_images_are_enlarged_without_a_new_value():
    images = np.random.default_rng(0).integers(0, 255, [4, 16, 16, 3], np.uint8)
    grid = tile(images, rows=2, columns=2)
    assert grid.shape == (108, 108, 3)
    np.testing.assert_array_equal(grid[5:52:3, 5:52:3], images[0])
    np.testing.assert_array_equal(grid[57:104:3, 57:104:3], images[3])


def test_a_scatter_shows_generated_points_over_real_ones():
    picture = scatter(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 9.0], [np.nan, 0.0]]), side=100)
    # a margin of a quarter: 1 lies at (1 / 1.25 + 1) / 2 of the width
    assert tuple(picture[50, 90]) == (20, 50, 140)
    assert tuple(picture[50, 10]) == (190, 190, 190)
    assert (picture == 255).all(axis=2).sum() == 100 * 100 - 18, "two dots of 3 x 3 pixels, and nothing of the far one"
