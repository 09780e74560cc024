import os

import numpy as np
import pytest

from components.example_gen.images import Picture
from components.example_gen.sources.source import Fault, open_source
from models.config import Images
from tests.components.example_gen.sources.listed import items
from tests.components.images import noise, write_idx


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
        monkeypatch.setattr("components.example_gen.sources.idx.SHARD_IMAGES", 3)
        monkeypatch.setattr("components.example_gen.sources.idx.BATCH_PIXELS", 24)
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
        monkeypatch.setattr("components.example_gen.sources.idx.SHARD_IMAGES", shard_images)
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
        [fault] = opened.read(shard, data=Images(pixel_limit=11))
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
