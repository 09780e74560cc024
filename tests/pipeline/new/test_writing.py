import re

import pytest
from typer.testing import CliRunner

from models.config import Experiment
from pipeline.cli import app
from pipeline.commands.new import name_of
from pipeline.experiments.files import load
from pipeline.new import looking, telling, writing
from tests.pipeline.new.looks import blob, made_up, planned, write


class TestYaml:
    def test_is_read_as_what_was_chosen(self, tmp_path):
        plan = planned(made_up(2_000, classes=4))
        path = tmp_path / "mine.yaml"
        path.write_text(writing.to_yaml(plan.chosen.choices, ["head"]))
        assert load(path) == plan.experiment
        shown = CliRunner().invoke(app, ["show", str(path)])
        assert Experiment.from_json(shown.output) == plan.experiment
        assert max(map(len, path.read_text().splitlines())) <= 120

    def test_every_choice_has_its_reason_above_it(self):
        plan = planned(made_up(300))
        text = writing.to_yaml(plan.chosen.choices, [])
        flat = re.sub(r"\s+(# )?", " ", text)
        for choice in plan.chosen.choices:
            assert re.sub(r"\s+", " ", choice.reason) in flat, choice.path

    def test_names_of_files_and_classes_stay_in_comments_and_quotes(self, tmp_path):
        """If this fails, a folder's name can set a field of the experiment."""
        folder = tmp_path / "a: b\n# c"
        for name in ("x\nname: evil", "y\r\u2028#", "ü: {"):
            write(folder / name, [blob(hash(name) % 1000 + n) for n in range(30)])
        look = looking.look(f"folder:{folder}")
        plan = planned(look)
        path = tmp_path / "mine.yaml"
        path.write_text(writing.to_yaml(plan.chosen.choices, telling.head(look, "p.html", "new 'a\nname: evil'")))
        assert load(path) == plan.experiment
        assert plan.experiment.data.source == f"folder:{folder}"
        assert plan.experiment.data.classes == 3

    @pytest.mark.parametrize(
        ("stem", "name"), [("My Cats", "my-cats"), ("2024_x", "my-2024-x"), ("ü", "my"), ("a--b", "a-b")]
    )
    def test_name_of_the_experiment(self, tmp_path, stem, name):
        assert name_of(tmp_path / f"{stem}.yaml") == name
