import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from models import mixtures
from models.catalog import MIXTURES


def test_ring_by_the_protocol():
    centres, sigma = mixtures.ring()
    assert (centres.shape, sigma) == ((8, 2), 0.01)
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(centres - np.roll(centres, 1, axis=0), axis=1), 2 * np.sin(np.pi / 8))


def test_grid_by_the_protocol():
    centres, sigma = mixtures.grid()
    assert sigma == 0.05
    assert {tuple(centre) for centre in centres} == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}


def test_square_has_no_mode_in_its_middle():
    centres, sigma = mixtures.square()
    assert (len(centres), sigma) == (8, 0.05)
    assert {tuple(centre) for centre in centres} == {(x, y) for x in (-2, 0, 2) for y in (-2, 0, 2) if x or y}


@pytest.mark.parametrize("name", MIXTURES)
class TestSample:
    def test_is_distributed_like_the_mixture(self, name):
        mixture = mixtures.of_source(f"mixture:{name}")
        points, modes = mixtures.sample(mixture, 20_000, 3)
        assert (points.shape, points.dtype, modes.dtype) == ((20_000, 2), np.float32, np.int64)
        assert chisquare(np.bincount(modes)).pvalue > 1e-3
        gaps = (points - mixture.centres[modes]) / mixture.sigma
        for axis in range(2):
            assert kstest(gaps[:, axis], "norm").pvalue > 1e-3

    def test_equal_seeds_draw_equal_points(self, name):
        mixture = mixtures.of_source(name)
        for first, second in zip(mixtures.sample(mixture, 9, [1, 2]), mixtures.sample(mixture, 9, [1, 2]), strict=True):
            np.testing.assert_array_equal(first, second)
        assert (mixtures.sample(mixture, 9, [1, 2])[0] != mixtures.sample(mixture, 9, [1, 3])[0]).all()


def test_an_unknown_name():
    with pytest.raises(ValueError, match="spiral is no mixture of the catalog; choose from grid, ring"):
        mixtures.of_source("mixture:spiral")
