import posixpath
import zipfile

import numpy as np
import pytest
from PIL import Image

from components.example_gen.aligned import Row, read_row
from components.example_gen.sources.source import SPLITS, TRAINED, Fault, fingerprint, open_source
from models.config import Pairs
from tests.components.example_gen.paired import (
    COUNT,
    check_aligned,
    numbers,
    picture,
    rows,
    run,
    write_folders,
    write_halves,
)
from tests.components.images import decode, image_file, noise


class TestTwoFolders:
    def test_are_matched_by_name(self, tmp_path):
        """If this fails, an input is trained towards the target of another."""
        tree, found = run(write_folders(tmp_path / "in"), tmp_path / "out")
        check_aligned(found)
        assert tree["counts"] == {split: len(found[split]) for split in SPLITS}
        assert (tree["bad"], tree["depths"]) == (0, {"3": COUNT})

    def test_in_the_other_direction(self, tmp_path):
        data = Pairs(source=f"folder:{write_folders(tmp_path / 'in', 3)}", direction="BtoA", resolution=8)
        for number, row in enumerate(rows(data)):
            np.testing.assert_array_equal(decode(row.pictures["input"].encoded), picture(number, "B"))
            np.testing.assert_array_equal(decode(row.pictures["target"].encoded), picture(number, "A"))

    def test_of_other_names_and_endings(self, tmp_path):
        root = write_folders(tmp_path / "in", names=("photo", "map"), endings=("png", "PNG"))
        (root / "more").mkdir()
        (root / "more" / "x.png").write_bytes(image_file(noise(99, 8, 8, 3)))
        tree, found = run(root, tmp_path / "out", folders=("photo", "map"))
        check_aligned(found)
        assert tree["notes"]["passed_over"] == [1, ["more/x.png"]]

    @pytest.mark.parametrize("layout", ["train/A", "A/train"])
    def test_around_splits_and_within_them(self, tmp_path, layout):
        """If this fails, what a user holds out is trained on."""
        for split, first in (("train", 0), ("val", 10), ("test", 20)):
            for side in "AB":
                folder = tmp_path / "in" / layout.replace("train", split).replace("A", side)
                folder.mkdir(parents=True)
                for number in range(first, first + 10):
                    (folder / f"{number}.png").write_bytes(image_file(picture(number, side)))
        opened = open_source(Pairs(source=f"folder:{tmp_path / 'in'}"))
        shards = opened.shards()
        found = {shard.sides: sorted(posixpath.basename(each) for each in shard.part.places) for shard in shards}
        assert found == {
            (split,): [f"{number}.png" for number in range(first, first + 10)]
            for split, first in (("train", 0), ("choose", 10), ("eval", 20))
        }

    def test_in_a_zip_archive(self, tmp_path):
        root = write_folders(tmp_path / "in")
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            for file in sorted(root.rglob("*.png")):
                archive.write(file, file.relative_to(tmp_path))
        found = rows(Pairs(source=f"zip:{tmp_path}/in.zip", resolution=8))
        assert found == rows(Pairs(source=f"folder:{root}", resolution=8))
        assert len(found) == COUNT

    def test_a_changed_partner_changes_the_fingerprint(self, tmp_path):
        data = Pairs(source=f"folder:{write_folders(tmp_path / 'in')}")
        before = fingerprint(data)
        (tmp_path / "in" / "B" / "3.png").write_bytes(image_file(noise(1, 9, 9, 3)))
        assert fingerprint(data) != before

    def test_the_source_travels_without_its_files(self, tmp_path):
        opened = open_source(Pairs(source=f"folder:{write_folders(tmp_path / 'in')}"))
        assert (opened.__getstate__()["_seen"], opened.__getstate__()["_files"]) == (None, {})


class TestSideBySide:
    @pytest.mark.parametrize(("direction", "sides"), [("AtoB", "AB"), ("BtoA", "BA")])
    def test_left_is_a_and_right_is_b(self, tmp_path, direction, sides):
        _, found = run(write_halves(tmp_path / "in"), tmp_path / "out", layout="halves", direction=direction)
        check_aligned(found, *sides)

    def test_is_not_said_to_be_cropped(self, tmp_path):
        """Twice as wide as high is what such a file is."""
        tree, _ = run(write_halves(tmp_path / "in"), tmp_path / "out", layout="halves")
        assert tree["notes"] == {}

    def test_splits_by_the_whole_file_in_both_passes(self, tmp_path):
        """If this fails, the pass that looks for lacking sides knows other keys than the pass that writes."""
        data = Pairs(source=f"folder:{write_halves(tmp_path / 'in', 3)}", layout="halves", resolution=8)
        opened = open_source(data)
        (shard,) = opened.shards()
        found = [read_row(item, data).key for item in opened.read(shard, data=data)]
        assert [head.key for head in opened.heads(shard, data=data)] == found
        assert len(set(found)) == 3

    def test_of_an_odd_width(self, tmp_path):
        root = write_halves(tmp_path / "in", 2)
        (root / "0.png").write_bytes(image_file(noise(0, 8, 15, 3)))
        first, second = rows(Pairs(source=f"folder:{root}", layout="halves", resolution=8))
        assert first.endswith("in/0.png is 15 pixels wide: two images side by side have an even width")
        assert isinstance(second, Row)


