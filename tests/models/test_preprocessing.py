import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from models.config import Data, Images, Points, Unpaired
from models.preprocessing import decode, fit, preprocessing_fn


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def told(data: Data) -> dict[str, str]:
    """What Transform is told of the data."""
    return {"data": json.dumps(data.essential())}


def transform(contents, labels=None, **settings):
    """The outputs for a batch, run as a graph like Transform does: images [n, r, r, c], and the outputs as they are."""
    config = told(Images(**settings))
    inputs = {"image/encoded": tf.constant(contents)[:, tf.newaxis]}
    if labels is not None:
        inputs["label"] = tf.constant(labels, tf.int64)[:, tf.newaxis]
    outputs = tf.function(preprocessing_fn)(inputs, config)
    return np.stack([tf.io.decode_png(content).numpy() for content in outputs["image"].numpy().ravel()]), outputs


def png(pixels):
    return tf.io.encode_png(pixels).numpy()


def jpeg(pixels):
    return tf.io.encode_jpeg(pixels, quality=95).numpy()


class TestPreprocessingFn:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_the_right_size_passes_bit_for_bit(self, channels):
        pixels = noise(5, 28, 28, channels)
        images, outputs = transform([png(one) for one in pixels], list(range(5)), channels=channels, classes=10)
        np.testing.assert_array_equal(images, pixels)
        assert {name: (value.shape.as_list(), value.dtype) for name, value in outputs.items()} == {
            "image": ([5, 1], tf.string),
            "label": ([5, 1], tf.int64),
        }
        np.testing.assert_array_equal(outputs["label"].numpy().ravel(), range(5))

    @pytest.mark.parametrize("resolution", [16, 28, 64])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_formats_sizes_and_depths_mix_in_a_batch(self, resolution, channels):
        contents = [png(noise(40, 31, 3)), jpeg(noise(17, 90, 3)), png(noise(8, 8, 1)), jpeg(noise(30, 30, 1))]
        images, _ = transform(contents, channels=channels, resolution=resolution)
        assert images.shape == (4, resolution, resolution, channels)

    def test_without_labels_none_come_out(self):
        _, outputs = transform([png(noise(28, 28, 1))], [7], classes=0)
        assert set(outputs) == {"image"}

    def test_sparse_inputs_of_a_schema_without_shapes(self):
        pixels = noise(3, 28, 28, 1)
        sparse = {
            "image/encoded": tf.sparse.from_dense(tf.constant([[png(one)] for one in pixels])),
            # 0 is a value like any other, which `from_dense` would drop
            "label": tf.SparseTensor([[0, 0], [1, 0], [2, 0]], tf.constant([4, 0, 9], tf.int64), [3, 1]),
        }
        outputs = preprocessing_fn(sparse, told(Images(classes=10)))
        assert outputs["label"].numpy().ravel().tolist() == [4, 0, 9]
        np.testing.assert_array_equal(tf.io.decode_png(outputs["image"][1, 0]), pixels[1])

    def test_28_pixels_take_at_most_a_kilobyte_even_as_noise(self):
        _, outputs = transform([png(noise(28, 28, 1))])
        assert len(outputs["image"].numpy()[0, 0]) <= 1024


class TestPoints:
    def test_pass_as_they_are(self):
        point = np.random.default_rng(0).standard_normal((7, 2)).astype(np.float32)
        inputs = {"point": tf.constant(point), "label": tf.constant(range(7), tf.int64)}
        outputs = tf.function(preprocessing_fn)(inputs, told(Points(classes=8)))
        assert set(outputs) == {"point", "label"}
        np.testing.assert_array_equal(outputs["point"], point)
        assert outputs["label"].numpy().tolist() == [[number] for number in range(7)]

    def test_sparse_inputs_of_a_schema_without_shapes(self):
        sparse = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [1, 1]], [1.0, 0.0, 0.0, 2.0], [2, 2])
        outputs = preprocessing_fn({"point": sparse}, told(Points()))
        assert outputs["point"].numpy().tolist() == [[1, 0], [0, 2]]


def test_domains_pass_beside_images():
    inputs = {
        "image/encoded": tf.constant([[png(noise(28, 28, 1))]] * 3),
        "domain": tf.constant([[0], [1], [1]], tf.int64),
    }
    outputs = preprocessing_fn(inputs, told(Unpaired(input=Images(), target=Images(source="folder:x"))))
    assert set(outputs) == {"image", "domain"}
    assert outputs["domain"].numpy().tolist() == [[0], [1], [1]]


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
