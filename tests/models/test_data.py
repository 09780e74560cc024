import numpy as np
import pytest
import tensorflow as tf

from models import data as data_module
from models.config import Images, Points, Training, Unpaired
from models.data import Arrays, batches, compared_with, read_examples, reference
from tests.harness import DATA, write_examples

ARRAYS = Arrays(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1), np.arange(10))
RING_AND_GRID = Unpaired(input=Points(source="mixture:ring", classes=8), target=Points(source="mixture:grid"))


def labels(count, *, first_step=0, replicas=1, workers=1, worker=0, seed=0, batch_size=4, draws=1):
    context = tf.distribute.InputContext(workers, worker, replicas)
    training = Training(steps=1, batch_size=batch_size, seed=seed)
    dataset = batches(ARRAYS, training, draws=draws, first_step=first_step, context=context)
    return np.array([element["label"] for element in dataset.take(count).as_numpy_iterator()])


def write_points(directory, points, domains=None):
    """Transformed points, with a label that is the point's place in the list."""
    with tf.io.TFRecordWriter(str(directory / "points.gz"), "GZIP") as writer:
        for i, point in enumerate(points):
            feature = {
                "point": tf.train.Feature(float_list=tf.train.FloatList(value=point)),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[i % 8])),
            }
            if domains:
                feature["domain"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[domains[i]]))
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    return [str(directory / "*")]


class TestReadExamples:
    def test_reads_what_was_written(self, tmp_path):
        arrays = read_examples(write_examples(tmp_path), DATA)
        assert arrays.examples.shape == (40, 16, 16, 1)
        assert arrays.examples.dtype == np.uint8
        assert sorted(arrays.labels) == sorted([0, 1, 2] * 13 + [0])
        for image, label in zip(arrays.examples, arrays.labels, strict=True):
            assert (image[3 * label : 3 * label + 6, 3 * label : 3 * label + 6] == 255).all(), "a label left its image"

    def test_how_examples_lie_in_files_decides_nothing(self, tmp_path):
        (pattern,) = write_examples(tmp_path / "one")
        records = list(tf.data.TFRecordDataset(tf.io.gfile.glob(pattern), "GZIP").as_numpy_iterator())
        (tmp_path / "two").mkdir()
        for name, part in (("a.gz", records[25:]), ("b.gz", records[24::-1])):
            with tf.io.TFRecordWriter(str(tmp_path / "two" / name), "GZIP") as writer:
                for record in part:
                    writer.write(record)
        one, two = (read_examples([str(tmp_path / name / "*")], DATA) for name in ("one", "two"))
        np.testing.assert_array_equal(one.examples, two.examples)
        np.testing.assert_array_equal(one.labels, two.labels)
        assert one.digest == two.digest

    def test_another_content_is_another_digest(self, tmp_path):
        digests = {read_examples(write_examples(tmp_path / str(seed), seed=seed), DATA).digest for seed in (0, 1)}
        assert len(digests) == 2

    def test_a_set_too_large_for_memory_reads_the_same(self, tmp_path, monkeypatch):
        pattern = write_examples(tmp_path)
        expected = read_examples(pattern, DATA).examples
        monkeypatch.setattr(data_module, "IN_MEMORY_BYTES", 1000)
        images = read_examples(pattern, DATA).examples
        assert isinstance(images, np.memmap)
        np.testing.assert_array_equal(images, expected)

    def test_points_are_read_as_they_are(self, tmp_path):
        points = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
        arrays = read_examples(write_points(tmp_path, points), Points(source="mixture:ring", classes=8))
        assert arrays.examples.dtype == np.float32
        np.testing.assert_array_equal(arrays.examples, points[arrays.labels])

    def test_a_second_domain_is_kept_apart(self, tmp_path):
        points = [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]]
        arrays = read_examples(write_points(tmp_path, points, domains=[0, 1, 0, 1, 1]), RING_AND_GRID)
        assert sorted(arrays.examples[:, 0]) == [0, 2]
        assert sorted(arrays.labels) == [0, 2]
        assert sorted(arrays.unpaired[:, 0]) == [1, 3, 4]

    def test_an_empty_domain_is_an_error(self, tmp_path):
        with pytest.raises(ValueError, match="there are 2 of the first, 0 of the second"):
            read_examples(write_points(tmp_path, [[0, 0], [1, 1]], domains=[0, 0]), RING_AND_GRID)

    def test_no_file_is_an_error_that_names_the_pattern(self, tmp_path):
        with pytest.raises(ValueError, match=r"none matches .*nothing"):
            read_examples([str(tmp_path / "nothing*")], DATA)

    def test_another_size_is_an_error(self, tmp_path):
        pattern = write_examples(tmp_path)
        with pytest.raises(ValueError, match=r"\[32, 32, 1\]; received \[16, 16, 1\]"):
            read_examples(pattern, Images(resolution=32, classes=3))


