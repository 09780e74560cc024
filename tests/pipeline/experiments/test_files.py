"""Experiments in files: what is read, and how what is wrong is named."""

import json
import sys

import jsonschema_rs
import pytest
import yaml
from typer.testing import CliRunner

from models.config import Experiment
from models.config.variants import made_by
from pipeline.cli import app
from pipeline.experiments.files import load
from pipeline.experiments.named import EXPERIMENTS, find

MINE = """\
name: mine
data:
  source: digits
  resolution: 16
scheme:
  generator:
    name: dcgan
    width: 16
training:
  steps: 20
"""

TOY = """\
from typing import ClassVar, Literal

from models.config import NoiseGenerator


class Toy(NoiseGenerator):
    implementation: ClassVar[str] = "{module}:build"
    doublings: int = 1


def build(variant, data):
    return variant.doublings, data.resolution
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])

    def write(text, name="mine.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_what_show_prints_is_read_as_the_same_experiment(write):
    for name, experiment in EXPERIMENTS.items():
        assert load(write(experiment.to_json(indent=2), f"{name}.json")) == experiment
        assert load(write(yaml.safe_dump(json.loads(experiment.to_json())), f"{name}.yaml")) == experiment


def test_a_file_stands_where_a_name_does(write):
    path = write(MINE)
    assert find(str(path)).scheme.generator.width == 16
    shown = CliRunner().invoke(app, ["show", str(path), "--set", "scheme.generator.width=8"])
    assert json.loads(shown.output)["scheme"]["generator"]["width"] == 8


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("width: 16", "wdth: 16", r"mine\.yaml:8:5: scheme\.generator\.wdth is no field .*; did you mean width\?"),
        ("width: 16", "depth: 3", r":8:5: scheme\.generator\.depth is no field .*; gan_mlp and points have it"),
        ("steps: 20", "steps: none", r":10:3: training\.steps: .*integer.*; received 'none'"),
        ("resolution: 16", "resolution: 30", r":1:1: .*received 30, next to it are 28 or 32"),
        ("name: dcgan", "name: dcgna", r":6:3: .*dcgna is no generator; did you mean dcgan\?"),
        ("training:\n  steps: 20\n", "", r":1:1: training is required"),
        ("name: mine", "name: mine\nname: other", r":2:1: name stands here a second time"),
        ("source: digits", "source: [digits", r":\d+:\d+: an experiment is written as YAML or JSON; expected"),
        ("source: digits", "source: &a digits\n  schema_dir: *a", r":4:15: .*no aliases"),
        ("name: mine", "format: 1\nname: mine", r":1:1: an experiment is of format 2"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(write, before, after, message):
    assert before in MINE
    with pytest.raises(ValueError, match=message) as raised:
        load(write(MINE.replace(before, after)))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has fields.*has none"),
        (b"- 1\n- 2\n", "has fields.*has none"),
        (b"\xff\xfe", "is UTF-8"),
        (b"a: \x00", "written as YAML or JSON"),
        (b"[" * 5_000, "written as YAML or JSON"),
        (b"a: " + b"x" * 2**20, "at most 1,048,576 bytes"),
        (b"!!python/object/apply:os.system [echo]", "written as YAML or JSON"),
    ],
)
def test_what_is_no_experiment_is_refused_in_a_line(write, content, message):
    with pytest.raises(ValueError, match=message) as raised:
        load(write(content))
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.yaml cannot be read: No such file"):
        find(str(tmp_path / "none.yaml"))


def test_a_part_of_ones_own_lies_beside_the_file(write):
    write(TOY.format(module="toy_beside"), "toy_beside.py")
    experiment = load(write(MINE.replace("name: dcgan", "name: toy_beside:Toy\n    doublings: 3")))
    assert made_by("generator", experiment.scheme.generator)(experiment.scheme.generator, experiment.data) == (3, 16)
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert Experiment.from_json(experiment.key()) == experiment


def test_a_part_of_ones_own_that_cannot_be_had_is_named(write):
    write("raise RuntimeError('no luck')", "toy_broken.py")
    write("Toy = 3", "toy_number.py")
    for name, message in {
        "toy_nowhere:Toy": "toy_nowhere:Toy cannot be imported as a generator: ModuleNotFoundError",
        "toy_broken:Toy": "toy_broken:Toy cannot be imported as a generator: RuntimeError: no luck",
        "toy_number:Toy": "is a class below .*NoiseGenerator; toy_number:Toy is none",
        "models.mine:Toy": "models is a package of ganworks, and hides one of your own",
    }.items():
        with pytest.raises(ValueError, match=message):
            load(write(MINE.replace("name: dcgan", f"name: {name}")))


def test_modules_beside_a_file_do_not_shadow_ours(write, tmp_path):
    (tmp_path / "models").mkdir()
    write("raise RuntimeError('shadowed')", "models/catalog.py")
    load(write(MINE))
    assert sys.path[-1] == str(tmp_path)
    assert not sys.modules["models.catalog"].__file__.startswith(str(tmp_path))


def test_the_schema_tells_which_fields_a_variant_has():
    schema = json.loads(CliRunner().invoke(app, ["schema"]).output)
    assert set(schema["properties"]) == set(Experiment.model_fields)
    assert set(schema["required"]) == {"name", "data", "training"}
    dcgan, mlp = schema["$defs"]["DCGANGenerator"], schema["$defs"]["GanMLPGenerator"]
    assert "depth" in mlp["properties"]
    assert "depth" not in dcgan["properties"]
    assert dcgan["additionalProperties"] is False
    validator = jsonschema_rs.validator_for(schema)
    for experiment in EXPERIMENTS.values():
        assert validator.is_valid(json.loads(experiment.to_json()))
