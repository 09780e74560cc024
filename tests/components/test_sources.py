import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from components.example_gen.images import Picture, read_picture
from components.example_gen.sources import points, stacked
from components.example_gen.sources.source import SPLITS, TRAINED, Fault, fingerprint, open_source, split_of
from models import mixtures
from models.config import Images, Stacked
from tests.components.images import decode, image_file, noise, write_classes, write_idx

NAMES = {SPLITS: None, TRAINED: "train"}
"""Sides of a divided shard -> how the tests name it; a shard that is not divided has the name of its split."""


def items(source):
    opened = open_source(source)
    return [
        (NAMES.get(shard.sides, shard.sides[0]), item)
        for shard in opened.shards()
        for item in opened.read(shard, data=Images())
    ]


def heads(source):
    opened = open_source(source)
    return [(head.key, head.label) for shard in opened.shards() for head in opened.heads(shard, data=Images())]


class TestSplitOf:
    def key(self, place):
        return int(place * 2**64).to_bytes(8, "big") + bytes(24)

    @pytest.mark.parametrize(("place", "split"), [(0.19, "eval"), (0.21, "choose"), (0.29, "choose"), (0.31, "train")])
    def test_eval_comes_first_and_then_choose(self, place, split):
        assert split_of(self.key(place), SPLITS, Images(eval_share=0.2, choose_share=0.1)) == split

    @pytest.mark.parametrize(("place", "split"), [(0.09, "choose"), (0.11, "train")])
    def test_what_a_source_trains_on_is_divided_in_two(self, place, split):
        assert split_of(self.key(place), TRAINED, Images(eval_share=0.2, choose_share=0.1)) == split

    def test_a_split_of_its_own_stays(self):
        assert split_of(self.key(0), ("train",), Images()) == "train"

    def test_eval_does_not_depend_on_choose(self):
        keys = [self.key(place) for place in np.linspace(0, 0.999, 500)]
        with_choose, without = (
            {key for key in keys if split_of(key, SPLITS, Images(choose_share=share)) == "eval"} for share in (0.1, 0)
        )
        assert with_choose == without


@pytest.fixture
def idx(tmp_path):
    write_idx(tmp_path / "idx", "train", noise(0, 20, 3, 4), np.arange(20) % 10)
    write_idx(tmp_path / "idx", "t10k", noise(1, 5, 3, 4), np.arange(5))
    return tmp_path / "idx"


@pytest.fixture
def folder(tmp_path):
    return write_classes(tmp_path / "folder", {"cat": 2, "ant": 3})


@pytest.mark.parametrize(
    "source", ["digit", "digits:8", "idx", "idx:", "folder:", "tfds", "tfds:", "http://x", "stacked:", ""]
)
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


class TestPoints:
    def test_splits_are_of_their_size_and_share_no_point(self):
        found = items("mixture:grid")
        counts = {split: sum(each == split for each, _ in found) for split in ("train", "eval")}
        assert counts == {"train": 100_000, "eval": 10_000}
        assert len({point.coordinates for _, point in found}) > 109_000

    def test_they_are_those_of_the_mixture_and_equal_in_every_run(self, monkeypatch):
        monkeypatch.setitem(points.COUNTS, TRAINED, 0)
        found = items("mixture:ring")
        assert found == items("mixture:ring")
        coordinates = np.array([point.coordinates for _, point in found])
        gaps = coordinates - mixtures.ring().centres[[point.label for _, point in found]]
        assert np.abs(gaps.mean(axis=0)).max() < 4 * 0.01 / 100
        assert gaps.std() == pytest.approx(0.01, rel=0.03)

    def test_the_fingerprint_is_the_mixtures(self):
        assert fingerprint("mixture:ring") == fingerprint("mixture:ring") != fingerprint("mixture:grid")

    def test_classes_say_where_the_modes_are(self):
        assert open_source("mixture:ring").classes()[:3] == ["(1, 0)", "(0.707, 0.707)", "(0, 1)"]
        assert len(open_source("mixture:grid").classes()) == 25

    def test_an_unknown_mixture(self):
        with pytest.raises(ValueError, match="cross is no mixture of the catalog; choose from grid, ring"):
            open_source("mixture:cross")


class TestHeads:
    """The first pass has to see the same keys and labels as the second."""

    @pytest.mark.parametrize("ending", ["", ".gz"])
    def test_of_idx(self, tmp_path, ending):
        write_idx(tmp_path, "train", noise(0, 20, 3, 4), np.arange(20) % 10, ending)
        write_idx(tmp_path, "t10k", noise(1, 5, 3, 4), None, ending)
        found = heads(f"idx:{tmp_path}")
        assert found == [(item.key, item.label) for _, item in items(f"idx:{tmp_path}")]
        assert len(found) == 25

    def test_of_a_folder(self, folder):
        pictures = [read_picture(item.content, item.label, pixel_limit=100) for _, item in items(f"folder:{folder}")]
        assert heads(f"folder:{folder}") == [(picture.key, picture.label) for picture in pictures]

    def test_of_points(self, monkeypatch):
        monkeypatch.setattr(points, "SHARD_POINTS", 50_000)
        assert heads("mixture:ring") == [(item.key, item.label) for _, item in items("mixture:ring")]


