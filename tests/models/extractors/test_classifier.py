import json
from types import SimpleNamespace
from typing import ClassVar, Literal

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import multivariate_normal

from models import mixtures
from models.config import AtLeast, Data, Evaluation, Images, OneSource, Points, Stacked
from models.examples.arrays import Arrays
from models.extractors import classifier
from tests import judging
from tests.harness import write_examples


def run(directory, train, held_out, data: Data, **evaluation):
    """Runs the trainer as TFX calls it; returns the exported signature and the record."""
    custom = {"data": data.model_dump(), "evaluation": evaluation}
    model = str(directory / "model/Format-Serving")
    classifier.run_fn(
        SimpleNamespace(
            train_files=train,
            eval_files=held_out,
            serving_model_dir=model,
            custom_config={"experiment": json.dumps(custom)},
        )
    )
    return tf.saved_model.load(model), json.loads(tf.io.gfile.GFile(f"{model}/{classifier.RECORD}").read())


def test_reads_digits(tmp_path):
    data = judging.digits()
    for split, (images, labels) in data.items():
        judging.write_split(tmp_path / split, images, labels)
    patterns = ([str(tmp_path / "train/*")], [str(tmp_path / "eval/*")])
    model, record = run(tmp_path, *patterns, judging.DIGITS, extractor="digits_cnn", extractor_steps=400)
    images, labels = data["eval"]
    outputs = model.signatures["serving_default"](image=tf.constant(images.astype(np.float32) / 255))
    accuracy = (outputs["logits"].numpy().argmax(1) == labels).mean()
    assert accuracy >= 0.98
    assert record["eval_accuracy"] == pytest.approx(accuracy)
    assert (record["name"], record["steps"], record["labels"]) == ("digits_cnn", 400, 10)
    assert outputs["features"].shape == (360, classifier.FEATURES)
    # Normalised features: no width is dead or dominant.
    assert outputs["features"].numpy().std(axis=0).min() > 0.2
    assert outputs["features"].numpy().std(axis=0).max() < 5


@pytest.mark.parametrize(("resolution", "channels"), [(16, 3), (28, 1), (32, 3), (64, 1), (128, 3)])
def test_any_image(resolution, channels):
    data = Images(source="digits", resolution=resolution, channels=channels, classes=3)
    outputs = classifier.classifier(data)(np.zeros((2, resolution, resolution, channels), np.float32))
    assert outputs["features"].shape == (2, classifier.FEATURES)
    assert outputs["logits"].shape == (2, 3)


def test_same_seed_same_batches(tmp_path):
    data = Images(source="digits", resolution=16, channels=1, classes=3)
    patterns = write_examples(tmp_path / "examples", data)
    image = tf.constant(np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16, 1))

    def logits(name: str, seed: int) -> np.ndarray:
        model, _ = run(tmp_path / name, patterns, patterns, data, extractor_steps=5, seed=seed)
        return model.signatures["serving_default"](image=image)["logits"].numpy()

    first = logits("first", 0)
    np.testing.assert_allclose(logits("again", 0), first, rtol=1e-4)
    assert not np.allclose(logits("other", 1), first, rtol=1e-2)


class TestStacked:
    DATA = Stacked(source="stacked:digits", resolution=16)

    def test_reads_each_channel(self, tmp_path):
        data = judging.digits()
        for split, count in (("train", 900), ("eval", 300)):
            judging.write_split(tmp_path / split, *judging.triples(*data[split], count))
        patterns = ([str(tmp_path / "train/*")], [str(tmp_path / "eval/*")])
        model, record = run(tmp_path, *patterns, self.DATA, extractor_steps=150)
        images, labels = judging.triples(*data["eval"], 300)
        outputs = model.signatures["serving_default"](image=tf.constant(images.astype(np.float32) / 255))
        assert outputs["features"].shape == (300, 3 * classifier.FEATURES)
        read = outputs["logits"].numpy().argmax(axis=2)
        assert ((read @ [100, 10, 1]) == labels).mean() == pytest.approx(record["eval_accuracy"])
        assert record["eval_accuracy"] > 0.8
        assert (record["features"], record["labels"], record["steps"]) == (192, 1000, 150)
        # The digit of one channel decides nothing of the others.
        swapped = model.signatures["serving_default"](
            image=tf.constant(images[..., [2, 1, 0]].astype(np.float32) / 255)
        )
        np.testing.assert_allclose(swapped["logits"].numpy()[:, ::-1], outputs["logits"], atol=1e-4)


