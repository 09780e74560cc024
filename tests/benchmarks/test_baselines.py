import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.baselines import fit_colours, recolour


def image(*rows):
    """[1, rows, columns, 3] uint8."""
    return np.array([rows], np.uint8)


class TestColourTable:
    def test_is_the_mean_target_of_each_bin(self):
        """By hand: two levels cut a channel at 128; both dark pixels share a bin, of mean (10 + 21) / 2 = 15.5."""
        inputs = image([[0, 0, 0], [127, 0, 5], [255, 255, 255]])
        targets = image([[10, 0, 0], [21, 0, 0], [7, 8, 9]])
        table = fit_colours(inputs, targets, levels=2)
        assert_allclose(table.colours[0], [15.5, 0, 0])
        assert_allclose(table.colours[7], [7, 8, 9])
        assert_array_equal(recolour(image([[100, 100, 100], [128, 200, 255]]), table), image([[16, 0, 0], [7, 8, 9]]))

    def test_an_empty_bin_has_the_colour_of_the_nearest_that_is_not(self):
        """If this fails, a colour that training blocks lack is drawn black. Bins 0 and 7 of eight levels are filled."""
        inputs = image([[0, 0, 0], [255, 255, 255]])
        table = fit_colours(inputs, image([[10, 20, 30], [200, 210, 220]]), levels=8)
        dark, light = recolour(image([[90, 90, 90], [170, 170, 170]]), table)[0, 0]
        assert dark.tolist() == [10, 20, 30]
        assert light.tolist() == [200, 210, 220]

    def test_channels_are_told_apart(self):
        """If this fails, red and blue of one brightness fall in one bin."""
        inputs = image([[255, 0, 0], [0, 255, 0], [0, 0, 255]])
        targets = image([[1, 0, 0], [2, 0, 0], [3, 0, 0]])
        assert_array_equal(recolour(inputs, fit_colours(inputs, targets, levels=2)), targets)

    def test_of_one_level_is_the_mean(self):
        random = np.random.default_rng(0)
        inputs, targets = random.integers(0, 256, [2, 4, 5, 6, 3], np.uint8)
        table = fit_colours(inputs, targets, levels=1)
        assert_allclose(table.colours, [targets.reshape(-1, 3).mean(axis=0)], rtol=1e-6)
        assert len(np.unique(recolour(inputs, table).reshape(-1, 3), axis=0)) == 1

    def test_of_as_many_levels_as_values_knows_each_grey(self):
        """By hand: with 256 levels a function of the grey value is learned exactly."""
        inputs = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
        targets = np.concatenate([255 - inputs, inputs // 2, inputs], axis=-1)
        assert_array_equal(recolour(inputs, fit_colours(inputs, targets, levels=256)), targets)

    @pytest.mark.parametrize(("shape", "levels"), [((1, 2, 3, 3), 4), ((1, 2, 2, 3), 0), ((1, 2, 2, 3), 257)])
    def test_refuses(self, shape, levels):
        with pytest.raises(
            ValueError, match=r"aligned pixels; received .*\[1, 2, 3, 3\]|levels are 1 to 256; received"
        ):
            fit_colours(np.zeros([1, 2, 2, 3], np.uint8), np.zeros(shape, np.uint8), levels=levels)
