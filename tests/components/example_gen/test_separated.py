"""Pairs of which training sees one image each: from files into examples, validated, transformed and read."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components import preflight
from components.example_gen.ingest import ingest
from components.example_gen.rows import Rows
from components.example_gen.sources.source import EVAL, SPLITS, TRAIN, TRANSFER, open_source
from models.columns import kind_of
from models.config import Evaluation, Images, Pairs, Separated, Unpaired
from models.examples.arrays import read_examples
from models.examples.preprocessing import preprocessing_fn
from tests.components.example_gen.paired import picture
from tests.components.images import decode, image_file, make_pipeline, noise, read_split

COUNT, BLOCKS = 96, "abcdefghijkl"


def block(number: int) -> str:
    return BLOCKS[number % len(BLOCKS)]


def pair(example: dict, role: str) -> int:
    """The number of the pair that an image is of."""
    return int(decode(example[f"{role}/encoded"])[0, 0, 0])


@pytest.fixture(scope="module")
def by_split(tmp_path_factory):
    """Pairs of twelve blocks, which the first letter of a name says, ingested."""
    root = tmp_path_factory.mktemp("separated")
    for side in "AB":
        (root / side).mkdir()
        for number in range(COUNT):
            (root / side / f"{block(number)}-{number}.png").write_bytes(image_file(picture(number, side)))
    (root / "out").mkdir()
    data = Separated(source=f"folder:{root}", resolution=8, split_by="name:^[a-l]", transfer="^[ab]-", eval_share=0.3)
    ingest(data, str(root / "out"), make_pipeline)
    return {split: read_split(root / "out", split) for split in (*SPLITS, TRANSFER)}


class TestIngested:
    def test_a_training_row_has_one_image(self, by_split):
        """If this fails, a translation without pairs was trained on pairs."""
        for each in by_split["train"]:
            (role,) = {name.partition("/")[0] for name in each} - {"group"}
            assert each["group"] == ("input", "target").index(role)

    def test_blocks_of_the_two_domains_are_disjoint(self, by_split):
        """If this fails, the other image of a trained block, next to the partner, is trained on."""
        found = {
            role: {block(pair(each, role)) for each in by_split["train"] if f"{role}/encoded" in each}
            for role in ("input", "target")
        }
        assert all(found.values())
        assert not found["input"] & found["target"]
        held_out = {block(pair(each, "input")) for split in ("choose", "eval") for each in by_split[split]}
        assert not held_out & (found["input"] | found["target"])

    def test_held_out_pairs_are_whole(self, by_split):
        held_out = [each for split in ("choose", "eval", TRANSFER) for each in by_split[split]]
        assert {block(pair(each, "input")) for each in by_split[TRANSFER]} == {"a", "b"}
        assert len(held_out) + len(by_split["train"]) == COUNT
        for each in held_out:
            assert each["group"] == 2
            np.testing.assert_array_equal(decode(each["input/encoded"]), picture(pair(each, "input"), "A"))
            np.testing.assert_array_equal(decode(each["target/encoded"]), picture(pair(each, "input"), "B"))

    def test_near_duplicates_are_of_one_domain(self, tmp_path):
        """If this fails, training sees an image of one domain and almost its partner in the other."""
        known = [noise(scene, 32, 32, 3) // 2 for scene in range(24)]
        for number in range(48):
            pixels = known[number // 2]
            for side in "AB":
                (tmp_path / side).mkdir(exist_ok=True)
                shown = pixels if side == "A" else np.full_like(pixels, 5 * number)
                changed = (shown + number % 2).clip(0, 255).astype(np.uint8)
                (tmp_path / side / f"{number}.png").write_bytes(image_file(changed))
        (tmp_path / "out").mkdir()
        data = Separated(source=f"folder:{tmp_path}", resolution=32, split_by="near_duplicates")
        ingest(data, str(tmp_path / "out"), make_pipeline)
        trained = read_split(tmp_path / "out", "train")
        inputs, targets = (
            [decode(each[f"{role}/encoded"]).astype(int) for each in trained if f"{role}/encoded" in each]
            for role in ("input", "target")
        )
        taken = {int(np.argmin([np.abs(each - of).mean() for of in known])) for each in inputs}
        drawn = {each[0, 0, 0] // 10 for each in targets}
        assert taken
        assert drawn
        assert not taken & drawn


class TestRows:
    def test_a_key_that_decides_the_split_does_not_decide_the_domain(self):
        """If this fails, with eval_share 0.5 all training rows are of one domain."""
        rows = Rows.of(Separated(source="folder:x"), 0)
        groups = [rows.row(bytes([255, *7 * [0], *23 * [9], last]), TRAIN)[1] for last in range(4)]
        assert groups == [0, 1, 0, 1]
        assert {rows.row(bytes([first] * 32), EVAL)[1] for first in range(9)} == {2}

    @pytest.mark.parametrize("side", [TRAIN, EVAL])
    def test_of_other_data(self, side):
        """If this fails, examples of other data say of a group what they did not say before."""
        one, two = Images(classes=3), Unpaired(input=Images(classes=3), target=Images(source="idx:x"))
        assert Rows.of(one, 0).row(b"", side) == (one.columns, None)
        assert [Rows.of(two, number).row(b"", side) for number in range(2)] == [
            (two.columns[:2], 0),
            (two.columns[2:], 1),
        ]
        whole = Pairs(source="folder:x")
        assert Rows.of(whole, 0).row(b"\1", side) == (whole.columns, None)


class TestTransformed:
    DATA = Separated(source="folder:x", resolution=8)

    def transformed(self, groups):
        """Rows of these groups; an image is as bright as the number of its row, a target 100 brighter."""
        inputs = {"group": tf.constant([[group] for group in groups], tf.int64)}
        having = {"input": (0, 2), "target": (1, 2)}
        for role, of in having.items():
            rows = [row for row, group in enumerate(groups) if group in of]
            images = [np.full([8, 8, 3], row + 100 * (role == "target"), np.uint8) for row in rows]
            places = [[row, 0] for row in rows]
            for name in kind_of(self.DATA.columns[0]).ingested(self.DATA.columns[0]._replace(role=role)):
                values = [image_file(each) if name.endswith("encoded") else 8 for each in images]
                inputs[name] = tf.SparseTensor(places, values, [len(groups), 1])
        return tf.function(preprocessing_fn)(inputs, {"data": json.dumps(self.DATA.essential())})

    def test_rows_of_each_group_and_of_both(self, tmp_path):
        """If this fails, a held-out input is judged against the target of another row."""
        groups = [2, 0, 1, 2, 1, 0, 2]
        outputs = self.transformed(groups)
        assert outputs["input"].indices.numpy()[:, 0].tolist() == [0, 1, 3, 5, 6]
        assert outputs["target"].indices.numpy()[:, 0].tolist() == [0, 2, 3, 4, 6]
        dense = {role: tf.sparse.to_dense(outputs[role]).numpy() for role in ("input", "target")}
        for name, kept in (("train", (0, 1)), ("eval", (2,))):
            with tf.io.TFRecordWriter(str(tmp_path / name), "GZIP") as writer:
                for row, group in enumerate(groups):
                    if group in kept:
                        feature = {"group": tf.train.Feature(int64_list=tf.train.Int64List(value=[group]))}
                        for role in ("input", "target"):
                            if dense[role][row, 0]:
                                stored = tf.train.BytesList(value=[dense[role][row, 0]])
                                feature[role] = tf.train.Feature(bytes_list=stored)
                        example = tf.train.Example(features=tf.train.Features(feature=feature))
                        writer.write(example.SerializeToString())
        trained = read_examples([str(tmp_path / "train")], self.DATA)
        assert trained.groups == (("input",), ("target",))
        assert sorted(trained.columns["input"][:, 0, 0, 0]) == [1, 5]
        assert sorted(trained.columns["target"][:, 0, 0, 0]) == [102, 104]
        held_out = read_examples([str(tmp_path / "eval")], self.DATA.held_out)
        assert held_out.groups == (("input", "target"),)
        brightness = {role: held_out.columns[role][:, 0, 0, 0].astype(int) for role in ("input", "target")}
        np.testing.assert_array_equal(brightness["target"], brightness["input"] + 100)
        assert sorted(brightness["input"]) == [0, 3, 6]


def test_half_of_the_training_pairs_are_counted():
    """If this fails, a batch that no domain fills, or a bound that no run could judge, is refused too late."""
    data = Separated(source="folder:x")
    counts = [{"train": 20, "eval": 9}]
    preflight.check_counts(data, Evaluation(), 10, counts, {}, "translate")
    with pytest.raises(ValueError, match=r"received 11, and folder:x has 10 in train"):
        preflight.check_counts(data, Evaluation(), 11, counts, {}, "translate")
    preflight.check_counts(data.held_out, Evaluation(), 20, counts, {}, "translate")


def test_the_files_are_read_as_those_of_pairs(tmp_path):
    for side in "AB":
        (tmp_path / side).mkdir()
        (tmp_path / side / "0.png").write_bytes(image_file(picture(0, side)))
    opened = open_source(Separated(source=f"folder:{tmp_path}"))
    assert [shard.part.places for shard in opened.shards() if shard.part.places] == [("0.png",)]
