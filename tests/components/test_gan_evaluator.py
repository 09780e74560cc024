import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.util import model_utils
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.types import channel_utils, standard_artifacts

from components.gan_evaluator.component import GanEvaluator
from components.gan_evaluator.executor import Executor
from components.gan_evaluator.judge import judge
from models import features
from models.config import AtLeast, AtMost, Threshold
from tests import judging


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Examples, a trained classifier and generators, made once."""
    root = tmp_path_factory.mktemp("house")
    data = judging.digits()
    for split, (images, labels) in data.items():
        judging.write_split(root / "examples" / f"Split-{split}", images, labels)
    custom = {"data": judging.DIGITS.model_dump(), "evaluation": {"extractor_steps": 250}}
    features.run_fn(
        SimpleNamespace(
            train_files=[str(root / "examples/Split-train/*")],
            eval_files=[str(root / "examples/Split-eval/*")],
            serving_model_dir=str(root / "extractor/Format-Serving"),
            custom_config={"experiment": json.dumps(custom)},
        )
    )
    honest = judging.honest(*data["train"])
    judging.save_generator(root / "honest/Format-Serving", honest)
    judging.save_generator(root / "collapsed/Format-Serving", judging.collapsed(*data["train"]))
    judging.save_generator(root / "unconditional/Format-Serving", honest, conditional=False)
    return root


def judge_in(house, model: str, experiment=None, **options):
    """Judges one of the house's generators."""
    baseline = options.pop("baseline", None)
    return judge(
        model=str(house / model / "Format-Serving"),
        train_examples=[str(house / "examples/Split-train/*")],
        eval_examples=options.pop("eval_examples", [str(house / "examples/Split-eval/*")]),
        feature_model=str(house / "extractor/Format-Serving"),
        experiment=experiment or judging.experiment(),
        baseline=baseline and str(house / baseline / "Format-Serving"),
        **options,
    )


@pytest.fixture(scope="module")
def honest(house):
    return judge_in(house, "honest")


@pytest.fixture(scope="module")
def collapsed(house):
    return judge_in(house, "collapsed")


class TestVerdict:
    def test_honest_generator_is_blessed(self, honest):
        assert honest.blessed
        assert re.match(r"blessed: every threshold holds \(conditional_accuracy .*coverage", honest.reason)
        assert honest.lines["within_class_spread"].value == pytest.approx(1, abs=0.1)

    def test_collapsed_generator_is_refused_for_its_fault(self, collapsed):
        assert not collapsed.blessed
        # A perfect class accuracy must not hide it.
        assert collapsed.lines["conditional_accuracy"].holds
        assert collapsed.lines["within_class_spread"].value == 0
        assert (
            "within_class_spread is 0, must be at least 0.6: the pictures of one class are nearly the same "
            "(mode collapse)" in collapsed.reason
        )

    def test_every_metric_tells_variety_or_distance_apart(self, honest, collapsed):
        for name in ("spread", "coverage", "recall"):
            assert collapsed.lines[name].value < honest.lines[name].value
        for name in ("fcd_cnn", "kid_cnn", "near_duplicates"):
            assert collapsed.lines[name].value > honest.lines[name].value

    def test_same_model_has_the_same_figures(self, house, honest):
        again = judge_in(house, "honest")
        assert again.lines == honest.lines
        assert again.html == honest.html

    def test_another_seed_draws_other_images(self, house, honest):
        other = judge_in(house, "honest", judging.experiment(seed=1))
        assert other.lines["fcd_cnn"].value != honest.lines["fcd_cnn"].value

    def test_floor_is_real_against_real(self, honest):
        assert honest.lines["conditional_accuracy"].floor > 0.95
        assert honest.lines["coverage"].floor == pytest.approx(1 - 2**-5, abs=0.03)
        assert honest.counts == {"generated": 400, "real": 360, "noise_floor": 400, "train": 1437, "eval": 360}

    def test_no_more_samples_than_training_images(self, house):
        verdict = judge_in(house, "honest", judging.experiment(samples=5_000))
        assert verdict.counts["generated"] == verdict.counts["noise_floor"] == 1437

    def test_fewer_samples(self, house):
        verdict = judge_in(house, "honest", judging.experiment(thresholds={}, samples=50))
        assert verdict.counts["generated"] == verdict.counts["real"] == 50
        assert "at least 65" in verdict.lines["fcd_cnn"].verdict
        assert verdict.lines["fcd_cnn"].value is None
        assert "no threshold" in verdict.reason

    def test_required_metric_without_estimate_is_refused(self, house):
        experiment = judging.experiment(thresholds={"fcd_cnn": AtMost(100)}, samples=50)
        verdict = judge_in(house, "honest", experiment)
        assert not verdict.blessed
        assert "fcd_cnn cannot be estimated: a Frechet distance needs at least 65 real samples" in verdict.reason

    def test_unconditional_generator(self, house):
        verdict = judge_in(house, "unconditional", judging.experiment(thresholds={"spread": AtLeast(0.8)}))
        assert verdict.blessed
        assert verdict.lines["within_class_spread"].verdict == "cannot be estimated: needs fake labels"
        assert verdict.lines["coverage"].value > 0.8


