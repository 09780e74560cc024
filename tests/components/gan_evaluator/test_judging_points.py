"""The judge of mixtures, whose modes are known, and of stacked digits."""

import json
import re
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import tensorflow as tf

from components.gan_evaluator import charts
from components.gan_evaluator.judge import judge
from components.gan_evaluator.measuring.saved_models import Generator
from components.gan_evaluator.measuring.settings import Settings
from models import mixtures
from models.catalog import PLAYERS, metric_names
from models.config import (
    Adversarial,
    AtLeast,
    AtMost,
    Evaluation,
    Experiment,
    Latent,
    Points,
    PointsDiscriminator,
    PointsGenerator,
    Stacked,
    Threshold,
    Training,
)
from models.extractors import classifier
from tests import judging

RING = Points(source="mixture:ring", classes=8)
THRESHOLDS = {"modes": AtLeast(8), "high_quality": Threshold(within_floor=0.03), "reverse_kl": AtMost(0.02)}


def experiment(data=RING, thresholds=None, **parts):
    evaluation = Evaluation(
        extractor="points", samples=2_500, thresholds=THRESHOLDS if thresholds is None else thresholds
    )
    if data.points:
        parts = {"scheme": game()} | parts
    return Experiment(name="ring", data=data, training=Training(steps=1), evaluation=evaluation, **parts)


def game(condition="none", **generator):
    return Adversarial(
        generator=PointsGenerator(condition="none" if condition == "none" else "concatenation", **generator),
        discriminator=PointsDiscriminator(condition=condition),
    )


def draw(modes=8, width=1.0):
    """A generator that draws the first so many modes of the ring exactly, or the class that it is asked for."""
    centres, sigma = mixtures.ring()

    def points(z, label):
        if label is None:
            label = tf.cast(tf.math.floor(modes * 0.5 * tf.math.erfc(-z[:, 0] / np.sqrt(2))), tf.int64) % modes
        return tf.gather(tf.constant(centres, tf.float32), label) + width * sigma * z[:, 1:3]

    return points


