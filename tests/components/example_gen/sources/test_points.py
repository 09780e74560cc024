import numpy as np
import pytest

from components.example_gen.sources import points
from components.example_gen.sources.source import TRAINED, fingerprint, open_source
from models import mixtures
from tests.components.example_gen.sources.listed import items


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
