import io
import shutil
from html.parser import HTMLParser

import pytest
from rich.console import Console

from pipeline.commands import compare as comparing
from pipeline.experiments.named import TINY
from tests.runs import PNG, Root


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A blessed run, and a refused one with another seed and fewer steps."""
    tmp_path = tmp_path_factory.mktemp("pair")
    Root(tmp_path / "good").run()
    Root(tmp_path / "bad").run(TINY.override(["training.seed=3", "training.steps=10"]), blessed=False, coverage=0.2)
    return [comparing.judged(str(tmp_path / name)) for name in ("good", "bad")]


def cells(runs, group):
    return {row.name: row.cells for row in comparing.groups(runs)[group]}


class TestRows:
    def test_verdict_and_metrics_with_uncertainty_and_threshold(self, pair):
        assert cells(pair, "Verdict") == {
            "verdict": ["blessed", "refused"],
            "reason": ["every threshold holds", "coverage is low <b>"],
        }
        assert cells(pair, "Metrics") == {
            "coverage": ["0.93 ± 0.012, holds: at least 0.9", "0.2 ± 0.012, fails: at least 0.9"]
        }

    def test_only_what_differs(self, pair):
        assert cells(pair, "What differs") == {"training.seed": ["0", "3"], "training.steps": ["20", "10"]}
        assert comparing.warning(pair) == ""

    def test_training_and_times(self, pair):
        training = cells(pair, "Training")
        assert training == {
            "steps": ["20", "10"],
            "weights of step": ["10", "10"],
            "health": ["healthy", "healthy"],
        }
        times = cells(pair, "Wall time")
        stages = ["ImageExampleGen", "Transform", "FeatureTrainer", "GanTrainer", "GanEvaluator", "together"]
        assert list(times) == stages
        assert all(each.endswith(" s") for row in times.values() for each in row)

    def test_other_data_do_not_compare(self, pair, tmp_path):
        Root(tmp_path / "other").run(fingerprint="f1")
        runs = [pair[0], comparing.judged(str(tmp_path / "other"))]
        assert cells(runs, "What differs") == {"data's fingerprint": ["f0", "f1"]}
        assert comparing.warning(runs).endswith("the runs differ in data's fingerprint.")

    def test_the_time_of_what_the_cache_gave_is_that_of_its_making(self, tmp_path):
        root = Root(tmp_path / "root")
        made = root.run()
        took = comparing.judged(str(root.root)).seconds
        root.execute("Transform", {"examples": made["examples"]}, {"transformed": made["transformed"]}, state="CACHED")
        assert comparing.judged(str(root.root)).seconds == took

    def test_models_of_one_root(self, tmp_path):
        root = Root(tmp_path / "root")
        first, second = root.run(coverage=0.5), root.run(coverage=0.6)
        paths = [first["destination"], root.path(first["evaluation"]), root.path(second["model"]), root.root]
        runs = [comparing.judged(str(path)) for path in paths]
        assert [run.metrics["coverage"]["value"] for run in runs] == [0.5, 0.5, 0.6, 0.6]


class TestErrors:
    def test_what_was_not_judged(self, tmp_path):
        root = Root(tmp_path / "root")
        made = root.execute("ImageExampleGen", outputs={"examples": "Examples"})
        with pytest.raises(ValueError, match=r"was not: the last run in .* ended in ImageExampleGen, complete"):
            comparing.judged(str(root.root))
        with pytest.raises(ValueError, match="was not: it has no evaluation"):
            comparing.judged(str(root.path(made["examples"])))

    def test_an_evaluation_that_was_deleted(self, tmp_path):
        root = Root(tmp_path / "root")
        shutil.rmtree(root.path(root.run()["evaluation"]))
        with pytest.raises(ValueError, match=r"has its evaluation; that of .* is gone from"):
            comparing.judged(str(root.root))


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


class TestPage:
    def test_needs_no_network_and_shows_the_samples(self, pair):
        html = comparing.page(pair)
        page = Page(html)
        assert not [tag for tag, _ in page.tags if tag in ("script", "iframe", "object")]
        links = [attributes[key] for _, attributes in page.tags for key in ("src", "href") if key in attributes]
        assert links.count(PNG) == 2
        assert all(link.startswith("data:") for link in links)
        assert "url(" not in html

    def test_is_read_by_keyboard_and_by_ear(self, pair):
        tags = Page(comparing.page(pair)).tags
        wide = [attributes for tag, attributes in tags if attributes.get("role") == "region"]
        identities = {attributes["id"] for _, attributes in tags if "id" in attributes}
        assert wide
        assert all(each["tabindex"] == "0" and each["aria-labelledby"] in identities for each in wide)
        assert all(attributes.get("scope") for tag, attributes in tags if tag == "th")
        assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")

    def test_escapes_what_is_not_ours(self, pair):
        html = comparing.page(pair)
        assert "coverage is low &lt;b&gt;" in html
        assert "<b></b>" not in html

    def test_a_report_without_a_picture(self, tmp_path):
        root = Root(tmp_path / "root")
        (root.path(root.run()["evaluation"]) / "report.html").write_text('<img src="https://example.org/a.png">')
        run = comparing.judged(str(root.root))
        assert run.picture is None
        assert "<img" not in comparing.page([run, run])


def test_what_is_printed(pair):
    text = io.StringIO()
    comparing.show(pair, Console(file=text, width=200, markup=False, highlight=False))
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    assert "verdict blessed refused" in lines
    assert "coverage 0.93 ± 0.012, holds: at least 0.9 0.2 ± 0.012, fails: at least 0.9" in lines
    assert "training.steps 20 10" in lines
