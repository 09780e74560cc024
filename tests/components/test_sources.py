import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from components.example_gen.images import Picture
from components.example_gen.sources import Fault, fingerprint, open_source
from tests.components.images import image_file, noise, write_classes, write_idx


def items(source):
    opened = open_source(source)
    return [(shard.split, item) for shard in opened.shards() for item in opened.read(shard, pixel_limit=10**6)]


@pytest.fixture
def idx(tmp_path):
    write_idx(tmp_path / "idx", "train", noise(0, 20, 3, 4), np.arange(20) % 10)
    write_idx(tmp_path / "idx", "t10k", noise(1, 5, 3, 4), np.arange(5))
    return tmp_path / "idx"


@pytest.fixture
def folder(tmp_path):
    return write_classes(tmp_path / "folder", {"cat": 2, "ant": 3})


@pytest.mark.parametrize("source", ["digit", "digits:8", "idx", "idx:", "folder:", "tfds", "tfds:", "http://x", ""])
def test_a_source_of_no_known_form_is_refused(source):
    with pytest.raises(ValueError, match=r"^data\.source is digits, idx:DIR"):
        open_source(source)


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    found = [item for _, item in items("digits")]
    assert [item.label for item in found] == load_digits().target.tolist()
    assert len(found) == 1797
    assert {(item.height, item.width, item.channels) for item in found} == {(8, 8, 1)}


