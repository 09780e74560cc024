import json

import pytest

from pipeline.experiments import reached
from pipeline.experiments.named import DIGITS_CGAN, EXPERIMENTS


def row(**changes):
    metrics = [
        {"metric": "noise", "mean": 1.5, "sd": 0.1},
        {"metric": "coverage", "mean": 0.9512, "sd": 0.0071},
    ]
    own = {"experiment": "digits-cgan", "recipe": reached.recipe(DIGITS_CGAN), "tried": 20, "blessed": 19}
    return own | {"cores": 2, "minutes": {"mean": 3.9, "most": 5}, "metrics": metrics} | changes


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """Puts rows where the results are packaged."""

    def packaged(*rows):
        (tmp_path / "results").mkdir()
        (tmp_path / "results" / "recipes.json").write_text(json.dumps({"rows": rows}))
        monkeypatch.setattr(reached.importlib.resources, "files", lambda package: tmp_path)

    return packaged


def test_in_a_line(packaged):
    packaged(row())
    assert reached.reached(DIGITS_CGAN) == "blessed 19 of 20; coverage 0.951 ± 0.007; 4 min of 2 cores"
    assert reached.reached(EXPERIMENTS["mnist-dcgan"]) == "-"


def test_without_coverage_the_first_metric_stands_for_it(packaged):
    packaged(row(metrics=row()["metrics"][:1]))
    assert reached.reached(DIGITS_CGAN) == "blessed 19 of 20; noise 1.5 ± 0.1; 4 min of 2 cores"


def test_figures_of_another_recipe_are_not_shown(packaged):
    packaged(row())
    assert reached.reached(DIGITS_CGAN.override(["training.steps=9"])) == "-"
    assert reached.reached(DIGITS_CGAN.override(["description=another", "serving.latency_milliseconds=9"])) != "-"


@pytest.mark.parametrize("error", [ModuleNotFoundError, FileNotFoundError])
def test_a_dash_where_no_results_are_packaged(monkeypatch, error):
    def files(package):
        raise error

    monkeypatch.setattr(reached.importlib.resources, "files", files)
    assert reached.reached(DIGITS_CGAN) == "-"


@pytest.mark.parametrize(
    ("mean", "deviation", "scale", "shown"),
    [
        (0.9512, 0.0071, 1, "0.951 ± 0.007"),
        (0.9512, 0.0071, 100, "95.1 ± 0.7"),
        (12.34, 2.2, 1, "12 ± 2"),
        (0.5, 0.0, 1, "0.500 ± 0.000"),
        (0.9512, None, 1, "0.951"),
    ],
)
def test_a_mean_is_as_precise_as_its_deviation(mean, deviation, scale, shown):
    assert reached.with_deviation({"mean": mean, "sd": deviation}, scale) == shown