class TestBaseline:
    RELATIVE = judging.experiment(thresholds={"within_class_spread": Threshold(within_blessed=0.02)})

    def test_equal_model_holds(self, house):
        verdict = judge_in(house, "honest", self.RELATIVE, baseline="honest")
        assert verdict.blessed
        line = verdict.lines["within_class_spread"]
        assert (line.baseline, line.baseline_uncertainty) == (line.value, line.uncertainty)
        assert {line.against_baseline for line in verdict.lines.values() if line.baseline is not None} == {"no worse"}

    def test_worse_model_is_refused(self, house):
        verdict = judge_in(house, "collapsed", self.RELATIVE, baseline="honest")
        assert not verdict.blessed
        assert re.search(r"within_class_spread is 0, must be at least .* \(latest blessed model: ", verdict.reason)
        assert verdict.lines["recall"].against_baseline == "worse"

    def test_better_model_holds(self, house):
        assert judge_in(house, "honest", self.RELATIVE, baseline="collapsed").blessed

    def test_first_model_has_nothing_to_beat(self, house):
        verdict = judge_in(house, "collapsed", self.RELATIVE)
        assert verdict.blessed
        assert verdict.protocol["baseline"] == "no model was blessed before"

    def test_blessed_model_of_other_images_is_no_baseline(self, house):
        judging.save_generator(house / "larger/Format-Serving", lambda z, label: tf.zeros([tf.shape(z)[0], 28, 28, 1]))
        verdict = judge_in(house, "honest", self.RELATIVE, baseline="larger")
        assert verdict.blessed
        assert "not comparable: generated images are float32 [100, 16, 16, 1]" in verdict.protocol["baseline"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("draw", "message"),
        [
            (lambda image: image / 0, "finite; 100 of 100 of .* hold NaN or infinity"),
            (lambda image: image * 2, r"lie in \[0, 1\]; .* made 0 to 2"),
            (lambda image: image - 1, r"lie in \[0, 1\]; .* made -1 to 0"),
            (lambda image: image[:, :8], r"float32 \[100, 16, 16, 1\]; .* made float32 \[100, 8, 16, 1\]"),
            (lambda image: tf.cast(image, tf.uint8), "made uint8"),
        ],
    )
    def test_images(self, house, tmp_path, draw, message):
        real = judging.honest(*judging.digits()["train"])
        model = judging.save_generator(tmp_path / "model", lambda z, label: draw(real(z, label)))
        with pytest.raises(ValueError, match=message) as error:
            self.judge(house, model)
        assert "\n" not in str(error.value)

    def test_no_model_and_no_signature(self, house, tmp_path):
        with pytest.raises(ValueError, match=r"a generator is a SavedModel; .*nothing cannot be loaded"):
            self.judge(house, str(tmp_path / "nothing"))
        model = judging.save_generator(tmp_path / "model", lambda z, label: z, signature="sample")
        with pytest.raises(ValueError, match=r"has the signature serving_default; .* has sample"):
            self.judge(house, model)
        with pytest.raises(ValueError, match=r"a generator takes z \[batch, latent\].* takes image"):
            self.judge(house, str(house / "extractor/Format-Serving"))

    def test_class_missing_in_the_eval_split(self, house, tmp_path):
        images, labels = judging.digits()["eval"]
        judging.write_split(tmp_path / "Split-eval", images[labels != 3], labels[labels != 3])
        with pytest.raises(ValueError, match="10 classes needs images in the eval split; there are none of class 3"):
            judge_in(house, "honest", eval_examples=[str(tmp_path / "Split-eval/*")])

    def test_threshold_of_no_metric(self, house):
        with pytest.raises(ValueError, match=r"coverag is no metric of this evaluation; did you mean coverage\?"):
            judge_in(house, "honest", judging.experiment(thresholds={"coverag": AtLeast(0.5)}))

    def judge(self, house, model: str):
        return judge(
            model=model,
            train_examples=[str(house / "examples/Split-train/*")],
            eval_examples=[str(house / "examples/Split-eval/*")],
            feature_model=str(house / "extractor/Format-Serving"),
            experiment=judging.experiment(),
        )


