"""The judge of models that take examples: translators and restorers made by hand, whose figures follow from them."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import peak_signal_noise_ratio

from components.beam import local_pipeline
from components.gan_evaluator.judge import judge
from components.gan_evaluator.measuring.instruments import Instruments
from components.gan_evaluator.measuring.reference import read_reference
from components.gan_evaluator.measuring.settings import Settings
from models.catalog import PLAYERS, metric_names
from models.config import AtMost, Evaluation, Images, Unpaired
from models.config import Restoration as RestorationScheme
from models.extractors import classifier
from pipeline.experiments.named import RING_RESTORATION, RING_TO_SQUARE
from tests import judging, laboratory
from tests.translators import restorer, translator

COUNT = 2_500
"""The number of points: modes are counted on so many."""

GREY = Images(source="folder:a", resolution=16)
TURN = tf.constant([[0.6, -0.8], [0.8, 0.6]])
IMAGE, POINT = [None, 16, 16, 1], [None, 2]


def save(directory, kind, main, back=None, taken=None):
    """A SavedModel with a translator's signatures around functions of what is served."""
    shape = POINT if kind == "point" else IMAGE
    spec = tf.TensorSpec(shape, tf.float32, name=taken or kind)
    signatures = {}
    for name, function in {"serving_default": main, "reverse": back}.items():
        if function:
            serve = (lambda each: lambda **given: {kind: each(*given.values())})(function)
            signatures[name] = tf.function(serve, autograph=False).get_concrete_function(**{spec.name: spec})
    tf.saved_model.save(tf.Module(), str(directory), signatures=signatures)
    return str(directory)


def save_extractor(directory, kind):
    """Features that anyone can check: a point's coordinates, and the means of an image's quarters of quarters."""

    def features(x):
        return {"features": x if kind == "point" else tf.reshape(tf.nn.avg_pool2d(x, 4, 4, "VALID"), [-1, 16])}

    spec = tf.TensorSpec(POINT if kind == "point" else IMAGE, tf.float32, name=kind)
    function = tf.function(lambda **given: features(given[kind])).get_concrete_function(**{kind: spec})
    tf.saved_model.save(tf.Module(), str(directory), signatures={"serving_default": function})
    (directory / classifier.RECORD).parent.mkdir(exist_ok=True)
    (directory / classifier.RECORD).write_text(json.dumps({"name": "by hand", "steps": 0}))


def write_images(directory, domains):
    """Transformed images, of one domain or of two in no relation."""
    directory.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(directory / "examples.gz"), "GZIP") as writer:
        for group, (role, images) in enumerate(domains.items()):
            for image in images:
                png = tf.io.encode_png(image).numpy()
                features = {role: tf.train.Feature(bytes_list=tf.train.BytesList(value=[png]))}
                if len(domains) > 1:
                    features["group"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[group]))
                writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def scene(root, experiment, kind):
    """Judges models of an experiment whose examples lie below a folder."""

    def run(name, main, back=None, *, thresholds=None, taken=None):
        if not (root / "extractor").exists():
            save_extractor(root / "extractor", kind)
        thresholds = experiment.evaluation.thresholds if thresholds is None else thresholds
        changes = {"thresholds": thresholds, "samples": COUNT}
        return judge(
            model=save(root / name, kind, main, back, taken),
            train_examples=[str(root / "train/*")],
            eval_examples=[str(root / "eval/*")],
            feature_model=str(root / "extractor"),
            experiment=experiment.model_copy(update={"evaluation": experiment.evaluation.model_copy(update=changes)}),
        )

    return SimpleNamespace(judge=run, root=root, experiment=experiment)


def points_of(root, experiment):
    for seed, split in enumerate(("train", "eval")):
        laboratory.write_points(root / split, experiment.data, count=2 * COUNT, seed=10 * seed)
    return scene(root, experiment, "point")


@pytest.fixture(scope="module")
def ring_to_square(tmp_path_factory):
    return points_of(tmp_path_factory.mktemp("translated"), RING_TO_SQUARE)


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return points_of(tmp_path_factory.mktemp("restored"), RING_RESTORATION)


