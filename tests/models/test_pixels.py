import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from models.pixels import decode, enlarged, fit, scaled, to_bytes


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def png(pixels):
    return tf.io.encode_png(pixels).numpy()


def jpeg(pixels):
    return tf.io.encode_jpeg(pixels, quality=95).numpy()


class TestScaled:
    LEVELS = np.arange(256, dtype=np.uint8)

    def test_black_is_minus_one_and_white_is_one(self):
        # 51 / 127.5 - 1
        np.testing.assert_allclose(scaled(np.array([0, 51, 255], np.uint8)), [-1, -0.6, 1], atol=1e-6)

    def test_a_tensor_and_an_array_agree(self):
        """If this fails, looks at samples compare with other pixels than training sees."""
        array, tensor = scaled(self.LEVELS), scaled(tf.constant(self.LEVELS))
        assert (array.dtype, tensor.dtype) == (np.float32, tf.float32)
        np.testing.assert_array_equal(array, tensor)

    @pytest.mark.parametrize("points", [np.array([[3.5, -2.0]], np.float32), tf.constant([[3.5, -2.0]])])
    def test_what_is_no_pixel_stays(self, points):
        assert scaled(points) is points

    def test_every_level_comes_back(self):
        np.testing.assert_array_equal(to_bytes(scaled(self.LEVELS)), self.LEVELS)

    def test_what_a_network_gives_beyond_the_range_is_clipped(self):
        np.testing.assert_array_equal(to_bytes(np.array([-1.5, 1.5])), [0, 255])


class TestDecode:
    def test_grey_is_itu_601_luma(self):
        pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [10, 20, 30]]], np.uint8)
        # by hand: 0.299 R + 0.587 G + 0.114 B
        np.testing.assert_array_equal(decode(png(pixels), 1)[0, :, 0], [76, 150, 29, 255, 18])

    def test_png_and_jpeg_agree_on_it(self):
        pixels = np.full((16, 16, 3), (200, 90, 30), np.uint8)
        difference = decode(png(pixels), 1).numpy().astype(int) - decode(jpeg(pixels), 1).numpy()
        assert abs(difference).max() <= 2

    def test_colour_repeats_grey(self):
        pixels = noise(5, 6, 1)
        np.testing.assert_array_equal(decode(png(pixels), 3), np.repeat(pixels, 3, -1))


class TestFit:
    def test_the_square_is_cut_from_the_centre(self):
        wide = noise(6, 10, 3)
        np.testing.assert_array_equal(fit(tf.constant(wide), 6), wide[:, 2:8])
        tall = noise(11, 6, 1)
        np.testing.assert_array_equal(fit(tf.constant(tall), 6), tall[2:8])

    def test_shrinking_is_antialiased(self):
        # a checkerboard of pixels: without a filter of the right width it becomes one of its two values
        board = np.indices((64, 64)).sum(axis=0) % 2 * np.uint8(254)
        small = fit(tf.constant(board[..., np.newaxis].astype(np.uint8)), 16).numpy()
        assert abs(small.astype(int) - 127).max() <= 2

    @pytest.mark.parametrize("resolution", [16, 64])
    def test_it_agrees_with_pillow(self, resolution):
        # Pillow's reducing filters are antialiased too, from other code
        y, x = np.mgrid[0:40, 0:40]
        pixels = (127 + 60 * np.sin(x / 5) + 60 * np.cos(y / 7)).astype(np.uint8)
        wanted = np.asarray(Image.fromarray(pixels).resize((resolution, resolution), Image.Resampling.BILINEAR))
        got = fit(tf.constant(pixels[..., np.newaxis]), resolution)[..., 0].numpy()
        assert abs(got.astype(int) - wanted).max() <= 1


class TestWaysToASquare:
    """A picture of 2 x 4 whose columns are 0, 80, 160, 240."""

    WIDE = np.repeat(np.array([0, 80, 160, 240], np.uint8)[None, :, None], 2, axis=0)

    def test_crop_takes_the_centre(self):
        assert fit(tf.constant(self.WIDE), 2, "crop").numpy()[..., 0].tolist() == [[80, 160]] * 2

    def test_pad_repeats_the_edges_and_loses_nothing(self):
        assert fit(tf.constant(self.WIDE), 4, "pad").numpy()[..., 0].tolist() == [[0, 80, 160, 240]] * 4

    def test_pad_of_a_tall_one_puts_it_in_the_middle(self):
        tall = np.array([[[10]], [[20]], [[30]]], np.uint8)
        assert fit(tf.constant(tall), 3, "pad").numpy()[..., 0].tolist() == [[10] * 3, [20] * 3, [30] * 3]

    def test_extend_repeats_the_edges_up_to_the_resolution(self):
        """If this fails, a small image is enlarged, and has no detail of its own size left."""
        small = np.array([[[10], [20]], [[30], [40]]], np.uint8)
        expected = [[10, 10, 20, 20], [10, 10, 20, 20], [30, 30, 40, 40], [30, 30, 40, 40]]
        assert fit(tf.constant(small), 4, "extend").numpy()[..., 0].tolist() == expected
        assert fit(tf.constant(self.WIDE), 6, "extend").numpy()[0, :, 0].tolist() == [0, 0, 80, 160, 240, 240]

    def test_extend_of_a_larger_one_is_pad(self):
        wide = tf.constant(noise(6, 10, 1))
        np.testing.assert_array_equal(fit(wide, 4, "extend"), fit(wide, 4, "pad"))

    def test_stretch_takes_all_of_it_into_other_proportions(self):
        # each of two columns is the mean of two, by an antialiased filter that also sees its neighbours
        left, right = fit(tf.constant(self.WIDE), 2, "stretch").numpy()[0, :, 0].tolist()
        assert 0 < left < 80
        assert 160 < right < 240
        assert left + right == 240

    @pytest.mark.parametrize("how", ["crop", "pad", "extend", "stretch"])
    def test_a_square_of_the_right_size_stays_bit_for_bit(self, how):
        square = noise(8, 8, 3)
        assert (fit(tf.constant(square), 8, how).numpy() == square).all()


def test_images_of_other_channels_become_like_the_others():
    """By hand: ITU-R 601 luma of (1, 0, -1) is 0.299 - 0.114; grey is repeated."""
    colour = np.full([1, 2, 2, 3], [1, 0, -1], np.float32)
    np.testing.assert_allclose(enlarged(colour, (2, 2, 1)), np.full([1, 2, 2, 1], 0.185), atol=1e-6)
    grey = np.random.default_rng(0).uniform(-1, 1, [2, 3, 3, 1]).astype(np.float32)
    np.testing.assert_array_equal(enlarged(grey, (3, 3, 3)), np.repeat(grey, 3, -1))