class Page(HTMLParser):
    """What a report holds."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


class TestReport:
    def test_says_protocol_and_counts_of_a_metric(self, honest):
        text = " ".join(Page(honest.html).text.split())
        assert "100 subsets of 180; 360 real, 400 generated" in text

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
        charts = [attributes for tag, attributes in page.tags if tag == "svg"]
        assert len(charts) == 5
        assert "diversity ends at 0.2; near-duplicates ends at 0.9" in charts[4]["aria-label"]
        assert "generator ends at 2" in charts[0]["aria-label"]
        assert "reads 9" in verdict.html or "reads 100" in verdict.html


def artifacts(house, tmp_path, model: str):
    """Inputs and outputs as TFX hands them to an executor."""

    def artifact(kind, uri, number):
        made = kind()
        made.uri, made.id = str(uri), number
        return made

    examples = artifact(standard_artifacts.Examples, house / "examples", 1)
    examples.split_names = '["train", "eval"]'
    inputs = {
        "model": [artifact(standard_artifacts.Model, house / model, 7)],
        "examples": [examples],
        "feature_model": [artifact(standard_artifacts.Model, house / "extractor", 2)],
        "model_run": [artifact(standard_artifacts.ModelRun, tmp_path, 3)],
    }
    for name in ("evaluation", "blessing"):
        (tmp_path / name).mkdir()
    outputs = {
        "evaluation": [artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation", 8)],
        "blessing": [artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing", 9)],
    }
    return inputs, outputs


class TestExecutor:
    def run(self, house, tmp_path, model: str, **more):
        inputs, outputs = artifacts(house, tmp_path, model)
        inputs |= more
        Executor().Do(inputs, outputs, {"experiment": judging.experiment().to_json(), "source": ""})
        return inputs, outputs["blessing"][0]

    def test_refused(self, house, tmp_path):
        inputs, blessing = self.run(house, tmp_path, "collapsed")
        assert not model_utils.is_model_blessed(blessing)
        assert [file.name for file in (tmp_path / "blessing").iterdir()] == ["NOT_BLESSED"]
        assert "mode collapse" in blessing.get_string_custom_property("blessing_message")
        strategy = LatestBlessedModelStrategy()
        found = strategy.resolve_artifacts(None, {"model": inputs["model"], "model_blessing": [blessing]})
        assert found["model"] == []

    def test_blessed_against_a_baseline(self, house, tmp_path):
        baseline = standard_artifacts.Model()
        baseline.uri, baseline.id = str(house / "collapsed"), 5
        inputs, blessing = self.run(house, tmp_path, "honest", baseline_model=[baseline])
        assert model_utils.is_model_blessed(blessing)
        assert [file.name for file in (tmp_path / "blessing").iterdir()] == ["BLESSED"]
        assert blessing.get_int_custom_property("current_model_id") == 7
        assert blessing.get_string_custom_property("current_model") == str(house / "honest")
        assert blessing.get_int_custom_property("baseline_model_id") == 5
        strategy = LatestBlessedModelStrategy()
        found = strategy.resolve_artifacts(None, {"model": inputs["model"], "model_blessing": [blessing]})
        assert [model.id for model in found["model"]] == [7]

    def test_metrics_are_plain_json(self, house, tmp_path):
        self.run(house, tmp_path, "honest")
        text = (tmp_path / "evaluation/metrics.json").read_text()
        tree = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        assert tree["blessed"] is True
        assert tree["metrics"]["within_class_spread"]["threshold"] == {"at_least": 0.6}
        assert tree["metrics"]["coverage"]["limits"] == [pytest.approx(tree["metrics"]["coverage"]["floor"] - 0.05)]
        assert tree["metrics"]["fcd_cnn"]["holds"] is None
        assert tree["metrics"]["coverage"]["protocol"] == "k = 5"
        assert tree["metrics"]["coverage"]["counts"] == {"real": 360, "fake": 400}
        assert tree["metrics"]["memorisation"]["counts"] == {"train": 1437, "real": 360, "fake": 400}
        assert tree["protocol"]["extractor"]["eval_accuracy"] > 0.9
        assert (tmp_path / "evaluation/report.html").read_text().startswith("<!doctype html>")

    def test_nothing_is_blessed_when_the_model_is_broken(self, house, tmp_path):
        judging.save_generator(
            tmp_path / "broken/Format-Serving", lambda z, label: tf.fill([tf.shape(z)[0], 16, 16, 1], np.nan)
        )
        inputs, outputs = artifacts(house, tmp_path, "honest")
        inputs["model"][0].uri = str(tmp_path / "broken")
        with pytest.raises(ValueError, match="finite"):
            Executor().Do(inputs, outputs, {"experiment": judging.experiment().to_json(), "source": ""})
        assert not model_utils.is_model_blessed(outputs["blessing"][0])
        assert not list((tmp_path / "blessing").iterdir()) + list((tmp_path / "evaluation").iterdir())


def test_component_wires_its_channels():
    def channel(kind):
        return channel_utils.as_channel([kind()])

    component = GanEvaluator(
        model=channel(standard_artifacts.Model),
        examples=channel(standard_artifacts.Examples),
        feature_model=channel(standard_artifacts.Model),
        model_run=channel(standard_artifacts.ModelRun),
        experiment="{}",
        source="hash",
    )
    assert set(component.inputs) == {"model", "examples", "feature_model", "model_run"}
    assert component.outputs["evaluation"].type == standard_artifacts.ModelEvaluation
    assert component.outputs["blessing"].type == standard_artifacts.ModelBlessing
    assert component.spec.exec_properties == {"experiment": "{}", "source": "hash"}