class TestBatches:
    def test_each_epoch_holds_every_example_once(self):
        seen = labels(5).ravel()
        assert sorted(seen[:10]) == list(range(10))
        assert sorted(seen[10:]) == list(range(10))
        assert list(seen[:10]) != list(seen[10:])

    def test_entered_late_goes_on_as_if_from_the_start(self):
        np.testing.assert_array_equal(labels(7)[3:], labels(4, first_step=3))

    def test_another_seed_is_another_order(self):
        assert (labels(2) != labels(2, seed=1)).any()

    def test_replicas_share_the_same_global_batch(self):
        # two replicas of one worker: consecutive elements are the halves of a step's batch
        whole, halves = labels(3), labels(6, replicas=2)
        np.testing.assert_array_equal(whole, halves.reshape(3, 1, 4))

    def test_workers_share_the_same_global_batch(self):
        first, second = (labels(3, replicas=2, workers=2, worker=worker) for worker in (0, 1))
        np.testing.assert_array_equal(labels(3), np.concatenate([first, second], axis=2))

    def test_the_draws_of_a_step_are_fresh(self):
        element = labels(1, draws=2)[0]
        assert element.shape == (2, 4)
        assert len(set(element.ravel())) == 8

    def test_the_second_domain_has_an_order_of_its_own(self):
        points = np.arange(20, dtype=np.float32).reshape(10, 2)
        arrays = Arrays(points, None, points[:7] + 100)
        context = tf.distribute.InputContext(1, 0, 1)
        dataset = batches(arrays, Training(steps=1, batch_size=5), draws=1, first_step=0, context=context)
        first, second, *_ = dataset.take(7).as_numpy_iterator()
        assert {"x", "x_unpaired"} == first.keys()
        assert sorted(np.concatenate([first["x"][0], second["x"][0]])[:, 0]) == sorted(points[:, 0])
        taken = np.concatenate([element["x_unpaired"][0] for element in dataset.take(7).as_numpy_iterator()])
        for epoch in np.split(taken, 5):
            assert sorted(epoch[:, 0]) == sorted(points[:7, 0] + 100), "each epoch holds each of the 7 once"

    def test_a_later_phase_goes_on_where_the_one_before_it_ended(self):
        context = tf.distribute.InputContext(1, 0, 1)
        training = Training(steps=1, batch_size=2)

        def drawn(count, **options):
            dataset = batches(ARRAYS, training, context=context, **options)
            return np.concatenate([each["label"].ravel() for each in dataset.take(count).as_numpy_iterator()])

        whole = drawn(10, draws=1, first_step=0)
        # 3 steps of 2 draws, then steps of 1 draw
        parts = [drawn(3, draws=2, first_step=0), drawn(4, draws=1, first_step=0, drawn_before=6)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


class TestComparedWith:
    def test_is_the_choosing_split_where_it_has_two_examples(self):
        two = Arrays(ARRAYS.examples[:2], None)
        assert compared_with(ARRAYS, two) is two

    @pytest.mark.parametrize(
        "choose",
        [None, Arrays(ARRAYS.examples[:1], None), Arrays(ARRAYS.examples[:5], None, ARRAYS.examples[:1])],
        ids=["none", "one", "one of the second domain"],
    )
    def test_is_what_is_trained_on_where_it_has_fewer_and_says_so(self, choose, caplog):
        assert compared_with(ARRAYS, choose) is ARRAYS
        assert "compare with training examples" in caplog.text


def test_the_reference_is_scaled_as_networks_take_it_and_keeps_labels_with_their_images():
    images = np.array([0, 51, 255], np.uint8)[:, None, None, None]
    taken = reference(Arrays(images, np.array([0, 1, 2])), count=100, seed=3)
    # 51 / 127.5 - 1
    np.testing.assert_allclose(taken["x"].ravel(), np.array([-1, -0.6, 1])[taken["label"]], atol=1e-6)
    assert sorted(taken["label"]) == [0, 1, 2]
