import numpy as np
import pytest
import tensorflow as tf

from models.config import Images, Points, Unpaired
from models.examples import arrays as arrays_module
from models.examples.arrays import Arrays, compared_with, read_examples, reference
from tests.harness import DATA, write_examples
from tests.models.examples.small import ARRAYS, RING_AND_GRID, Pairs


def example(label=None, group=None, **points):
    """A transformed example: points by role, and integers."""
    feature = {role: tf.train.Feature(float_list=tf.train.FloatList(value=point)) for role, point in points.items()}
    for name, value in (("label", label), ("group", group)):
        if value is not None:
            feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    return tf.train.Example(features=tf.train.Features(feature=feature))


def write(directory, *files):
    """Lists of examples, a file each; returns their pattern."""
    directory.mkdir(exist_ok=True)
    for number, examples in enumerate(files):
        with tf.io.TFRecordWriter(str(directory / f"{number}.gz"), "GZIP") as writer:
            for each in examples:
                writer.write(each.SerializeToString())
    return [str(directory / "*")]


class TestReadExamples:
    def test_reads_what_was_written(self, tmp_path):
        arrays = read_examples(write_examples(tmp_path), DATA)
        assert arrays.target.shape == (40, 16, 16, 1)
        assert arrays.target.dtype == np.uint8
        assert sorted(arrays.label) == sorted([0, 1, 2] * 13 + [0])
        for image, label in zip(arrays.target, arrays.label, strict=True):
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
        np.testing.assert_array_equal(one.target, two.target)
        np.testing.assert_array_equal(one.label, two.label)
        assert one.digest == two.digest

    def test_another_content_is_another_digest(self, tmp_path):
        digests = {read_examples(write_examples(tmp_path / str(seed), seed=seed), DATA).digest for seed in (0, 1)}
        assert len(digests) == 2

    def test_a_set_too_large_for_memory_reads_the_same(self, tmp_path, monkeypatch):
        pattern = write_examples(tmp_path)
        expected = read_examples(pattern, DATA).target
        monkeypatch.setattr(arrays_module, "IN_MEMORY_BYTES", 1000)
        images = read_examples(pattern, DATA).columns["target"]
        assert isinstance(images, np.memmap)
        np.testing.assert_array_equal(images, expected)

    def test_points_are_read_as_they_are(self, tmp_path):
        points = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
        pattern = write(tmp_path, [example(label, target=point) for label, point in enumerate(points)])
        arrays = read_examples(pattern, Points(source="mixture:ring", classes=8))
        assert arrays.target.dtype == np.float32
        np.testing.assert_array_equal(arrays.target, points[arrays.label])

    def test_columns_of_one_group_keep_their_rows(self, tmp_path):
        """If this fails, a model learns from pairs that are none."""
        examples = [example(n % 8, input=[n, 0], target=[n, 1]) for n in range(20)]
        arrays = read_examples(write(tmp_path, examples), Pairs())
        assert arrays.groups == (("input", "target", "label"),)
        assert sorted(arrays.target[:, 0]) == list(range(20))
        np.testing.assert_array_equal(arrays.columns["input"][:, 0], arrays.target[:, 0])
        np.testing.assert_array_equal(arrays.target[:, 0] % 8, arrays.label)

    def test_pairs_of_the_same_examples_in_another_order_are_other_content(self, tmp_path):
        """If this fails, a measurement of one set of pairs stands for another."""
        numbers = np.arange(6)
        digests = {
            read_examples(
                write(tmp_path / str(shift), [example(0, input=[n, 0], target=[(n + shift) % 6, 1]) for n in numbers]),
                Pairs(),
            ).digest
            for shift in range(2)
        }
        assert len(digests) == 2

    @pytest.fixture
    def two_groups(self):
        """Examples of two groups: 0, 2, 4 with labels, and 1, 3, 5."""
        return [example(n, 0, input=[n, n]) if n % 2 == 0 else example(group=1, target=[n, n]) for n in range(6)]

    def test_groups_are_kept_apart(self, tmp_path, two_groups):
        arrays = read_examples(write(tmp_path, two_groups), RING_AND_GRID)
        assert arrays.groups == (("input", "label"), ("target",))
        np.testing.assert_array_equal(arrays.columns["input"][:, 0], arrays.columns["label"])
        assert sorted(arrays.columns["label"]) == [0, 2, 4]
        assert arrays.label is None, "the targets have none"
        assert sorted(arrays.target[:, 0]) == [1, 3, 5]

    def test_how_groups_lie_in_files_decides_nothing(self, tmp_path, two_groups):
        """If this fails, a run that ingested with another number of workers trains on another order."""
        ways = [two_groups], [two_groups[::-1]], [two_groups[0::2], two_groups[1::2]], [two_groups[4:], two_groups[:4]]
        found = [read_examples(write(tmp_path / str(n), *way), RING_AND_GRID) for n, way in enumerate(ways)]
        assert len({each.digest for each in found}) == 1
        for each in found[1:]:
            for role, values in found[0].columns.items():
                np.testing.assert_array_equal(each.columns[role], values)

    def test_an_example_in_the_other_group_is_other_content(self, tmp_path):
        """If this fails, a measurement of one translation stands for that of the reverse."""
        data = Unpaired(input=Points(source="mixture:ring"), target=Points(source="mixture:grid"))
        digests = set()
        for number, groups in enumerate(((0, 1), (1, 0))):
            roles = [("input", "target")[group] for group in groups]
            examples = [
                example(group=group, **{role: [value, 0]})
                for value, (group, role) in enumerate(zip(groups, roles, strict=True))
            ]
            digests.add(read_examples(write(tmp_path / str(number), examples), data).digest)
        assert len(digests) == 2

    def test_an_empty_group_is_an_error(self, tmp_path):
        pattern = write(tmp_path, [example(n, group=0, input=[n, n]) for n in range(2)])
        with pytest.raises(ValueError, match="there are 2 of the first, 0 of the second"):
            read_examples(pattern, RING_AND_GRID)

    def test_no_file_is_an_error_that_names_the_pattern(self, tmp_path):
        with pytest.raises(ValueError, match=r"none matches .*nothing"):
            read_examples([str(tmp_path / "nothing*")], DATA)

    def test_another_size_is_an_error(self, tmp_path):
        pattern = write_examples(tmp_path)
        with pytest.raises(ValueError, match=r"\[32, 32, 1\]; received \[16, 16, 1\]"):
            read_examples(pattern, Images(resolution=32, classes=3))


