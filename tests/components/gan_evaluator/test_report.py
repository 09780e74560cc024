"""The evaluator's report."""

import json

import pytest

from tests import judging
from tests.judging import Page, judge_in


class TestReport:
    def test_says_protocol_and_counts_of_a_metric(self, honest):
        text = " ".join(Page(honest.html).text.split())
        assert "10 parts of 360 that share none; 360 real, 3,600 generated" in text

    def test_needs_no_network(self, honest):
        page = Page(honest.html)
        assert not [tag for tag, _ in page.tags if tag in ("script", "iframe", "object")]
        for _, attributes in page.tags:
            for key in ("src", "href", "srcset", "poster"):
                assert attributes.get(key, "data:").startswith("data:")
        assert "url(" not in honest.html
        assert "@import" not in honest.html

    def test_every_image_has_words(self, honest):
        images = [attributes for tag, attributes in Page(honest.html).tags if tag == "img"]
        assert len(images) > 20
        assert all(attributes["alt"] for attributes in images)

    def test_says_verdict_and_fault_first(self, collapsed):
        text = Page(collapsed.html).text
        assert "Refused" in text
        assert text.index("Refused") < text.index("nearly the same (mode collapse)") < text.index("What was required")

    def test_escapes_what_is_not_ours(self, house):
        experiment = judging.experiment().model_copy(update={"description": "<script>alert(1)</script>"})
        html = judge_in(house, "honest", experiment).html
        assert "<script" not in html
        assert "&lt;script&gt;" in html

    def test_shows_the_judge_and_the_training(self, house, tmp_path):
        look = {"look_distance": 0.4, "look_diversity": 0.2, "look_near_duplicates": 0.9}
        played = {"d_loss": 1.0, "g_loss": 2.0, "d_real_accuracy": 0.99, "d_fake_accuracy": 0.98, "d_auc": 0.9}
        steps = [{"step": step, **played, **look} for step in range(100, 1100, 100)]
        (tmp_path / "history.jsonl").write_text("\n".join(map(json.dumps, steps)))
        verdict = judge_in(house, "honest", run_dir=str(tmp_path))
        assert verdict.protocol["health"]["verdict"] == "mode_collapse"
        assert verdict.lines["d_real_accuracy"].value == pytest.approx(0.99)
        page = Page(verdict.html)
        # the alarm stands at the head of the page, and again beside the curves
        assert page.text.index("Mode collapse in training since step 300") < page.text.index("What was required")
        assert "Mode collapse since step 300" in page.text
        charts = [attributes for tag, attributes in page.tags if tag == "svg" and attributes["class"] == "chart"]
        assert len(charts) == 5
        assert "diversity ends at 0.2; near-duplicates ends at 0.9" in charts[4]["aria-label"]
        assert "generator ends at 2" in charts[0]["aria-label"]
        assert "reads 9" in verdict.html or "reads 100" in verdict.html
