from hashlib import sha256

import pytest

from components.example_gen.sources.source import SPLITS
from tests.components.example_gen.ingested import by_bytes, run
from tests.components.images import write_classes


class TestSplit:
    def test_it_follows_the_image_and_not_its_place(self, tmp_path, monkeypatch):
        root = write_classes(tmp_path / "one", {"ant": 30, "bee": 30})
        _, before = run(f"folder:{root}", tmp_path / "a", eval_share=0.3)
        # other names, another order, other shards, and newcomers
        for number, file in enumerate(sorted(root.rglob("*.png"), reverse=True)):
            file.rename(file.with_name(f"renamed-{number}.png"))
        write_classes(root / "bee" / "more", {"x": 25}, shape=(3, 3, 3))
        monkeypatch.setattr("components.example_gen.sources.folder.SHARD_FILES", 7)
        _, after = run(f"folder:{root}", tmp_path / "b", eval_share=0.3)
        for split in SPLITS:
            assert set(by_bytes(before[split])) <= set(by_bytes(after[split]))
        assert sum(map(len, after.values())) == 85

    def test_equal_images_do_not_straddle_it(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 20})
        for file in list((root / "ant").iterdir()):
            (root / "ant" / f"copy-{file.name}").write_bytes(file.read_bytes())
        _, splits = run(f"folder:{root}", tmp_path / "out", eval_share=0.4)
        contents = {split: {one["target/encoded"] for one in examples} for split, examples in splits.items()}
        assert not contents["train"] & contents["eval"]
        assert not contents["choose"] & (contents["train"] | contents["eval"])
        assert all(contents.values())
        assert sum(map(len, splits.values())) == 40

    def test_a_larger_share_only_adds_to_eval(self, tmp_path):
        _, small = run("digits", tmp_path / "a", eval_share=0.1)
        _, large = run("digits", tmp_path / "b", eval_share=0.2)
        # distinct digits alone: a few of the set are equal
        assert {one["target/encoded"] for one in small["eval"]} < {one["target/encoded"] for one in large["eval"]}

    def test_what_is_chosen_by_does_not_change_what_is_held_out(self, tmp_path):
        _, without = run("digits", tmp_path / "a", choose_share=0)
        _, some = run("digits", tmp_path / "b", choose_share=0.1)
        _, more = run("digits", tmp_path / "c", choose_share=0.2)
        assert by_bytes(without["eval"]) == by_bytes(some["eval"]) == by_bytes(more["eval"])
        assert set(by_bytes(some["choose"])) < set(by_bytes(more["choose"]))

    def test_without_a_share_there_is_no_choosing_split(self, tmp_path):
        report, splits = run("digits", tmp_path, choose_share=0)
        assert not report.counts["choose"]
        assert not (tmp_path / "Split-choose").exists()
        assert len(splits["train"]) + len(splits["eval"]) == 1797

    def test_one_image_alone_cannot_be_split(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 1}) / "ant"
        with pytest.raises(ValueError, match=r"needs images to train on and others to hold out; .* has none of 1"):
            run(f"folder:{root}", tmp_path / "out")
        assert not list((tmp_path / "out").iterdir())

    def test_a_choosing_split_is_of_both_domains(self, tmp_path):
        first = write_classes(tmp_path / "first", {"ant": 12})
        second = write_classes(tmp_path / "second", {"x": 2})
        both = {"source": f"folder:{first}", "unpaired": f"folder:{second}"}
        with pytest.raises(ValueError, match=r"choosing split has images of both domains; folder:.*second has none"):
            run(directory=tmp_path / "out", **both)
        _, splits = run(directory=tmp_path / "out", choose_share=0, **both)
        assert not splits["choose"]


class TestClassesOfAFew:
    """A class that a side would lack gets its example of smallest key."""

    def test_two_examples_are_enough(self, tmp_path):
        root = write_classes(tmp_path / "in", dict.fromkeys("abcdefghijkl", 2))
        report, _ = run(f"folder:{root}", tmp_path / "out", classes=12)
        assert report.by_class == {str(label): {"train": 1, "eval": 1} for label in range(12)}

    def test_three_are_one_a_side(self, tmp_path):
        root = write_classes(tmp_path / "in", dict.fromkeys("abcdefghijkl", 3))
        report, _ = run(f"folder:{root}", tmp_path / "out", classes=12, eval_share=0.01)
        assert report.by_class == {str(label): {"train": 1, "choose": 1, "eval": 1} for label in range(12)}

    def test_it_is_the_one_of_smallest_key(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 6})
        contents = sorted((file.read_bytes() for file in root.rglob("*.png")), key=lambda one: sha256(one).digest())
        _, splits = run(f"folder:{root}", tmp_path / "out", eval_share=1e-9, choose_share=1e-9)
        assert [one["target/encoded"] for one in splits["eval"]] == contents[:1]
        assert [one["target/encoded"] for one in splits["choose"]] == contents[1:2]

    def test_of_a_source_with_a_split_the_training_part_keeps_one(self, tmp_path):
        for name in ("train", "test"):
            write_classes(tmp_path / "in" / name, {"ant": 1, "bee": 1, "cat": 4}, shape=(4 + len(name), 5, 3))
        report, _ = run(f"folder:{tmp_path}/in", tmp_path / "out", classes=3, choose_share=0.75)
        assert all(counts["train"] and counts["eval"] for counts in report.by_class.values())
        assert report.by_class["2"]["choose"]
        assert report.by_class["0"] == {"train": 1, "eval": 1}

    def test_copies_move_together(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 2, "bee": 30})
        for file in list((root / "ant").iterdir()):
            for number in range(5):
                (root / "ant" / f"copy-{number}-{file.name}").write_bytes(file.read_bytes())
        report, splits = run(f"folder:{root}", tmp_path / "out", classes=2)
        assert report.by_class["0"] == {"train": 6, "eval": 6}
        contents = {split: {one["target/encoded"] for one in examples} for split, examples in splits.items()}
        assert not contents["train"] & contents["eval"]

    def test_shards_decide_nothing(self, tmp_path, monkeypatch):
        root = write_classes(tmp_path / "in", dict.fromkeys("abcdef", 2))
        _, whole = run(f"folder:{root}", tmp_path / "a", classes=6)
        monkeypatch.setattr("components.example_gen.sources.folder.SHARD_FILES", 1)
        _, cut = run(f"folder:{root}", tmp_path / "b", classes=6)
        assert {split: by_bytes(examples) for split, examples in whole.items()} == {
            split: by_bytes(examples) for split, examples in cut.items()
        }