def train_extractor(root, data, steps=1):
    classifier.run_fn(
        SimpleNamespace(
            train_files=[str(root / "examples/Split-train/*")],
            eval_files=[str(root / "examples/Split-eval/*")],
            serving_model_dir=str(root / "extractor"),
            custom_config={
                "experiment": json.dumps({"data": data.model_dump(), "evaluation": {"extractor_steps": steps}})
            },
        )
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Points of the ring, their extractor, and generators whose faults are known."""
    root = tmp_path_factory.mktemp("ring")
    for seed, split in enumerate(("train", "eval")):
        judging.write_split(root / f"examples/Split-{split}", *mixtures.sample(mixtures.ring(), 3_000, seed))
    train_extractor(root, RING)
    for name, function in {"honest": draw(), "collapsed": draw(modes=3), "blurred": draw(width=2.5)}.items():
        judging.save_generator(root / name, function, conditional=False, output="point")
    judging.save_generator(root / "conditional", draw(), output="point")
    return root


def judge_in(root, model, experiment):
    return judge(
        model=str(root / model),
        train_examples=[str(root / "examples/Split-train/*")],
        eval_examples=[str(root / "examples/Split-eval/*")],
        feature_model=str(root / "extractor"),
        experiment=experiment,
    )


@pytest.fixture(scope="module")
def honest(house):
    return judge_in(house, "honest", experiment())


class TestPoints:
    def test_the_mixture_itself_is_blessed(self, honest):
        assert honest.blessed
        assert honest.lines["modes"].value == 8
        assert honest.lines["high_quality"].value == pytest.approx(0.989, abs=0.01)
        assert honest.lines["high_quality"].floor == pytest.approx(0.989, abs=0.01)
        assert honest.lines["reverse_kl"].value < 0.01
        counts = {"generated": 2_500, "real": 1_250, "noise_floor": 3_000, "train": 3_000, "eval": 3_000}
        assert honest.counts == counts | {"held_out_copies": 0, "equal_to_held_out": 0}

    def test_its_metrics_are_those_of_points(self, honest):
        assert set(honest.lines) == set(metric_names("points", "points", "generate")) | set(PLAYERS)
        assert not {"spread", "stacked_modes"} & set(honest.lines)
        for name in ("fcd_points", "kid_points", "coverage", "classifier_score"):
            assert honest.lines[name].value is not None

    @pytest.mark.parametrize(
        ("model", "reasons"),
        [
            (
                "collapsed",
                [
                    r"modes is 3, must be at least 8: modes of the mixture are never drawn \(mode collapse\)",
                    r"reverse_kl is 0\.98\d*, must be at most 0\.02: some modes are hardly drawn",
                ],
            ),
            ("blurred", [r"high_quality is 0\.5\d*, must be at least .*: many points lie between the modes"]),
        ],
    )
    def test_a_fault_is_refused_by_its_name(self, house, model, reasons):
        verdict = judge_in(house, model, experiment())
        assert not verdict.blessed
        for reason in reasons:
            assert re.search(reason, verdict.reason)

    def test_a_conditional_generator_draws_the_mode_that_is_asked_for(self, house):
        scheme = game(condition="projection")
        verdict = judge_in(
            house, "conditional", experiment(thresholds={"conditional_accuracy": AtLeast(1)}, scheme=scheme)
        )
        assert verdict.blessed
        assert verdict.lines["conditional_accuracy"].per_class == (1,) * 8

    def test_the_report_draws_them(self, honest):
        clouds = re.findall(r'<svg class="cloud".*?</svg>', honest.html, re.S)
        labels = [re.search('aria-label="(.*?)"', cloud).group(1) for cloud in clouds]
        assert [label.split(",")[0] for label in labels] == [
            "Generated points over real ones",
            "Real points",
            "Generated points",
        ]
        assert clouds[1].count("h0") == 1_250
        assert "<img" not in honest.html
        assert "Nearest training images" not in honest.html
        assert "2,500" in honest.html
        assert "which sees the points as they are" in honest.html

    def test_too_few_for_the_protocol(self, house):
        few = experiment(thresholds={"modes": AtLeast(8)})
        few = few.model_copy(update={"evaluation": few.evaluation.model_copy(update={"samples": 500})})
        verdict = judge_in(house, "honest", few)
        assert not verdict.blessed
        assert "modes cannot be estimated: needs at least 2,500 generated examples; received 500" in verdict.reason

    @pytest.mark.parametrize(
        ("function", "output", "message"),
        [
            (
                lambda z, label: z[:, :2] / 0,
                "point",
                r"generated points are finite; 100 of 100 of .* hold NaN or infinity",
            ),
            (lambda z, label: z[:, :3], "point", r"points are float32 \[100, 2\]; .* made float32 \[100, 3\]"),
            (lambda z, label: z[:, :2], "image", "a generator gives point; .* gives image"),
        ],
    )
    def test_bad_points(self, house, tmp_path, function, output, message):
        judging.save_generator(tmp_path / "bad", function, conditional=False, output=output)
        with pytest.raises(ValueError, match=message) as error:
            judge_in(house, tmp_path / "bad", experiment())
        assert "\n" not in str(error.value)


def test_a_cloud_is_drawn_to_scale_and_counts_what_lies_outside():
    clouds = {"real": np.array([[0.0, 0.0], [2.0, -2.0]]), "fake": np.array([[-1.0, 1.0], [9.0, 0.0], [0.0, -2.1]])}
    svg = ElementTree.fromstring(charts.scatter("A & B", clouds, reach=2))
    assert svg.get("aria-label") == "A & B, -2 to 2 on both axes; 2 points lie outside"
    drawn = {path.get("class"): path.get("d") for path in svg}
    # 400 units a side, the origin in the middle, up is up
    assert drawn == {"real": "M200.0 200.0h0M400.0 400.0h0", "fake": "M100.0 100.0h0"}


class TestCodes:
    """A generator with InfoGAN's codes is asked for random ones."""

    @pytest.fixture(scope="class")
    def directory(self, tmp_path_factory):
        directory = str(tmp_path_factory.mktemp("codes"))
        specs = [tf.TensorSpec([None, width], tf.float32, name=name) for name, width in (("z", 8), ("code", 5))]

        def serve(z, code):
            return {"point": tf.stack([tf.cast(tf.argmax(code[:, :4], 1), tf.float32) + 0 * z[:, 0], code[:, 4]], 1)}

        tf.saved_model.save(
            tf.Module(), directory, signatures={"serving_default": tf.function(serve, input_signature=specs)}
        )
        return directory

    def test_they_are_one_hot_and_uniform(self, directory):
        scheme = game(latent=Latent(categorical_codes=4, continuous_codes=1))
        generator = Generator(directory, Settings.of(experiment(scheme=scheme)))
        points = generator.sample(2_000, seed=0, labels=None)
        assert np.bincount(points[:, 0].astype(int)).min() > 400
        assert -1 <= points[:, 1].min() < -0.99
        assert 0.99 < points[:, 1].max() <= 1
        np.testing.assert_array_equal(points, generator.sample(2_000, seed=0, labels=None))
        assert (points[:, 1] != generator.sample(2_000, seed=1, labels=None)[:, 1]).all()

    def test_other_codes_than_the_experiments_are_refused(self, directory):
        scheme = game(latent=Latent(categorical_codes=6))
        with pytest.raises(ValueError, match=r"codes of width 5; the experiment's generator has 6"):
            Generator(directory, Settings.of(experiment(scheme=scheme)))


def test_stacked_digits(tmp_path):
    data = Stacked(source="stacked:digits", resolution=16)
    digits = judging.digits()
    for split, count in (("train", 300), ("eval", 9_000)):
        images, labels = judging.triples(*digits[split], count)
        # Every class has to be held out, and few are needed: the first of each.
        _, first = np.unique(labels, return_index=True)
        rows = first if split == "eval" else slice(None)
        judging.write_split(tmp_path / f"examples/Split-{split}", images[rows], labels[rows])
    train_extractor(tmp_path, data, steps=60)
    table = tf.constant(judging.triples(*digits["train"], 50)[0] / 255, tf.float32)
    judging.save_generator(
        tmp_path / "model",
        lambda z, label: tf.gather(table, tf.cast(tf.abs(z[:, 0]) * 1e6, tf.int64) % 50),
        conditional=False,
    )
    verdict = judge_in(tmp_path, "model", experiment(data, thresholds={"stacked_modes": AtLeast(1000)}))
    assert set(verdict.lines) == set(metric_names("points", "stacked", "generate")) | set(PLAYERS)
    assert verdict.lines["coverage"].value < verdict.lines["coverage"].floor
    assert (
        "stacked_modes cannot be estimated: needs at least 26,000 generated examples; received 2,500" in verdict.reason
    )
    assert verdict.html.count("<img") > 10
