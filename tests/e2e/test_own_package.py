"""A package of the user's own, with its data, kind of column, task, scheme and networks, through the whole line.

It lies beside the experiment in a folder of its own, and touches no file of ours.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.export.reading import read_interface

pytestmark = pytest.mark.e2e

HERE = Path(__file__).parent
GANWORKS = [sys.executable, "-P", "-c", "from pipeline.cli import main; main()"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What a user has: a package and an experiment."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copytree(HERE / "wavelab", folder / "wavelab", ignore=shutil.ignore_patterns("*.yaml", "__pycache__"))
    shutil.copy(HERE / "wavelab" / "toy.yaml", folder)
    return folder


def ganworks(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(HERE.parent.parent), "COLUMNS": "200"}
    command = [*GANWORKS, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def done(folder):
    done = ganworks(folder, "run", "toy.yaml", "--root", "root")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def summary(folder, done):
    return json.loads((folder / "root" / "summary.json").read_text())


def test_every_stage_runs_and_the_model_is_pushed(summary):
    states = {stage["name"]: stage["state"] for stage in summary["stages"]}
    assert [name for name, state in states.items() if state != "ran"] == ["Baseline"]
    assert len(states) == 11
    assert summary["blessed"] is True
    assert summary["served"].startswith("served: ")
    assert (Path(summary["pushed"]) / "saved_model.pb").exists()


def test_what_is_served_is_called_as_its_kind_says(summary):
    interface = read_interface(summary["pushed"])
    assert interface.task == "wavelab.task:Continue"
    main = interface.signatures["serving_default"]
    for tensors, role in ((main.inputs, "input"), (main.outputs, "target")):
        assert tensors["wave"].role == role
        assert tensors["wave"].shape == (None, 16, 1)
        assert tensors["wave"].range == (-5, 5)
    assert set(interface.signatures) == {"serving_default", "discriminate", "interface"}


def test_it_is_judged_by_the_metrics_of_any_kind_and_of_its_truth(summary):
    metrics = json.loads((Path(summary["report"]).parent / "metrics.json").read_text())["metrics"]
    measured = {name for name, each in metrics.items() if each["value"] is not None}
    assert {"squared_error", "fcd_cnn", "kid_cnn", "coverage", "novelty"} <= measured
    assert metrics["squared_error"]["value"] < 0.5
    assert not measured & {"sharpness", "modes", "cycle_error"}


def test_report_and_card_show_it(summary):
    report = Path(summary["report"]).read_text()
    assert "First half" in report
    assert report.count("data:image/png") > 10
    assert "A model of examples of the shape 16 x 1" in (Path(summary["pushed"]) / "MODEL_CARD.md").read_text()


def test_a_wrong_source_of_its_own_is_refused_in_its_own_words(folder):
    refused = ganworks(folder, "run", "toy.yaml", "--root", "other", "--set", "data.source=many")
    assert refused.returncode == 1
    assert "the source of waves is their number; received many" in refused.stdout + refused.stderr


def test_compile_says_what_the_image_has_to_have_installed(folder):
    options = ("--image", "here/mine:1", "--root", "gs://bucket/runs", "--output", "toy.json")
    compiled = ganworks(folder, "compile", "toy.yaml", *options)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    assert "here/mine:1 has to have wavelab.parts installed, for wavelab.parts:Waves" in compiled.stdout
    assert "for wavelab.parts:Continuation" in compiled.stdout
