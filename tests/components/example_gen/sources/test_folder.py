from pathlib import Path

import pytest

from components.example_gen.sources.source import Fault, open_source
from tests.components.example_gen.sources.listed import items
from tests.components.images import write_classes


class TestFolder:
    def test_labels_number_the_classes_by_name(self, folder):
        found = [item for _, item in items(f"folder:{folder}")]
        assert {(Path(item.name).parent.name, item.label) for item in found} == {("ant", 0), ("cat", 1)}
        assert open_source(f"folder:{folder}").classes() == ["ant", "cat"]
        assert len(found) == 5

    def test_flat_means_unlabelled(self, folder):
        found = items(f"folder:{folder}/ant")
        assert [(split, item.label) for split, item in found] == [(None, None)] * 3

    @pytest.mark.parametrize(("choosing", "held_out"), [("val", "test"), ("validation", "eval"), ("val", "eval")])
    def test_three_splits_of_its_own(self, tmp_path, choosing, held_out):
        for name, classes in (("train", {"ant": 2, "cat": 1}), (choosing, {"ant": 1}), (held_out, {"cat": 3})):
            write_classes(tmp_path / name, classes)
        found = items(f"folder:{tmp_path}")
        assert sorted(split for split, _ in found) == ["choose"] + ["eval"] * 3 + ["train"] * 3
        assert {shard.sides for shard in open_source(f"folder:{tmp_path}").shards()} == {
            ("train",),
            ("choose",),
            ("eval",),
        }

    @pytest.mark.parametrize("held_out", ["eval", "val", "validation", "test"])
    def test_its_own_split(self, tmp_path, held_out):
        write_classes(tmp_path / "train", {"ant": 2, "cat": 2})
        write_classes(tmp_path / held_out, {"cat": 3})
        found = items(f"folder:{tmp_path}")
        assert sorted((split, item.label) for split, item in found) == [("eval", 1)] * 3 + [
            ("train", n) for n in (0, 0, 1, 1)
        ]

    def test_a_class_may_be_called_train(self, tmp_path):
        write_classes(tmp_path, {"train": 1, "tram": 1})
        assert sorted((split, item.label) for split, item in items(f"folder:{tmp_path}")) == [(None, 0), (None, 1)]

    def test_nested_folders_count_and_dot_files_do_not(self, folder):
        (folder / "ant" / "deep").mkdir()
        (folder / "ant" / "deep" / "x.png").write_bytes(b"x")
        (folder / "ant" / ".hidden.png").write_bytes(b"x")
        (folder / ".git").mkdir()
        found = [item for _, item in items(f"folder:{folder}")]
        assert len(found) == 6
        assert {item.label for item in found} == {0, 1}

    def test_shards_change_nothing(self, folder, monkeypatch):
        whole = items(f"folder:{folder}")
        monkeypatch.setattr("components.example_gen.sources.folder.SHARD_FILES", 2)
        assert len(list(open_source(f"folder:{folder}").shards())) == 3
        assert items(f"folder:{folder}") == whole

    def test_a_missing_or_empty_folder(self, tmp_path):
        with pytest.raises(ValueError, match="needs a folder of images; there is none"):
            open_source(f"folder:{tmp_path}/none")
        with pytest.raises(ValueError, match="needs at least one image"):
            open_source(f"folder:{tmp_path}")
        (tmp_path / "ant").mkdir()
        with pytest.raises(ValueError, match="needs at least one image"):
            open_source(f"folder:{tmp_path}")

    def test_a_class_that_only_eval_has(self, tmp_path):
        write_classes(tmp_path / "train", {"ant": 1})
        write_classes(tmp_path / "eval", {"ant": 1, "bee": 1})
        with pytest.raises(ValueError, match="to be among those of train, ant; received bee"):
            open_source(f"folder:{tmp_path}")

    def test_a_file_that_cannot_be_read_is_a_fault(self, folder):
        (folder / "ant" / "gone.png").symlink_to(folder / "nowhere")
        faults = [item for _, item in items(f"folder:{folder}") if isinstance(item, Fault)]
        assert [Path(fault.name).name for fault in faults] == ["gone.png"]
        assert "nowhere, which is not there: restore what it points to or remove it" in faults[0].reason
