import sys

import numpy as np
import pytest
import yaml
from PIL import ImageOps

from models.config import Experiment
from pipeline.cli import main
from pipeline.new import looking, pairing, telling, translating, writing
from tests.pipeline.new.looks import blob, planned, write


class TestPairs:
    """If these fail, pairs are learnt as two classes without a word, or classes are called pairs."""

    def write_both(self, folder, other, names=("A", "B"), within=""):
        write(folder / within / names[0], [blob(n, (40, 40)) for n in range(30)])
        write(folder / within / names[1], [other(n) for n in range(30)], "jpg")
        return looking.look(f"folder:{folder}")

    @pytest.mark.parametrize("within", ["", "train"])
    def test_other_colours_in_the_same_places(self, tmp_path, within):
        look = self.write_both(tmp_path, lambda n: ImageOps.invert(blob(n, (40, 40), grey=True)), within=within)
        paired = pairing.find(look)
        assert paired.folders == ("A", "B")
        names = [tuple(looking.names(look, pair)) for pair in paired.partners]
        assert len(names) == 30
        assert all(within in a and a.endswith(f"A/{b.rpartition('/')[2][:-4]}.png") for a, b in names)

    def test_an_experiment_translates_them(self, tmp_path):
        """If this fails, `ganworks new` writes a translator that does not parse, or that learns the wrong way round."""
        look = self.write_both(tmp_path, lambda n: ImageOps.invert(blob(n, (40, 40))).convert("L"), ("photo", "map"))
        paired = pairing.find(look)
        plan = planned(look, paired=paired)
        read = Experiment.parse(yaml.safe_load(writing.to_yaml(plan.chosen.choices, [])))
        assert read == plan.experiment
        data = read.data
        assert (read.scheme.task, data.name, data.folders) == ("translate", "pairs", ("map", "photo"))
        assert (data.resolution, data.channels, data.input_channels) == (32, 3, 1)
        assert sum(plan.chosen.counts.by_split.values()) == 30
        lines = list(telling.next_lines(paired, plan, tmp_path / "my.yaml", tmp_path / "my.html"))
        assert "the experiment draws photo from map; to draw new images of both instead: --task generate" in lines
        lines = list(telling.next_lines(paired, planned(look), tmp_path / "my.yaml", tmp_path / "my.html"))
        assert "to draw photo from map instead: --task translate" in lines

    def test_an_output_has_to_be_nearer_than_another_real_image(self):
        """If this fails, a translator is blessed whose outputs have nothing to do with what it was given."""
        random = np.random.default_rng(0)
        flat = np.repeat(random.integers(0, 256, 400), 64 * 64 * 3).reshape(400, 64, 64, 3).astype(np.uint8)
        psnr = next(wish for wish in translating.wishes(flat) if wish.metric == "psnr").bounds["at_least"]
        one, two = random.integers(0, 256, (2, 100_000))
        apart = 10 * np.log10(255**2 / ((one - two) ** 2).clip(0.25))
        assert psnr == pytest.approx(apart.mean() + 1, abs=0.6)

    def test_translate_without_pairs_is_refused(self, tmp_path, monkeypatch):
        write(tmp_path / "images", [blob(n) for n in range(50)])
        output = tmp_path / "my.yaml"
        arguments = ["new", str(tmp_path / "images"), "--output", str(output), "--task", "translate"]
        monkeypatch.setattr(sys, "argv", ["ganworks", *arguments])
        with pytest.raises(SystemExit, match=r"^error: translate needs pairs: two folders .* has none$"):
            main()
        assert not output.exists()

    @pytest.mark.parametrize("side", [24, 31])
    def test_pairs_of_too_few_pixels_are_refused(self, tmp_path, side):
        write(tmp_path / "A", [blob(n, (side, side)) for n in range(30)])
        write(tmp_path / "B", [ImageOps.invert(blob(n, (side, side))) for n in range(30)])
        look = looking.look(f"folder:{tmp_path}")
        with pytest.raises(ValueError, match=rf"^pairs have at least 32 pixels a side; most images .* have {side}"):
            planned(look, paired=pairing.find(look))

    def test_two_classes_with_the_same_names_are_none(self, tmp_path):
        assert pairing.find(self.write_both(tmp_path, lambda n: blob(100 + n, (40, 40)))) is None

    def test_other_sizes_or_names_are_none(self, tmp_path):
        assert pairing.find(self.write_both(tmp_path / "sizes", lambda n: blob(n, (48, 40)))) is None
        look = self.write_both(tmp_path / "names", lambda n: blob(n, (40, 40)))
        (tmp_path / "names" / "B" / "7.jpg").rename(tmp_path / "names" / "B" / "x.jpg")
        assert pairing.find(look) is not None
        assert pairing.find(looking.look(look.source)) is None