class TestIdx:
    @pytest.mark.parametrize("ending", ["", ".gz"])
    def test_splits_labels_and_order(self, tmp_path, ending):
        train, held_out = noise(0, 20, 3, 4), noise(1, 5, 3, 4)
        write_idx(tmp_path, "train", train, np.arange(20), ending)
        write_idx(tmp_path, "t10k", held_out, np.arange(5), ending)
        found = items(f"idx:{tmp_path}")
        assert [(split, item.label) for split, item in found] == [("train", n) for n in range(20)] + [
            ("eval", n) for n in range(5)
        ]
        assert {(item.height, item.width) for _, item in found} == {(3, 4)}

    @pytest.mark.parametrize("ending", ["", ".gz"])
    def test_shards_and_batches_change_nothing(self, idx, ending, monkeypatch):
        if ending:
            for file in list(idx.iterdir()):
                os.system(f"gzip {file}")
        whole = items(f"idx:{idx}")
        monkeypatch.setattr("components.example_gen.idx.SHARD_IMAGES", 3)
        monkeypatch.setattr("components.example_gen.idx.BATCH_PIXELS", 24)
        assert len(list(open_source(f"idx:{idx}").shards())) > 7
        assert items(f"idx:{idx}") == whole

    def test_without_labels_and_test_files(self, tmp_path):
        write_idx(tmp_path, "train", noise(0, 4, 3, 3), None)
        assert [(split, item.label) for split, item in items(f"idx:{tmp_path}")] == [(None, None)] * 4

    @pytest.mark.parametrize("cut", [1, 12, 25])
    def test_a_truncated_file_yields_what_is_whole_and_one_fault(self, idx, cut):
        path = idx / "train-images-idx3-ubyte"
        path.write_bytes(path.read_bytes()[:-cut])
        found = [item for split, item in items(f"idx:{idx}") if split == "train"]
        missing = -(-cut // 12)
        assert [item.label for item in found if isinstance(item, Picture)] == [n % 10 for n in range(20 - missing)]
        assert found[-1] == Fault(str(path), found[-1].reason, missing)
        assert "truncated" in found[-1].reason

    @pytest.mark.parametrize("shard_images", [3, 10_000])
    def test_a_truncated_gzip_loses_only_what_it_lacks(self, tmp_path, monkeypatch, shard_images):
        monkeypatch.setattr("components.example_gen.idx.SHARD_IMAGES", shard_images)
        write_idx(tmp_path, "train", noise(0, 20, 30, 30), np.arange(20), ".gz")
        path = tmp_path / "train-images-idx3-ubyte.gz"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        found = [item for _, item in items(f"idx:{tmp_path}")]
        good = [item for item in found if isinstance(item, Picture)]
        assert [item.label for item in good] == list(range(len(good)))
        assert 5 < len(good) < 15
        assert len(good) + sum(item.images for item in found if isinstance(item, Fault)) == 20

    @pytest.mark.parametrize(("images", "labels"), [(20, 18), (18, 20)])
    def test_counts_that_differ_are_named(self, tmp_path, images, labels):
        write_idx(tmp_path, "train", noise(0, images, 3, 4), np.arange(labels))
        *good, fault = [item for _, item in items(f"idx:{tmp_path}")]
        assert len(good) == 18
        assert fault.images == 2
        assert f"holds {images} images" in fault.reason
        assert f"{labels} labels; each image needs one label" in fault.reason

    def test_images_above_the_pixel_limit_are_not_read(self, idx):
        opened = open_source(f"idx:{idx}")
        shard = next(opened.shards())
        [fault] = opened.read(shard, pixel_limit=11)
        assert fault.images == 20
        assert "has 4 x 3 pixels, more than data.pixel_limit of 11" in fault.reason

    def test_no_files(self, tmp_path):
        (tmp_path / "other.txt").touch()
        with pytest.raises(ValueError, match=r"needs train-images-idx3-ubyte.*found other\.txt$"):
            open_source(f"idx:{tmp_path}")
        with pytest.raises(ValueError, match=r"found nothing$"):
            open_source(f"idx:{tmp_path}/none")

    @pytest.mark.parametrize("content", [b"", b"\0\0", b"not an IDX file at all", b"\0\0\x08\x01" + b"\0\0\0\1" * 3])
    def test_a_foreign_file(self, idx, content):
        (idx / "train-images-idx3-ubyte").write_bytes(content)
        with pytest.raises(ValueError, match="train-images-idx3-ubyte is no IDX file: it must begin with 0x00000803"):
            open_source(f"idx:{idx}")

    def test_a_size_of_zero(self, idx):
        write_idx(idx, "train", np.zeros((0, 3, 3), np.uint8), None)
        with pytest.raises(ValueError, match="declares 0 x 3 x 3; each size must be at least 1"):
            open_source(f"idx:{idx}")


class TestFolder:
    def test_labels_number_the_classes_by_name(self, folder):
        found = [item for _, item in items(f"folder:{folder}")]
        assert {(Path(item.name).parent.name, item.label) for item in found} == {("ant", 0), ("cat", 1)}
        assert open_source(f"folder:{folder}").classes() == ["ant", "cat"]
        assert len(found) == 5

    def test_flat_means_unlabelled(self, folder):
        found = items(f"folder:{folder}/ant")
        assert [(split, item.label) for split, item in found] == [(None, None)] * 3

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
        monkeypatch.setattr("components.example_gen.folder.SHARD_FILES", 2)
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
        assert "cannot be read" in faults[0].reason


def later(path):
    """The same bytes and size, written a tenth of a second later."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 100_000_000))


def append(path):
    stat = path.stat()
    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


class TestFingerprint:
    def test_stays_while_nothing_changes(self, idx, folder):
        for source in ("digits", f"idx:{idx}", f"folder:{folder}"):
            assert fingerprint(source) == fingerprint(source)
        assert fingerprint(f"idx:{idx}") != fingerprint(f"folder:{folder}")

    @pytest.mark.parametrize("change", [later, append])
    @pytest.mark.parametrize("file", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
    def test_changes_with_an_idx_file(self, idx, change, file):
        before = fingerprint(f"idx:{idx}")
        change(idx / file)
        assert fingerprint(f"idx:{idx}") != before

    @pytest.mark.parametrize(
        "change",
        [
            lambda root: later(root / "ant" / "1.png"),
            lambda root: append(root / "ant" / "1.png"),
            lambda root: (root / "ant" / "1.png").rename(root / "ant" / "9.png"),
            lambda root: (root / "ant" / "1.png").unlink(),
            lambda root: shutil.copy2(root / "ant" / "1.png", root / "cat" / "1b.png"),
            lambda root: (root / "new.png").write_bytes(image_file(noise(9, 3, 3))),
        ],
    )
    def test_changes_with_a_folder(self, folder, change):
        before = fingerprint(f"folder:{folder}")
        change(folder)
        assert fingerprint(f"folder:{folder}") != before

    def test_a_missing_source_has_none(self, tmp_path):
        with pytest.raises(ValueError, match="needs a folder"):
            fingerprint(f"folder:{tmp_path}/none")
