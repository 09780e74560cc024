import numpy as np
import pytest

from components.example_gen.images import read_picture
from components.example_gen.sources import points
from components.example_gen.sources.source import SPLITS, TRAINED, open_source, split_of
from models.config import Images
from tests.components.example_gen.sources.listed import heads, items
from tests.components.images import noise, write_idx


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