@pytest.fixture
def few_triples(monkeypatch):
    monkeypatch.setattr(stacked, "COUNTS", {"train": 600, "eval": 300, "choose": 300})
    monkeypatch.setattr(stacked, "SHARD_IMAGES", 300)


@pytest.mark.usefixtures("few_triples")
class TestStacked:
    def test_a_channel_is_a_digit_of_the_split_and_the_label_names_all_three(self):
        singles = {"train": set(), "eval": set(), "choose": set()}
        for _, item in items("digits"):
            singles[split_of(item.key, SPLITS, Images())].add((decode(item.encoded).tobytes(), item.label))
        assert not singles["choose"] & (singles["train"] | singles["eval"])
        found = items("stacked:digits")
        assert [split for split, _ in found] == ["train"] * 600 + ["eval"] * 300 + ["choose"] * 300
        for split, item in found:
            assert (item.height, item.width, item.channels) == (8, 8, 3)
            pixels, label = decode(item.encoded), item.label
            for channel, digit in enumerate((label // 100, label // 10 % 10, label % 10)):
                assert (pixels[..., channel].tobytes(), digit) in singles[split]

    def test_without_a_share_to_choose_by_there_are_none(self):
        opened = open_source("stacked:digits")
        (shard,) = [shard for shard in opened.shards() if shard.sides == ("choose",)]
        assert not list(opened.read(shard, data=Stacked(source="stacked:digits", choose_share=0)))
        assert len(list(opened.read(shard, data=Stacked(source="stacked:digits", choose_share=0.1)))) == 300

    def test_triples_are_random_and_the_same_in_every_run(self):
        found = items("stacked:digits")
        assert found == items("stacked:digits")
        labels = np.array([item.label for _, item in found])
        # 900 of 1000 classes, drawn at random: 1000 (1 - 0.999^900) = 594 are there, sd 13
        assert 540 < len(set(labels[:900])) < 650
        assert len({item.encoded for _, item in found}) == 1200

    def test_a_source_with_a_split_keeps_it(self, idx):
        for split, item in items(f"stacked:idx:{idx}"):
            # the test files of this fixture hold the digits 0 to 4
            digits = {item.label // 100, item.label // 10 % 10, item.label % 10}
            assert split != "eval" or max(digits) <= 4

    def test_files_are_looked_into(self, tmp_path):
        root = write_classes(tmp_path / "in", {str(digit): 6 for digit in range(10)}, shape=(5, 5))
        assert {item.channels for _, item in items(f"stacked:folder:{root}")} == {3}

    def test_changed_content_is_read_again(self, idx):
        before = items(f"stacked:idx:{idx}")
        write_idx(idx, "train", noise(5, 20, 3, 4), np.arange(20) % 10)
        assert items(f"stacked:idx:{idx}") != before
        assert fingerprint(f"stacked:idx:{idx}") != fingerprint(f"idx:{idx}")

    @pytest.mark.parametrize("source", ["stacked:mixture:ring", "stacked:stacked:digits"])
    def test_what_has_no_grey_images(self, source):
        with pytest.raises(ValueError, match=f"made of grey images of digits; received {source}"):
            open_source(source)

    def test_colours_other_sizes_and_other_labels(self, tmp_path, idx):
        write_classes(tmp_path / "colour", {"0": 9, "1": 9})
        with pytest.raises(ValueError, match=r"has 3 channels and the label [01]$"):
            items(f"stacked:folder:{tmp_path}/colour")
        write_classes(tmp_path / "sizes", {"0": 9}, shape=(5, 5))
        write_classes(tmp_path / "sizes/0/more", {"0": 9}, shape=(5, 6))
        with pytest.raises(ValueError, match=r"have one size; .* has \[5, [56]\] and \[5, [56]\]"):
            items(f"stacked:folder:{tmp_path}/sizes")
        write_idx(idx, "train", noise(0, 20, 3, 4), np.arange(20))
        with pytest.raises(ValueError, match=r"a label of 0 to 9; .* has 1 channels and the label 10"):
            items(f"stacked:idx:{idx}")

    def test_a_bad_image_stops_it(self, tmp_path):
        root = write_classes(tmp_path / "in", {"0": 9, "1": 9}, shape=(5, 5))
        (root / "0" / "bad.png").write_bytes(b"no")
        with pytest.raises(ValueError, match=r"every image of folder:.* to be sound; .*bad\.png is no image"):
            items(f"stacked:folder:{root}")

    def test_too_much_to_hold(self, idx, monkeypatch):
        monkeypatch.setattr(stacked, "MAX_BYTES", 100)
        with pytest.raises(ValueError, match=r"are small; a split of .* has more than 100 pixels"):
            items(f"stacked:idx:{idx}")


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

    @pytest.mark.parametrize("changed", [0, 1])
    def test_of_two_domains_changes_with_either(self, folder, idx, changed):
        sources = (f"folder:{folder}", f"idx:{idx}")
        before = fingerprint(*sources)
        assert fingerprint(*sources) == before != fingerprint(sources[0])
        later((folder / "ant" / "1.png", idx / "train-images-idx3-ubyte")[changed])
        assert fingerprint(*sources) != before

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
