"""`ganworks new`, typed."""

import json

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.experiments.files import load
from pipeline.new import timing
from tests.pipeline.new.looks import blob, write


@pytest.mark.slow
class TestCommand:
    def test_writes_both_files_and_says_what_to_type_next(self, tmp_path, monkeypatch, capfd):
        """The whole command on real images, with steps that are taken."""
        monkeypatch.setattr(timing, "SECONDS", 1)
        write(tmp_path / "pictures", [blob(n) for n in range(60)])
        output = tmp_path / "deep" / "my.yaml"
        arguments = [str(tmp_path / "pictures"), "--output", str(output), "--resolution", "8", "--minutes", "5"]
        monkeypatch.chdir(tmp_path)
        result = CliRunner().invoke(app, ["new", *arguments])
        assert result.exception is None
        shown = capfd.readouterr().out + result.output
        experiment = load(output)
        assert (experiment.name, experiment.data.resolution) == ("my", 8)
        assert output.with_suffix(".html").read_text().startswith("<!doctype html>")
        assert "next: ganworks fetch efficientnet_lite0" in shown
        assert f"then: ganworks run {output}" in shown
        assert json.loads(experiment.to_json())["data"]["source"] == f"folder:{tmp_path / 'pictures'}"
