"""Steps at the size of the papers: what is measured in a process of its own, and what is not done again."""

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks import reporting
from benchmarks.experiments import full_size, recipes
from pipeline.experiments.named import EXPERIMENTS, TINY
from tests.models.gans.test_lapgan import pyramid
from tests.translators import deblurrer


def test_every_experiment_is_proved_by_trainings_or_by_a_step():
    """If this fails, a listed experiment is proved by nothing. `tiny` is proved by the tests."""
    assert full_size.PUBLISHED.keys() | recipes.PLANS.keys() == EXPERIMENTS.keys() - {"tiny"}
    assert not full_size.PUBLISHED.keys() & recipes.PLANS.keys()


class TestSteps:
    def test_takes_one_of_each_phase(self):
        """By hand: a halving of 8 pixels by 5x5 to 4 channels, a logit of 4x4 of these, an embedding of 3 labels."""
        found = full_size.steps(pyramid(coarse_steps=3, training={"steps": 4}))
        assert list(found["seconds"]) == ["level_0", "level_1", "level_2"]
        assert found["parameters"]["discriminator_0"] == (25 * 4 + 4) + (64 + 1) + 3 * 64
        assert found["imported_bytes"] <= found["peak_bytes"]

    def test_shows_what_lies_around_a_crop(self):
        """If this fails, photographs that are blurred have no pixels beside their edges."""
        found = full_size.steps(deblurrer(training={"steps": 2}))
        assert list(found["seconds"])
        assert found["parameters"].keys() == {"generator", "discriminator"}

    def test_a_step_that_gives_no_number_is_an_error(self):
        broken = TINY.override(['scheme.objective.penalties={"r1": 1e39}'])  # more than float32 holds
        with pytest.raises(ValueError, match=r"a step of tiny gives d_\w+ (nan|inf)"):
            full_size.steps(broken)


class TestMeasured:
    @pytest.fixture
    def calls(self, monkeypatch):
        """What is called in the place of a process that measures; a test says what it does."""
        made = []

        def run(arguments, **options):
            made.append(options)
            found = {"parameters": {}, "seconds": {}, "imported_bytes": 0, "peak_bytes": 2**30}
            Path(arguments[-1]).write_text(json.dumps(found))

        monkeypatch.setattr(subprocess, "run", run)
        return made

    def test_once_for_each_recipe(self, calls, tmp_path):
        for experiment in (TINY, TINY, TINY.override(["training.steps=7"])):
            assert full_size.measured(experiment, tmp_path)["peak_bytes"] == 2**30
        assert len(calls) == 2

    def test_what_takes_too_long_is_said_and_tried_again(self, tmp_path, monkeypatch):
        monkeypatch.setattr(full_size, "MOST_SECONDS", 0.2)
        skipped = full_size.measured(TINY, tmp_path)
        assert skipped == {"skipped": "more than 0.2 s"}
        assert not list(tmp_path.glob("tiny-????????.json"))

    def test_what_fails_is_named(self, tmp_path):
        lost = EXPERIMENTS["photographs-srgan-x4"].override(["scheme.content.file=/nowhere"])
        with pytest.raises(ValueError, match="photographs-srgan-x4 ended with exit code 1; its words are above"):
            full_size.measured(lost, tmp_path)


def test_rows_of_other_experiments_stay(tmp_path, monkeypatch):
    found = {"parameters": {"generator": 5}, "seconds": {"game": 1.5}, "imported_bytes": 2**29, "peak_bytes": 2**30}
    monkeypatch.setattr(full_size, "measured", lambda experiment, root: found)
    monkeypatch.setattr(reporting, "RESULTS", tmp_path)
    monkeypatch.setattr(reporting, "DOCS", tmp_path)
    for name in ("lapgan", "pix2pix"):
        assert full_size.main(tmp_path, [name]) == 0
    rows = json.loads((tmp_path / "full-size.json").read_text())["rows"]
    assert [each["experiment"] for each in rows] == ["pix2pix", "lapgan"]
    assert rows[0]["peak_gib"] == 1.0
    assert rows[0]["networks"] == [{"network": "generator", "weights": 5, "published": 54_414_000}]


def test_an_experiment_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"pix2pixx is no experiment of full size; did you mean pix2pix\?"):
        full_size.main(tmp_path, ["pix2pixx"])