class TestWhatDoesNotMatch:
    """One line that names the files."""

    def test_in_number(self, tmp_path):
        root = write_folders(tmp_path / "in")
        (root / "B" / "7.png").unlink()
        with pytest.raises(
            ValueError, match=r"one of the same name in B; A has 24 and B 23, and without a partner are A/7.png$"
        ):
            open_source(Pairs(source=f"folder:{root}"))

    def test_in_name(self, tmp_path):
        root = write_folders(tmp_path / "in")
        (root / "B" / "7.png").rename(root / "B" / "x.png")
        with pytest.raises(ValueError, match=r"A has 24 and B 24, and without a partner are A/7.png, B/x.png$"):
            open_source(Pairs(source=f"folder:{root}"))

    def test_twice_one_name(self, tmp_path):
        root = write_folders(tmp_path / "in")
        (root / "A" / "7.jpg").write_bytes(image_file(noise(0, 8, 8, 3), "JPEG"))
        with pytest.raises(ValueError, match=r"one image a name in A; it has A/7.jpg and A/7.png"):
            open_source(Pairs(source=f"folder:{root}"))

    def test_in_size(self, tmp_path):
        root = write_folders(tmp_path / "in", 2)
        (root / "B" / "1.png").write_bytes(image_file(noise(0, 8, 12, 3)))
        first, second = rows(Pairs(source=f"folder:{root}", resolution=8))
        assert isinstance(first, Row)
        wrong = "make no pair: input and target are of one size, and have 8 x 8 and 12 x 8 pixels"
        assert second == f"{root}/A/1.png and {root}/B/1.png {wrong}"

    def test_in_proportion(self, tmp_path):
        """Where a target is twice as large as its input, so is its image."""
        root = write_folders(tmp_path / "in", 2)
        data = Pairs(source=f"folder:{root}", resolution=8, input_resolution=4)
        assert all("in the proportion of 4 to 8, and have 8 x 8 and 8 x 8" in each for each in rows(data))
        for number in range(2):
            (root / "A" / f"{number}.png").write_bytes(image_file(picture(number, "A", size=4)))
        assert [row.pictures["input"].height for row in rows(data)] == [4, 4]

    def test_in_number_of_channels(self, tmp_path):
        root = write_folders(tmp_path / "in", 1)
        (root / "A" / "0.png").write_bytes(image_file(noise(0, 8, 8)))
        data = Pairs(source=f"folder:{root}", resolution=8, mixed_channels="refuse")
        assert rows(data)[0].endswith("make no pair: the input has 1 channels where the data have 3")
        assert isinstance(rows(data.model_copy(update={"input_channels": 1}))[0], Row)

    def test_a_bad_file_takes_its_partner_with_it(self, tmp_path):
        root = write_folders(tmp_path / "in")
        (root / "B" / "7.png").write_bytes(b"")
        bad = r"1 bad of 24 pairs.*in/A/7.png and .* make no pair: .*in/B/7.png is no image: it is empty"
        with pytest.raises(ValueError, match=bad):
            run(root, tmp_path / "out")
        tree, found = run(root, tmp_path / "out", bad_image_tolerance=0.1)
        assert tree["bad"] == 1
        assert numbers([each for split in found.values() for each in split]) == [*range(7), *range(8, COUNT)]

    def test_an_image_above_the_limit(self, tmp_path):
        data = Pairs(source=f"folder:{write_folders(tmp_path / 'in', 1)}", resolution=8, pixel_limit=63)
        assert "A/0.png has 8 x 8 pixels, more than data.pixel_limit of 63" in rows(data)[0]

    def test_without_the_folders(self, tmp_path):
        with pytest.raises(
            ValueError, match=r"needs images in the folders A and B .*; A has none: .*data.layout=halves"
        ):
            open_source(Pairs(source=f"folder:{write_halves(tmp_path / 'in')}"))

    def test_a_file_that_is_gone(self, tmp_path):
        data = Pairs(source=f"folder:{write_folders(tmp_path / 'in', 2)}", resolution=8)
        opened = open_source(data)
        (shard,) = opened.shards()
        (tmp_path / "in" / "A" / "1.png").unlink()
        found = list(opened.read(shard, data=data))
        assert [type(each) is Fault for each in sorted(found, key=lambda each: each.name)] == [False, True]
        assert any("A/1.png" in str(each) for each in found if isinstance(each, Fault))


def test_two_folders_hold_splits_of_their_own(tmp_path):
    root = write_folders(tmp_path / "in", name="train/{number}.png")
    for side in "AB":
        (root / side / "val").mkdir()
        (root / side / "val" / "x.png").write_bytes(image_file(picture(200, side)))
    opened = open_source(Pairs(source=f"folder:{root}"))
    assert {shard.sides for shard in opened.shards()} == {TRAINED, ("eval",)}


def test_transparency_is_laid_on_white_in_both_halves(tmp_path):
    clear = np.zeros([8, 16, 4], np.uint8)
    clear[..., 3] = 255 * (np.arange(16) > 12)
    write_halves(tmp_path, 0)
    Image.fromarray(clear).save(tmp_path / "0.png")
    (row,) = rows(Pairs(source=f"folder:{tmp_path}", layout="halves", resolution=8))
    assert decode(row.pictures["input"].encoded).min() == 255
    assert decode(row.pictures["target"].encoded)[0, :, 0].tolist() == [255] * 5 + [0] * 3
    assert [each.handled for each in row.pictures.values()] == [("white",), ("white",)]
