import numpy as np
import pytest
from PIL import Image

from benchmarks import reporting
from benchmarks.papers import fgan, parzen, runs


@pytest.fixture
def small(few_digits, monkeypatch):
    monkeypatch.setattr(parzen, "TRAINED_ON", 40)
    monkeypatch.setattr(parzen, "SAMPLES", 40)
    monkeypatch.setattr(parzen, "SHOWN", 20)
    return few_digits


def short(recipe):
    fields = {"steps": 2, "batch_size": 16, "jit": False, "precision": "float32"}
    changes = {f"training.{name}": value for name, value in fields.items()}
    return runs.changed(recipe, changes | {"scheme.generator.width": 8, "scheme.discriminator.width": 8})


def test_a_divergence_trains(small, tmp_path):
    run = runs.Run("a", short(fgan.experiment("jeffrey")))
    figures = runs.figures(run, runs.Work(parzen.examples, parzen.measure), tmp_path)
    assert np.isfinite(figures["nats"])
    assert figures["steps"] == 2
    assert parzen.picture(tmp_path, [run]).size == (4 + 4 * (28 + 4), 4 + 5 * (28 + 4))


def test_the_estimate_is_of_the_test_split_by_a_bandwidth_of_the_other(small):
    # samples that are the test split have it exactly; those of the validation split would have no bandwidth
    near = parzen.estimate(small[60:, ..., None] / 255 + 0.01)
    far = parzen.estimate(1 - small[60:, ..., None] / 255)
    assert near.value > far.value + 100


def test_nothing_to_train_on_is_taken_from_validation(small):
    recipe = parzen.experiment({})
    np.testing.assert_array_equal(parzen.examples(recipe).target[..., 0], small[:40])


class TestJudge:
    def test_both_marks(self):
        names = [mark["name"] for mark in parzen.judge([{"nats": 225.0}, {"nats": 242.9}]) if mark["holds"]]
        assert names == ["maxout_gan_nats"]

    def test_a_generator_that_diverged_holds_none(self):
        assert not any(mark["holds"] for mark in parzen.judge([{"diverged": "at step 3"}] * 2))


class TestBench:
    def test_fgan_ranks_the_divergences(self, small, tmp_path, monkeypatch):
        nats = dict(zip(fgan.PUBLISHED, range(9), strict=True))

        def measured(todo, work, root):
            return [{"diverged": "at step 3"} if run.name == "kl" else {"nats": nats[run.name]} for run in todo]

        kept = {}
        monkeypatch.setattr(runs, "carry_out", measured)
        monkeypatch.setattr(reporting, "finish", lambda name, **result: kept.update(result) or 0)
        assert fgan.main(tmp_path) == 0
        places = {row["divergence"]: row["place"] for row in kept["rows"]}
        assert places["jeffrey"] == 1
        assert places["kl"] == 9

    def test_parzen_trains_each_and_draws_its_picture_beside_the_figure_of_real_images(
        self, small, tmp_path, monkeypatch
    ):
        recipe = parzen.experiment
        monkeypatch.setattr(parzen, "experiment", lambda changes: short(recipe(changes)))
        monkeypatch.setattr(runs, "carry_out", lambda todo, *rest: [runs.figures(run, *rest) for run in todo])
        monkeypatch.setattr(reporting, "DOCS", tmp_path)
        kept = {}
        monkeypatch.setattr(reporting, "finish", lambda name, **result: kept.update(result) or 4)
        assert parzen.main(tmp_path) == 4
        measured = [row["generator"] for row in kept["rows"] if "nats" in row]
        assert all(np.isfinite(row["nats"]) for row in kept["rows"] if "nats" in row)
        assert measured == ["10,000 training images themselves", *parzen.ENTRIES]
        assert Image.open(tmp_path / "results-parzen.png").height == 4 + 10 * 32