class TestPoints:
    @pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
    def test_the_optimal_classifier(self, tmp_path, name, modes):
        data = Points(source=f"mixture:{name}", classes=modes)
        mixture = mixtures.of_source(data.source)
        points, labels = mixtures.sample(mixture, 300, 0)
        judging.write_split(tmp_path / "examples", points, labels)
        patterns = [str(tmp_path / "examples/*")]
        model, record = run(tmp_path, patterns, patterns, data, extractor="points")
        assert (record["eval_accuracy"], record["features"], record["steps"]) == (1, 2, 0)
        near = points + np.float32(2 * mixture.sigma)
        outputs = model.signatures["serving_default"](point=tf.constant(near))
        np.testing.assert_array_equal(outputs["features"], near)
        # by Bayes' rule with scipy's Gaussians, up to a constant of each row
        expected = np.stack([multivariate_normal(c, mixture.sigma**2).logpdf(near) for c in mixture.centres], axis=1)
        got = outputs["logits"].numpy()
        np.testing.assert_allclose(
            got - got.max(1, keepdims=True), expected - expected.max(1, keepdims=True), rtol=1e-3
        )

    def test_refuses_labels_that_are_no_modes(self):
        with pytest.raises(ValueError, match=r"mixture:ring has 8 modes: data\.classes is that or 0; received 10"):
            classifier.mixture_classifier(Points(source="mixture:ring", classes=10))


def test_refuses_a_label_out_of_range(tmp_path):
    patterns = write_examples(tmp_path / "examples", Images(source="digits", resolution=16, channels=1, classes=3))
    data = Images(source="digits", resolution=16, channels=1, classes=2)
    with pytest.raises(ValueError, match="labels are 0 to 1; received 0 to 2"):
        run(tmp_path, patterns, patterns, data)


def test_shift_moves_whole_pixels():
    images = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    moved = classifier._shifted(images, 1, -1)[0, ..., 0]
    assert moved[1:, :3].tolist() == images[0, :3, 1:, 0].tolist()
    assert moved[0, :3].tolist() == images[0, 0, 1:, 0].tolist()  # the edge is repeated


class Scattered(OneSource):
    """Points of a user's own source, from no mixture that is known."""

    column_kind: ClassVar[str] = "point"
    name: Literal["scattered"] = "scattered"
    source: str = "mine"
    classes: int = 0

    @property
    def shape(self):
        return (2,)


def test_points_from_no_mixture_are_their_own_features():
    """If this fails, a user's own source of points is looked for among the mixtures, once everything is trained."""
    points = np.array([[1, 2], [3, 4]], np.float32)
    model, steps = classifier.extractor(Scattered(), Evaluation(), Arrays.aligned(points))
    assert steps == 0
    np.testing.assert_array_equal(model(points)["features"], points)
    assert "logits" not in model.output


@pytest.mark.parametrize("name", ["modes", "high_quality", "classifier_score"])
def test_points_from_no_mixture_have_no_bounds_on_modes(name):
    evaluation = Evaluation(thresholds={name: AtLeast(1)})
    evaluation.check_bounds(Points(), "generate")
    with pytest.raises(ValueError, match=rf"^{name} (counts the modes of a mixture|is what a classifier says)"):
        evaluation.check_bounds(Scattered(), "generate")
