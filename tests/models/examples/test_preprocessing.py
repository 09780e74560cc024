import json

import numpy as np
import pytest
import tensorflow as tf

from models.config import Data, Images, Points, Unpaired
from models.examples.preprocessing import preprocessing_fn


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def told(data: Data) -> dict[str, str]:
    """What Transform is told of the data."""
    return {"data": json.dumps(data.essential())}


def transform(contents, labels=None, **settings):
    """The outputs for a batch, run as a graph like Transform does: images [n, r, r, c], and the outputs as they are."""
    config = told(Images(**settings))
    inputs = {"target/encoded": tf.constant(contents)[:, tf.newaxis]}
    if labels is not None:
        inputs["label"] = tf.constant(labels, tf.int64)[:, tf.newaxis]
    outputs = tf.function(preprocessing_fn)(inputs, config)
    return np.stack([tf.io.decode_png(content).numpy() for content in outputs["target"].numpy().ravel()]), outputs


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
            "target": ([5, 1], tf.string),
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
        assert set(outputs) == {"target"}

    def test_sparse_inputs_of_a_schema_without_shapes(self):
        pixels = noise(3, 28, 28, 1)
        sparse = {
            "target/encoded": tf.sparse.from_dense(tf.constant([[png(one)] for one in pixels])),
            # 0 is a value like any other, which `from_dense` would drop
            "label": tf.SparseTensor([[0, 0], [1, 0], [2, 0]], tf.constant([4, 0, 9], tf.int64), [3, 1]),
        }
        outputs = preprocessing_fn(sparse, told(Images(classes=10)))
        assert outputs["label"].numpy().ravel().tolist() == [4, 0, 9]
        np.testing.assert_array_equal(tf.io.decode_png(outputs["target"][1, 0]), pixels[1])

    def test_28_pixels_take_at_most_a_kilobyte_even_as_noise(self):
        _, outputs = transform([png(noise(28, 28, 1))])
        assert len(outputs["target"].numpy()[0, 0]) <= 1024


class TestPoints:
    def test_pass_as_they_are(self):
        point = np.random.default_rng(0).standard_normal((7, 2)).astype(np.float32)
        inputs = {"target/point": tf.constant(point), "label": tf.constant(range(7), tf.int64)}
        outputs = tf.function(preprocessing_fn)(inputs, told(Points(classes=8)))
        assert set(outputs) == {"target", "label"}
        np.testing.assert_array_equal(outputs["target"], point)
        assert outputs["label"].numpy().tolist() == [[number] for number in range(7)]

    def test_sparse_inputs_of_a_schema_without_shapes(self):
        sparse = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [1, 1]], [1.0, 0.0, 0.0, 2.0], [2, 2])
        outputs = preprocessing_fn({"target/point": sparse}, told(Points()))
        assert outputs["target"].numpy().tolist() == [[1, 0], [0, 2]]


def rows(values, width, of, count):
    """A sparse feature that only these rows of `count` have, as Transform gives it."""
    places = [[row, column] for row in of for column in range(width)]
    return tf.SparseTensor(tf.constant(places, tf.int64, [len(places), 2]), values, [count, width if of else 0])


def stored(role, contents, of, count):
    """The features of an image in these rows of `count`."""
    sizes = rows(tf.zeros([len(of)], tf.int64), 1, of, count)
    return {f"{role}/encoded": rows(tf.constant(contents, tf.string), 1, of, count)} | {
        f"{role}/{name}": sizes for name in ("height", "width", "channels")
    }


def by_row(sparse):
    """Row -> values, of the rows that have any."""
    found = {}
    for (row, _), value in zip(sparse.indices.numpy(), sparse.values.numpy(), strict=True):
        found.setdefault(int(row), []).append(value)
    return found


class TestTwoGroups:
    POINTS = Unpaired(input=Points(source="mixture:ring", classes=8), target=Points(source="mixture:grid"))

    def test_each_row_gets_the_columns_of_its_group_alone(self):
        """If this fails, an example of one domain stands among those of the other."""
        inputs = {
            "group": tf.constant([[1], [0], [1], [0]], tf.int64),
            # 0 is a value like any other
            "input/point": rows([1.0, 0.0, 3.0, 4.0], 2, [1, 3], 4),
            "target/point": rows([5.0, 6.0, 0.0, 8.0], 2, [0, 2], 4),
            "label": rows(tf.constant([0, 7], tf.int64), 1, [1, 3], 4),
        }
        outputs = tf.function(preprocessing_fn)(inputs, told(self.POINTS))
        assert outputs["group"].numpy().tolist() == [[1], [0], [1], [0]]
        assert {name: by_row(outputs[name]) for name in ("input", "target", "label")} == {
            "input": {1: [1, 0], 3: [3, 4]},
            "target": {0: [5, 6], 2: [0, 8]},
            "label": {1: [0], 3: [7]},
        }
        assert outputs.keys() == {"group", "input", "target", "label"}
        assert {name: tuple(outputs[name].dense_shape.numpy()) for name in ("input", "label")} == {
            "input": (4, 2),
            "label": (4, 1),
        }

    def test_images_of_other_sizes_and_depths(self):
        wide, right = noise(30, 40, 3), noise(28, 28, 1)
        inputs = {"group": tf.constant([[0], [1], [1]], tf.int64)}
        inputs |= stored("input", [png(wide)], [0], 3) | stored("target", [png(right)] * 2, [1, 2], 3)
        outputs = tf.function(preprocessing_fn)(
            inputs, told(Unpaired(input=Images(), target=Images(source="folder:x")))
        )
        assert outputs.keys() == {"group", "input", "target"}
        found = {role: by_row(outputs[role]) for role in ("input", "target")}
        assert {role: list(each) for role, each in found.items()} == {"input": [0], "target": [1, 2]}
        assert tf.io.decode_png(found["input"][0][0]).shape == (28, 28, 1)
        np.testing.assert_array_equal(tf.io.decode_png(found["target"][2][0]), right)

    @pytest.mark.parametrize("kind", ["points", "images"])
    def test_a_batch_may_have_rows_of_one_group_only(self, kind):
        """If this fails, Transform stops at a shard of one domain: ingestion writes each domain into its own."""
        inputs = {"group": tf.constant([[1]], tf.int64), "label": rows(tf.constant([], tf.int64), 1, [], 1)}
        if kind == "points":
            data = self.POINTS
            inputs |= {"input/point": rows([], 2, [], 1), "target/point": rows([1.0, 2.0], 2, [0], 1)}
        else:
            data = Unpaired(input=Images(classes=8), target=Images(source="folder:x"))
            inputs |= stored("input", [], [], 1) | stored("target", [png(noise(28, 28, 1))], [0], 1)
        outputs = tf.function(preprocessing_fn)(inputs, told(data))
        assert {name: list(by_row(outputs[name])) for name in ("input", "label", "target")} == {
            "input": [],
            "label": [],
            "target": [0],
        }