class TestComparedWith:
    def test_is_the_choosing_split_where_it_has_two_examples(self):
        two = ARRAYS.rows(np.arange(2))
        assert compared_with(ARRAYS, two) is two

    @pytest.mark.parametrize(
        "choose",
        [
            None,
            ARRAYS.rows(np.arange(1)),
            Arrays({"input": np.zeros(5), "target": np.zeros(1)}, (("input",), ("target",))),
        ],
        ids=["none", "one", "one of the second group"],
    )
    def test_is_what_is_trained_on_where_it_has_fewer_and_says_so(self, choose, caplog):
        assert compared_with(ARRAYS, choose) is ARRAYS
        assert "compare with training examples" in caplog.text


class TestReference:
    def test_is_scaled_as_networks_take_it_and_keeps_labels_with_their_images(self):
        images = np.array([0, 51, 255], np.uint8)[:, None, None, None]
        data = Images(resolution=16, channels=1, classes=3)
        found = reference(Arrays.aligned(images, np.array([0, 1, 2])), data, count=100, seed=3)
        # 51 / 127.5 - 1
        np.testing.assert_allclose(found["target"].ravel(), np.array([-1, -0.6, 1])[found["label"]], atol=1e-6)
        assert sorted(found["label"]) == [0, 1, 2]

    def test_columns_of_one_group_keep_their_rows(self):
        points = np.arange(40, dtype=np.float32).reshape(20, 2)
        found = reference(Arrays.aligned(points, np.arange(20) % 8, input=-points), Pairs(), count=9, seed=0)
        assert len(found["target"]) == 9
        np.testing.assert_array_equal(found["input"], -found["target"])
        np.testing.assert_array_equal(found["label"], found["target"][:, 0] / 2 % 8)

    def test_groups_are_chosen_from_each_by_itself_and_are_of_one_number(self):
        points = np.arange(40, dtype=np.float32).reshape(20, 2)
        columns = {"input": points, "label": np.arange(20) % 8, "target": points[:15]}
        found = reference(Arrays(columns, (("input", "label"), ("target",))), RING_AND_GRID, count=100, seed=0)
        assert {len(each) for each in found.values()} == {15}
        np.testing.assert_array_equal(found["label"], found["input"][:, 0] / 2 % 8)
        assert sorted(found["target"][:, 0]) == sorted(points[:15, 0])
        assert (found["input"] != found["target"]).any()


def test_aligned_columns_of_different_lengths_are_refused():
    """If this fails, a pair's rows slip against each other, and a model learns to make other pictures of pictures."""
    with pytest.raises(ValueError, match="aligned columns have one length; received target 10, input 9"):
        Arrays.aligned(np.zeros([10, 2], np.float32), input=np.zeros([9, 2], np.float32))
