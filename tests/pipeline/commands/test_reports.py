import pytest

from pipeline.commands import reports
from tests.runs import Root, pick


def page(root, made):
    return root.path(made["evaluation"]) / "report.html"


class TestLatest:
    def test_of_a_root(self, tmp_path):
        root = Root(tmp_path)
        first, second = root.run(), root.run()
        assert reports.latest(tmp_path) == page(root, second)
        root.execute("GanEvaluator", pick(first, "model"), pick(first, "evaluation"), state="CACHED")
        assert reports.latest(tmp_path) == page(root, first)

    def test_a_run_that_failed_leaves_the_one_before(self, tmp_path):
        root = Root(tmp_path)
        made = root.run()
        root.execute("GanEvaluator", pick(made, "model"), state="FAILED")
        assert reports.latest(tmp_path) == page(root, made)

    def test_of_all_runs_the_last_to_be_judged(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        first, second = Root(tmp_path / "runs/a"), Root(tmp_path / "runs/b")
        second.run()
        made = first.run()
        assert reports.latest().resolve() == page(first, made)

    def test_there_is_none(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match=f"{tmp_path / 'runs'} holds no run, name another --root"):
            reports.latest()
        with pytest.raises(ValueError, match=f"{tmp_path} is not the root of a run"):
            reports.latest(tmp_path)
        root = Root(tmp_path / "runs/a")
        root.execute("Transform", state="FAILED")
        with pytest.raises(ValueError, match="when a model is judged; none of the 1 runs in runs got that far"):
            reports.latest()
        with pytest.raises(ValueError, match=r"judged; the last run in .* ended in Transform, failed"):
            reports.latest(root.root)

    def test_it_was_deleted(self, tmp_path):
        root = Root(tmp_path)
        gone = page(root, root.run())
        gone.unlink()
        with pytest.raises(ValueError, match=f"the latest report is gone; it was {gone}"):
            reports.latest(tmp_path)
