import numpy as np
import pytest

from components.example_gen.sources import stacked
from components.example_gen.sources.source import SPLITS, fingerprint, open_source, split_of
from models.config import Images, Stacked
from tests.components.example_gen.sources.listed import items
from tests.components.images import decode, noise, write_classes, write_idx


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
