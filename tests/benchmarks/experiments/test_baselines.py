import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage.exposure import match_histograms

from benchmarks.experiments.baselines import fit_colours, fit_tones, recolour, retone, without_pairs


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


class TestTones:
    def test_by_hand(self):
        """Four input values have a quarter each, and targets are 10, 20, 20, 40: up to a quarter is 10, up to 3/4 is
        20, up to 1 is 40; half lies midway between the quarter's 10 and the three quarters' 20."""
        tones = fit_tones(image([[0], [1]], [[2], [3]]), image([[10], [20]], [[20], [40]]))
        assert tones.values[:4, 0].tolist() == [10, 15, 20, 40]
        assert_array_equal(retone(image([[3], [0]]), tones), image([[40], [10]]))

    def test_of_the_trained_inputs_as_another_implementation(self):
        """scikit-image matches one picture to another, here all of a domain as one."""
        random = np.random.default_rng(0)
        inputs = random.integers(0, 200, [6, 8, 8, 3], np.uint8)
        targets = np.sqrt(random.integers(0, 2**14, [5, 8, 8, 3])).astype(np.uint8)
        # of floats it does not cut off what lies behind the point
        one, other = (each.reshape(-1, 8, 3).astype(np.float64) for each in (inputs, targets))
        expected = match_histograms(one, other, channel_axis=-1)
        tones = fit_tones(inputs, targets)
        found = np.stack([tones.values[inputs[..., channel], channel] for channel in range(3)], axis=-1)
        assert_allclose(found.reshape(-1, 8, 3), expected, atol=1e-4)

    def test_gives_held_out_pictures_the_colours_of_the_domain_and_not_of_their_own(self):
        """If this fails, each picture is stretched to the whole range: a dark one of a bright domain turns grey."""
        trained = np.array([0, 100, 200, 250], np.uint8).reshape(4, 1, 1, 1)
        tones = fit_tones(trained, trained)
        assert_array_equal(retone(np.full([1, 2, 2, 1], 100, np.uint8), tones), np.full([1, 2, 2, 1], 100))

    def test_channels_are_matched_each_by_itself(self):
        inputs = image([[0, 9, 0], [1, 9, 1]])
        targets = image([[5, 60, 200], [6, 60, 100]])
        assert_array_equal(retone(inputs, fit_tones(inputs, targets)), image([[5, 60, 100], [6, 60, 200]]))

    def test_needs_no_pairs(self):
        """If this fails, it takes as many of each, or an order: the order of the targets changes nothing."""
        random = np.random.default_rng(1)
        inputs, targets = (
            random.integers(0, 256, [3, 4, 4, 3], np.uint8),
            random.integers(0, 99, [9, 2, 2, 3], np.uint8),
        )
        assert_array_equal(fit_tones(inputs, targets).values, fit_tones(inputs[::-1], targets[::-1]).values)

    @pytest.mark.parametrize("shape", [(1, 2, 2, 1), (0, 2, 2, 3)])
    def test_refuses(self, shape):
        with pytest.raises(ValueError, match=r"channel by channel; received inputs of \[1, 2, 2, 3\] and targets of"):
            fit_tones(np.zeros([1, 2, 2, 3], np.uint8), np.zeros(shape, np.uint8))


def test_baselines_without_pairs():
    inputs, targets = np.full([2, 4, 4, 3], 7, np.uint8), np.full([5, 4, 4, 3], 90, np.uint8)
    made = without_pairs(inputs, inputs[:1], targets)
    found = {name: np.unique(each).tolist() for name, each in made.items()}
    assert found == {"identity": [7], "histogram matching": [90]}
