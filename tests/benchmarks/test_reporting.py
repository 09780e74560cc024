import json
import math
import time

import pytest

from benchmarks import captions, reporting


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(reporting, "DOCS", tmp_path)
    monkeypatch.setattr(captions, "README", tmp_path / "README.md")
    (tmp_path / "README.md").write_text("<!-- recipes --><!-- /recipes -->")
    (tmp_path / "page.md").write_text("before\n<!-- speed -->\nstale\n<!-- /speed -->\nafter\n")
    return tmp_path


def finish(marks):
    rows = [{"name": "a", "images": 70_000, "seconds": {"read": 1.5}}, {"name": "b", "good": True}]
    return reporting.finish("speed", began=time.monotonic() - 5, rows=rows, marks=marks, seed=3)


class TestFinish:
    def test_writes_everything_the_result_follows_from(self, folders):
        assert finish([reporting.at_least("ratio", 2.5, 2)]) == 0
        result = json.loads((folders / "results" / "speed.json").read_text())
        assert list(result) == ["command", "seed", "date", "machine", "seconds", "rows", "marks"]
        assert result["command"] == "ganworks bench speed"
        assert result["seed"] == 3
        assert 5 <= result["seconds"] < 60
        assert result["marks"] == [{"name": "ratio", "value": 2.5, "mark": ">= 2", "holds": True}]

    def test_falls_short_with_exit_code_4(self, folders):
        assert finish([reporting.at_least("a", 2.5, 2), reporting.at_most("b", 2.5, 2)]) == 4

    def test_draws_its_section_and_leaves_the_rest_of_the_page(self, folders, capsys):
        finish([reporting.at_most("b", 2.5, 2)])
        page = (folders / "page.md").read_text()
        assert page.startswith("before\n<!-- speed -->\n")
        assert page.endswith("<!-- /speed -->\nafter\n")
        assert "stale" not in page
        screen = capsys.readouterr().out
        for line in (
            "| name | images | read seconds | good |",
            "| a | 70,000 | 1.5 |  |",
            "| b |  |  | yes |",
            "| b | 2.5 | <= 2 | no |",
        ):
            assert line in page
            assert line in screen

    def test_says_when_no_page_shows_it(self, folders, capsys):
        (folders / "page.md").write_text("nothing")
        finish([])
        assert "no page of docs/ shows speed" in capsys.readouterr().err

    def test_draws_again_from_the_file_alone(self, folders):
        finish([])
        page = (folders / "page.md").read_text()
        (folders / "page.md").write_text("before\n<!-- speed --><!-- /speed -->\nafter\n")
        assert reporting.main() == 0
        assert (folders / "page.md").read_text() == page


@pytest.mark.parametrize("mark", [reporting.at_least, reporting.at_most])
def test_a_mark_includes_its_bound_and_not_nan(mark):
    assert mark("a", 2.0, 2)["holds"]
    assert not mark("a", math.nan, 2)["holds"]


def test_the_docs_show_the_results_as_they_are():
    pages = "".join(page.read_text() for page in reporting.DOCS.glob("*.md"))
    for path in reporting.RESULTS.glob("*.json"):
        assert reporting.tables(json.loads(path.read_text())) in pages, f"docs/ does not show {path.name}"
