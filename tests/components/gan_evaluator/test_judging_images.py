"""Images of another system: judged as a generator that drew them would be."""

import json

import numpy as np
import pytest

from components.gan_evaluator.judge import judge_images
from components.gan_evaluator.measuring.saved_models import Generator
from components.gan_evaluator.measuring.settings import Settings
from models.catalog import PLAYERS
from models.config import AtLeast
from models.examples.arrays import Arrays, read_examples
from tests import judging
from tests.judging import Page

ORIGIN = {"samples": "<b>elsewhere", "real": "digits", "fingerprint": "f0"}


def look(house, images, labels=None, experiment=None, **options):
    return judge_images(
        images=Arrays.aligned(images, labels),
        train_examples=[str(house / "examples/Split-train/*")],
        eval_examples=options.pop("eval_examples", [str(house / "examples/Split-eval/*")]),
        feature_model=str(house / "extractor/Format-Serving"),
        experiment=experiment or judging.experiment(),
        origin=ORIGIN,
    )


@pytest.fixture(scope="module")
def drawn(house):
    """What the honest generator draws when it is judged: images and the classes asked for.

    In an order that the judge's shuffle turns into that of the drawing: some metrics look at the first ones alone.
    """
    experiment = judging.experiment()
    train = read_examples([str(house / "examples/Split-train/*")], experiment.data)
    labels = np.resize(train.label[np.random.default_rng(0).permutation(len(train))], 3_600)
    generator = Generator(str(house / "honest/Format-Serving"), Settings.of(experiment))
    order = np.argsort(np.random.default_rng(0).permutation(3_600))
    return generator.sample(3_600, seed=0, labels=labels)[order], labels[order]


@pytest.fixture(scope="module")
def verdict(house, drawn):
    return look(house, *drawn)


class TestVerdict:
    def test_has_the_figures_of_the_generator_that_drew_them(self, verdict, honest):
        assert verdict.counts == honest.counts
        assert verdict.blessed == honest.blessed
        assert verdict.lines == {name: line for name, line in honest.lines.items() if name not in PLAYERS}

    def test_without_classes(self, house, drawn):
        verdict = look(house, drawn[0], experiment=judging.experiment(thresholds={}))
        assert verdict.lines["coverage"].value > 0.8
        assert verdict.lines["conditional_accuracy"].verdict == "cannot be estimated: needs fake labels"

    def test_fewer_images_are_compared_with_as_many(self, house, drawn):
        verdict = look(house, drawn[0][:120], drawn[1][:120], judging.experiment(thresholds={}))
        assert (verdict.counts["generated"], verdict.counts["real"]) == (120, 60)
        assert verdict.lines["fcd_cnn"].value is None

    def test_copies_of_one_image_are_refused(self, house, drawn):
        verdict = look(house, np.repeat(drawn[0][:1], 400, 0), experiment=judging.experiment({"spread": AtLeast(0.5)}))
        assert not verdict.blessed
        assert "mode collapse" in verdict.reason

    def test_a_threshold_on_the_training_cannot_hold(self, house, drawn):
        verdict = look(house, *drawn, judging.experiment({"d_real_accuracy": AtLeast(0)}))
        assert verdict.reason.startswith("refused: d_real_accuracy cannot be estimated")
        assert "d_fake_accuracy" not in verdict.lines

    def test_figures_have_the_form_of_a_run(self, verdict, honest):
        tree, other = json.loads(verdict.to_json()), json.loads(honest.to_json())
        assert tree.keys() == other.keys()
        assert tree["metrics"].keys() == other["metrics"].keys() - PLAYERS
        assert tree["metrics"]["coverage"].keys() == other["metrics"]["coverage"].keys()
        assert tree["protocol"]["origin"] == ORIGIN


class TestReport:
    def test_says_what_was_judged(self, house, drawn, verdict):
        text = Page(verdict.html).text
        assert "Passed" in text
        assert "<b>elsewhere" in text
        assert "Every threshold holds." in text
        assert "Training" not in text.replace("Training images", "")
        assert "discriminator" not in text
        free = Page(look(house, *drawn, judging.experiment(thresholds={})).html).text
        assert "Measured" in free
        assert "Blessed" not in free


class TestErrors:
    def test_class_missing_in_the_eval_split(self, house, drawn, tmp_path):
        images, labels = judging.digits()["eval"]
        judging.write_split(tmp_path / "Split-eval", images[labels != 3], labels[labels != 3])
        with pytest.raises(ValueError, match="there are none of class 3"):
            look(house, *drawn, eval_examples=[str(tmp_path / "Split-eval/*")])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda images: images[:0], "needs images on both sides; received none on one"),
            (lambda images: images[:, :8], r"does not take images \(100, 8, 16, 1\)"),
        ],
    )
    def test_images(self, house, drawn, change, message):
        with pytest.raises(ValueError, match=message):
            look(house, change(drawn[0]))
