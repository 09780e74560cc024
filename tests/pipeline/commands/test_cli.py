import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.config import Experiment
from pipeline import cli
from pipeline.experiments.named import EXPERIMENTS
from tests.runs import Root

GANWORKS = Path(sys.executable).with_name("ganworks")


def ganworks(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [GANWORKS, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"COLUMNS": "120"} | environment,
        timeout=600,
        check=False,
    )


class TestAnswersAtOnce:
    @pytest.mark.parametrize("module", ["pipeline.cli", "models.config", "pipeline.summary", "pipeline.session"])
    def test_without_a_heavy_import(self, module):
        heavy = "{'tensorflow', 'tfx', 'apache_beam', 'keras', 'numpy', 'kfp'}"
        code = f"import sys, {module}; sys.exit(' '.join({heavy} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stderr.strip() == ""


@pytest.mark.parametrize(("before", "seen"), [(None, "1"), ("0", "0")], ids=["by default", "as the user has it"])
def test_tensorflow_has_onednn_on_every_cpu(monkeypatch, before, seen):
    """If this fails, a step takes three times as long on a CPU with AVX2 alone."""
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", before or "")
    if before is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    found = []
    monkeypatch.setattr(cli, "app", lambda **_: found.append(os.environ.get("TF_ENABLE_ONEDNN_OPTS")))
    cli.main()
    assert found == [seen]


class TestList:
    def test_shows_every_experiment(self):
        lines = ganworks("list").stdout.splitlines()
        assert {line.split()[0] for line in lines if line[:1].isalpha()} == {"name", *EXPERIMENTS}
        assert lines[0].split() == ["name", "source", "size", "steps", "reached", "about"]


class TestShow:
    def test_prints_json_that_is_the_experiment(self):
        assert Experiment.from_json(ganworks("show", "tiny").stdout) == EXPERIMENTS["tiny"]

    def test_applies_settings_and_source(self):
        shown = json.loads(ganworks("show", "tiny", "--set", "training.steps=7", "--source", "idx:somewhere").stdout)
        assert (shown["training"]["steps"], shown["data"]["source"]) == (7, "idx:somewhere")


class TestJudgedRuns:
    @pytest.fixture(scope="class")
    def root(self, tmp_path_factory):
        root = Root(tmp_path_factory.mktemp("judged") / "runs/tiny")
        root.made = root.run()
        return root

    def test_report_prints_its_path_and_opens_it(self, root, tmp_path):
        page = Path("runs/tiny/artifacts") / "GanEvaluator/evaluation" / root.path(root.made["evaluation"]).name
        here = root.root.parent.parent
        for arguments in ([], ["tiny"], ["--root", "runs/tiny"]):
            assert ganworks("report", *arguments, cwd=here).stdout == f"{page / 'report.html'}\n"
        browser = tmp_path / "browser"
        browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
        browser.chmod(0o755)
        assert ganworks("report", "--open", cwd=here, BROWSER=str(browser)).returncode == 0
        assert (tmp_path / "opened").read_text() == (here / page / "report.html").as_uri() + "\n"

    def test_compare_prints_a_table_and_writes_a_page(self, root, tmp_path):
        done = ganworks("compare", str(root.root), str(root.made["destination"]), "--html", "c/d.html", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "0.93 ± 0.012, holds: at least 0.9" in done.stdout
        assert done.stdout.endswith("\npage  c/d.html\n")
        assert "<title>2 runs compared</title>" in (tmp_path / "c/d.html").read_text()
        refused = ganworks("compare", *[str(root.root)] * 2, "--html", str(root.root / "metadata.sqlite" / "c.html"))
        assert refused.returncode == 1
        assert "c.html cannot be written" in refused.stderr

    def test_lineage_as_text_and_as_json(self, root):
        assert "fingerprint f0" in ganworks("lineage", str(root.root)).stdout
        tree = json.loads(ganworks("lineage", "--json", str(root.made["destination"])).stdout)
        assert tree["model"] == str(root.made["destination"])
        assert [each["stage"] for each in tree["executions"]] == ["ImageExampleGen", "Transform", "GanTrainer"]


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            (["show", "digits-cga"], "digits-cga is no experiment; did you mean digits-cgan?"),
            (["run", "digits-cga"], "digits-cga is no experiment; did you mean digits-cgan?"),
            (
                ["run", "tiny", "--set", "training.stps=1"],
                "training.stps is no field of training; did you mean training.steps?",
            ),
            (["compile", "tiny", "--output", "p.json", "--spec", "3"], "--spec is 2.0 or 2.1; received 3"),
            (["exec", "no.json", "--root", "r"], "the spec no.json cannot be read: No such file or directory"),
            (["bench", "ingst"], "ingst is no benchmark; did you mean ingest?"),
            (["bench", "recipes", "--experiment", "tny"], "tny is no experiment; did you mean tiny?"),
            (["bench", "ingest", "--jobs", "2"], "--jobs is no option of the benchmark ingest, which takes none"),
            (["report", "tiny"], "a report is made by `ganworks run`; runs/tiny is not the root of a run"),
            (["report", "tiny", "--root", "r"], "a report is found by a name or by --root; received tiny and r"),
            (["compare", "one"], "a comparison takes two runs or more; received one alone"),
            (["lineage", "/nowhere"], "a run's root holds metadata.sqlite; there is none in /nowhere or above it"),
        ],
    )
    def test_are_one_line_and_exit_1(self, arguments, error, tmp_path):
        done = ganworks(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: {error}\n")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("how", [{"first": ["--debug"]}, {"GANWORKS_DEBUG": "1"}])
    def test_debug_shows_the_traceback(self, how):
        done = ganworks(*how.pop("first", []), "show", "digits-cga", **how)
        assert done.returncode == 1
        assert "Traceback" in done.stderr

    def test_an_unknown_command_names_the_near_miss(self):
        done = ganworks("shw")
        assert done.returncode == 2
        assert "Did you mean 'show'?" in done.stderr

    def test_a_root_that_cannot_be_written(self, tmp_path):
        (tmp_path / "file").write_text("")
        done = ganworks("run", "tiny", "--root", str(tmp_path / "file" / "root"))
        assert done.returncode == 1
        assert done.stderr.startswith("error: a run writes to its root;")
        assert done.stderr.count("\n") == 1
