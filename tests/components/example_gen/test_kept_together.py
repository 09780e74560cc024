import numpy as np
import pytest
from PIL import Image

from components.example_gen.ingest import ingest
from components.example_gen.sources.source import SPLITS, TRANSFER, open_source
from models.config import Images, Pairs
from tests.components.example_gen.paired import COUNT, keys, numbers, picture, run, write_folders
from tests.components.images import image_file, make_pipeline, noise, read_split


class TestKeptTogether:
    def write(self, root):
        """24 pairs of six blocks, which the first letter of a name says."""
        for side in "AB":
            (root / side).mkdir(parents=True)
            for number in range(COUNT):
                (root / side / f"{'uvwxyz'[number % 6]}-{number}.png").write_bytes(image_file(picture(number, side)))
        return root

    def test_by_a_part_of_the_name(self, tmp_path):
        """If this fails, neighbours of held-out map patches are trained on."""
        _, found = run(self.write(tmp_path / "in"), tmp_path / "out", split_by="name:^([a-z])-", eval_share=0.4)
        blocks = {split: {number % 6 for number in numbers(each)} for split, each in found.items() if each}
        assert blocks.keys() >= {"train", "eval"}
        assert sorted(block for each in blocks.values() for block in each) == list(range(6))

    def test_single_images_as_well(self, tmp_path):
        root = self.write(tmp_path / "in") / "A"
        (tmp_path / "out").mkdir()
        data = Images(source=f"folder:{root}", split_by="name:^.", channels=3, eval_share=0.4)
        ingest(data, str(tmp_path / "out"), make_pipeline)
        blocks = [{n % 6 for n in numbers(read_split(tmp_path / "out", split))} for split in SPLITS]
        assert sorted(block for each in blocks for block in each) == list(range(6))

    def test_a_name_without_the_part(self, tmp_path):
        root = self.write(tmp_path / "in")
        with pytest.raises(
            ValueError, match=r"4 bad of 24 pairs.*has no part in its path that data.split_by=name:\^\[u-y"
        ):
            run(root, tmp_path / "out", split_by="name:^[u-y]")

    def test_by_several_parts(self, tmp_path):
        source = f"folder:{self.write(tmp_path / 'in')}"
        found = keys(Pairs(source=source, split_by=r"name:^(.)-(\d)", resolution=8))
        together = {(place[0], place[2]): key for place, key in found.items()}
        assert all(key == together[place[0], place[2]] for place, key in found.items())
        assert len(set(found.values())) == len(together) < COUNT

    def test_by_folder(self, tmp_path):
        root = write_folders(tmp_path / "in", 3, name="f{number}/x.png")
        for number in range(3):
            for side in "AB":
                (root / side / f"f{number}" / "y.png").write_bytes(image_file(noise(number, 8, 8, 3)))
        found = keys(Pairs(source=f"folder:{root}", split_by="folder", resolution=8))
        assert [found[f"f{number}/x.png"] == found[f"f{number}/y.png"] for number in range(3)] == [True] * 3
        assert len(set(found.values())) == 3

    def test_near_duplicates_by_their_inputs(self, tmp_path):
        root = tmp_path / "in"
        for number in range(COUNT):
            smooth = Image.fromarray(noise(number // 2, 4, 4, 3)).resize((32, 32), Image.Resampling.BICUBIC)
            pixels = np.asarray(smooth).astype(int)
            for side in "AB":
                (root / side).mkdir(parents=True, exist_ok=True)
                shown = pixels if side == "A" else np.full_like(pixels, 10 * number)
                changed = (shown + number % 2).clip(0, 255).astype(np.uint8)
                (root / side / f"{number}.png").write_bytes(image_file(changed))
        tree, found = run(root, tmp_path / "out", split_by="near_duplicates", eval_share=0.4, resolution=32)
        assert tree["notes"]["near_duplicates"][0] == COUNT // 2
        assert "near_duplicates_held_out" not in tree["notes"]
        assert all(found[split] for split in ("train", "eval"))


class TestTransfer:
    def test_is_in_no_other_split(self, tmp_path):
        tree, found = run(write_folders(tmp_path / "in"), tmp_path / "out", transfer=r"^1\d\.png$")
        assert numbers(found["transfer"]) == list(range(10, 20))
        others = [number for split in SPLITS for number in numbers(found[split])]
        assert sorted(others) == [*range(10), *range(20, COUNT)]
        assert tree["counts"]["transfer"] == 10

    def test_of_a_folder(self, tmp_path):
        root = write_folders(tmp_path / "in", 6)
        for side in "AB":
            (root / side / "far").mkdir()
            for number in range(4):
                (root / side / f"{number}.png").rename(root / side / "far" / f"{number}.png")
        opened = open_source(Pairs(source=f"folder:{root}", transfer="^far/"))
        found = {shard.sides: set(shard.part.places) for shard in opened.shards()}
        assert found[TRANSFER,] == {f"far/{number}.png" for number in range(4)}
        assert found[SPLITS] == {"4.png", "5.png"}

    @pytest.mark.parametrize(("pattern", "found"), [("^x", "none"), (".", "all")])
    def test_of_none_or_all(self, tmp_path, pattern, found):
        with pytest.raises(ValueError, match=f"holds out some pairs of .* is found in {found} of 24 paths, such as"):
            open_source(Pairs(source=f"folder:{write_folders(tmp_path / 'in')}", transfer=pattern))