@pytest.fixture(scope="module")
def digits():
    """Split -> digits [n, 16, 16, 1] uint8, no two alike."""
    different = {split: np.unique(images, axis=0) for split, (images, _) in judging.digits().items()}
    return {split: np.random.default_rng(0).permutation(images) for split, images in different.items()}


@pytest.fixture(scope="module")
def negatives(tmp_path_factory, digits):
    """Digits, and fewer of other digits in the negative."""
    root = tmp_path_factory.mktemp("negatives")
    for split, images in digits.items():
        half = len(images) * 2 // 3
        write_images(root / split, {"input": images[:half], "target": 255 - images[half:]})
    data = Unpaired(input=GREY, target=GREY)
    return scene(
        root, translator().model_copy(update={"data": data, "evaluation": Evaluation().for_data("images", 0)}), "image"
    )


@pytest.fixture(scope="module")
def faint(tmp_path_factory, digits):
    """Digits of which half the contrast was taken."""
    root = tmp_path_factory.mktemp("faint")
    for split, images in digits.items():
        write_images(root / split, {"target": images})
    experiment = restorer(GREY)
    assert isinstance(experiment.scheme, RestorationScheme)
    assert experiment.scheme.degradations == {"shrink": 0.5}
    return scene(root, experiment, "image")


def same(x):
    return x


def value(verdict, name):
    return verdict.lines[name].value


class TestTranslatesPoints:
    def test_an_exact_way_back_has_no_error(self, ring_to_square):
        verdict = ring_to_square.judge("turn", lambda x: x @ TURN, lambda x: x @ tf.transpose(TURN))
        assert value(verdict, "cycle_error") == pytest.approx(0, abs=1e-6)
        assert verdict.lines["cycle_error"].holds

    def test_one_that_forgets_is_as_far_off_as_any_other(self, ring_to_square):
        """If this fails, a translator that draws squares whatever it is given is blessed."""
        verdict = ring_to_square.judge("forgets", same, lambda x: tf.roll(x, 1, axis=0))
        line = verdict.lines["cycle_error"]
        assert line.value == pytest.approx(1, abs=4 * line.uncertainty)
        assert not verdict.blessed
        assert "cycle_error is 1" in verdict.reason or "cycle_error is 0.9" in verdict.reason
        assert "the translation forgets its input" in verdict.reason

    def test_the_identity_keeps_all_and_arrives_nowhere(self, ring_to_square):
        verdict = ring_to_square.judge("identity", same, same)
        assert value(verdict, "cycle_error") == 0
        assert not verdict.blessed
        assert "modes is 0" in verdict.reason

    def test_it_is_given_the_inputs_and_held_against_the_targets(self, ring_to_square):
        """If this fails, a translator is blessed for what it was given."""
        # a corner of the square, far from the ring
        verdict = ring_to_square.judge("corner", lambda x: 0 * x + 2, same)
        assert verdict.counts["generated"] == COUNT
        assert (value(verdict, "modes"), value(verdict, "high_quality")) == (1, 1)
        assert value(verdict, "cycle_error") > 1

    def test_without_a_way_back_there_is_no_cycle_error(self, ring_to_square):
        verdict = ring_to_square.judge("one_way", same)
        assert value(verdict, "cycle_error") is None
        assert verdict.lines["cycle_error"].verdict == "cannot be estimated: needs fake back"
        assert not verdict.blessed

    def test_its_metrics_are_those_of_translated_points(self, ring_to_square):
        verdict = ring_to_square.judge("listed", same, same, thresholds={})
        assert set(verdict.lines) == set(metric_names("cnn", "points", "translate")) | set(PLAYERS)
        assert "cycle_error" in verdict.lines
        assert not {"squared_error", "conditional_accuracy", "psnr"} & set(verdict.lines)
        assert verdict.blessed

    @pytest.mark.parametrize(("taken", "kind"), [("z", "point"), ("input", "point")])
    def test_a_model_with_another_input_is_refused(self, ring_to_square, taken, kind):
        with pytest.raises(ValueError, match=rf"a model that takes examples takes {kind}; .* takes {taken} ") as caught:
            ring_to_square.judge(f"takes_{taken}", same, taken=taken)
        assert "\n" not in str(caught.value)

    def test_a_way_back_that_gives_something_else_is_refused(self, ring_to_square):
        with pytest.raises(ValueError, match=r"generated points are float32 \[100, 2\]; .* made float32 \[100, 4\]"):
            ring_to_square.judge("wide", same, lambda x: tf.concat([x, x], 1))


class TestTranslatesImages:
    def test_an_exact_way_back_is_off_by_the_noise_alone(self, negatives, digits):
        verdict = negatives.judge("negative", lambda x: 1 - x, lambda x: 1 - x, thresholds={})
        given = digits["eval"][: len(digits["eval"]) * 2 // 3].astype(np.float64) / 127.5 - 1
        apart = (
            np.mean([np.abs(one - other).mean() for one in given for other in given]) * len(given) / (len(given) - 1)
        )
        # two grey levels of noise, whose mean size is the root of 2 / pi of it; at black and white half of it is cut
        noise = np.sqrt(2 / np.pi) * 2 / 127.5
        assert noise / 2 < value(verdict, "cycle_error") * apart < 1.2 * noise
        assert verdict.counts["generated"] == len(given)
        assert verdict.counts["eval"] == len(digits["eval"]) - len(given)

    def test_a_hidden_message_does_not_survive(self, negatives):
        """If this fails, a translator that hides its input below what can be seen passes for one that keeps it."""
        verdict = negatives.judge(
            "hides",
            lambda x: 0.5 + (x - 0.5) / 255,
            lambda x: tf.clip_by_value((x - 0.5) * 255 + 0.5, 0, 1),
            thresholds={},
        )
        assert value(verdict, "cycle_error") > 0.7

    def test_one_that_forgets_is_as_far_off_as_any_other(self, negatives):
        verdict = negatives.judge("forgets", same, lambda x: tf.roll(x, 1, axis=0), thresholds={})
        line = verdict.lines["cycle_error"]
        assert line.value == pytest.approx(1, abs=4 * line.uncertainty)

    def test_what_it_makes_is_held_against_the_other_domain(self, negatives):
        right = negatives.judge("right", lambda x: 1 - x, thresholds={})
        wrong = negatives.judge("wrong", same, thresholds={})
        assert value(right, "coverage") > value(wrong, "coverage") + 0.5
        assert value(right, "psnr") is None
        assert right.lines["psnr"].verdict == "cannot be estimated: needs true images"


class TestRestoresPoints:
    def test_the_identity_is_one(self, ring):
        verdict = ring.judge("identity", same)
        line = verdict.lines["squared_error"]
        assert (line.value, line.uncertainty) == (pytest.approx(1, abs=1e-6), pytest.approx(0, abs=1e-6))
        assert not verdict.blessed
        assert "squared_error is 1" in verdict.reason
        assert "no nearer to the truth than what they were made of" in verdict.reason

    def test_what_halves_its_input_by_hand(self, ring):
        # halving what was added and what was there: by hand, E|x/2 + n/2 - x|^2 / E|n|^2 with |x| = 1 and deviation 0.3
        verdict = ring.judge("halved", lambda x: x / 2)
        line = verdict.lines["squared_error"]
        assert line.value == pytest.approx((1 / 4 + 2 * 0.09 / 4) / (2 * 0.09), rel=0.06)

    def test_its_metrics_are_those_of_restored_points(self, ring):
        verdict = ring.judge("listed", same, thresholds={})
        assert set(verdict.lines) == set(metric_names("cnn", "points", "restore")) | set(PLAYERS)
        assert "squared_error" in verdict.lines
        assert "cycle_error" not in verdict.lines

    def test_equal_models_have_equal_figures(self, ring):
        first, second = (ring.judge(name, same, thresholds={}) for name in ("one", "two"))
        assert first.lines == second.lines


class TestRestoresImages:
    def test_what_gives_its_input_back_is_as_near_as_the_input(self, faint, digits):
        verdict = faint.judge("identity", same, thresholds={})
        assert value(verdict, "squared_error") == pytest.approx(1, abs=0.01)
        real = digits["eval"]
        degraded = np.rint(((real / 127.5 - 1) * 0.5 + 1) * 127.5).astype(np.uint8)
        expected = [peak_signal_noise_ratio(*pair, data_range=255) for pair in zip(real, degraded, strict=True)]
        line = verdict.lines["psnr"]
        assert line.value == pytest.approx(np.mean(expected), rel=1e-3)
        assert line.uncertainty == pytest.approx(np.std(expected, ddof=1) / np.sqrt(len(real)), rel=1e-2)
        assert 0 < value(verdict, "ssim") < 1
        assert verdict.counts["generated"] == verdict.counts["eval"] == len(real)

    def test_pairs_are_compared_in_the_features_too(self, faint, digits):
        verdict = faint.judge("features", same, thresholds={})
        real = digits["eval"] / 255
        faded = np.rint(((digits["eval"] / 127.5 - 1) * 0.5 + 1) * 127.5) / 255
        means = ((each.reshape(-1, 4, 4, 4, 4).mean(axis=(2, 4)).reshape(-1, 16)) for each in (real, faded))
        apart = np.linalg.norm(np.subtract(*means), axis=1).mean()
        name = f"pair_distance_{faint.experiment.evaluation.extractor}"
        assert value(verdict, name) == pytest.approx(apart, rel=1e-3)

    def test_one_that_gives_the_truth_is_nothing(self, faint):
        verdict = faint.judge(
            "truth", lambda x: tf.clip_by_value(2 * x - 0.5, 0, 1), thresholds={"squared_error": AtMost(0.1)}
        )
        assert value(verdict, "squared_error") == pytest.approx(0, abs=1e-4)
        assert value(verdict, "ssim") == pytest.approx(1, abs=1e-3)
        assert verdict.blessed

    def test_the_truth_itself_is_no_copy_to_be_warned_of(self, faint):
        """Held-out examples are what a restorer is to give back; only of what is drawn from noise are they copies."""
        verdict = faint.judge("perfect", lambda x: tf.clip_by_value(2 * x - 0.5, 0, 1), thresholds={})
        assert not [each for each in verdict.warnings if "held-out" in each]

    def test_images_of_another_pairing_are_far_off(self, faint):
        """If this fails, outputs are held against the truth of other inputs."""
        verdict = faint.judge("mixed", lambda x: tf.roll(tf.clip_by_value(2 * x - 0.5, 0, 1), 1, axis=0), thresholds={})
        assert value(verdict, "squared_error") > 1

    def test_what_is_no_model_is_measured_as_one(self, faint):
        """If this fails, a baseline is held against the truth of other inputs, or by other metrics than a model."""
        # of pixels in [0, 1]: 1.5 (2 s - 1) is 2 t - 1
        verdict = faint.judge("one and a half", lambda x: (3 * x - 0.5) / 2, thresholds={})
        settings = Settings.of(faint.experiment, samples=COUNT)
        reference = read_reference([str(faint.root / "train/*")], [str(faint.root / "eval/*")], settings)
        instruments = Instruments(settings, reference, str(faint.root / "extractor"), local_pipeline)
        by_hand = instruments.measure_outputs(
            lambda given: np.rint((1.5 * given["input"] + 1) * 127.5).astype(np.uint8), "mine"
        )
        for name in ("psnr", "ssim", "squared_error", "sharpness"):
            assert by_hand.estimates[name].value == pytest.approx(value(verdict, name), rel=1e-3)
        assert by_hand.untouched["psnr"].value == pytest.approx(verdict.lines["psnr"].untouched)
        with pytest.raises(ValueError, match=r"outputs are like targets, of .*; received \[\d+, 8, 16, 1\] of half"):
            instruments.measure_outputs(lambda given: given["input"][:, :8], "half")
