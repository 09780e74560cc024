"""What the judge refuses to look at, in one line. That nothing is blessed then: test_gan_evaluator.py."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests import judging
from tests.judging import judge_in


def refused(message: str):
    return pytest.raises(ValueError, match=rf"\A[^\n]*{message}[^\n]*\Z")


class TestGenerator:
    @pytest.mark.parametrize(
        ("draw", "message"),
        [
            (lambda image: image / 0, "finite; 100 of 100 of .* hold NaN or infinity"),
            (lambda image: image * 2, r"lie in \[0, 1\]; .* made 0 to 2"),
            (lambda image: image - 1, r"lie in \[0, 1\]; .* made -1 to 0"),
            (lambda image: image * 255, r"lie in \[0, 1\]; .* made 0 to 255"),
            (lambda image: image[:, :8], r"float32 \[100, 16, 16, 1\]; .* made float32 \[100, 8, 16, 1\]"),
            (lambda image: image[:50], r"float32 \[100, 16, 16, 1\]; .* made float32 \[50, 16, 16, 1\]"),
            (lambda image: tf.cast(image, tf.uint8), "made uint8"),
        ],
    )
    def test_images(self, house, tmp_path, draw, message):
        real = judging.honest(*judging.digits()["train"])
        judging.save_generator(tmp_path / "Format-Serving", lambda z, label: draw(real(z, label)))
        with refused(message):
            judge_in(house, str(tmp_path))

    def test_no_model_and_no_signature(self, house, tmp_path):
        with refused(r"a generator is a SavedModel; .*nothing/Format-Serving cannot be loaded"):
            judge_in(house, str(tmp_path / "nothing"))
        judging.save_generator(tmp_path / "Format-Serving", lambda z, label: z, signature="sample")
        with refused("has the signature serving_default; .* has sample"):
            judge_in(house, str(tmp_path))
        with refused(r"a generator takes z \[batch, latent\].* takes image"):
            judge_in(house, "extractor")


class TestExamples:
    def test_class_missing_in_the_eval_split(self, house, tmp_path):
        images, labels = judging.digits()["eval"]
        judging.write_split(tmp_path / "Split-eval", images[labels != 3], labels[labels != 3])
        with refused("10 classes needs images in the eval split; there are none of class 3"):
            judge_in(house, "honest", eval_examples=[str(tmp_path / "Split-eval/*")])

    def test_a_split_without_examples(self, house, tmp_path):
        judging.write_split(tmp_path / "Split-eval", np.empty((0, 16, 16, 1), np.uint8), np.empty(0, np.int64))
        with refused("needs at least one example; 1 files hold none"):
            judge_in(house, "honest", eval_examples=[str(tmp_path / "Split-eval/*")])

    def test_of_another_size(self, house, tmp_path):
        judging.write_split(tmp_path / "Split-eval", np.zeros((10, 8, 8, 1), np.uint8), np.arange(10))
        with refused(r"an example's shape is \[16, 16, 1\]; received \[8, 8, 1\]"):
            judge_in(house, "honest", eval_examples=[str(tmp_path / "Split-eval/*")])


def save_extractor(directory, look, size=16):
    """A SavedModel with an extractor's signature around `look`, images -> outputs."""
    module = tf.Module()
    image = tf.TensorSpec([None, size, size, 1], tf.float32, name="image")
    function = tf.function(lambda image: look(tf.reshape(image, [-1, size * size])), input_signature=[image])
    tf.saved_model.save(module, str(directory), signatures={"serving_default": function})
    return str(directory)


class TestExtractor:
    def test_cannot_be_loaded(self, house, tmp_path):
        with refused("a feature extractor is a SavedModel; .*nothing cannot be loaded"):
            judge_in(house, "honest", feature_model=str(tmp_path / "nothing"))
        damaged = shutil.copytree(house / "extractor/Format-Serving", tmp_path / "damaged")
        (damaged / "saved_model.pb").write_bytes(b"no model")
        with refused("a feature extractor is a SavedModel; .*damaged cannot be loaded"):
            judge_in(house, "honest", feature_model=str(damaged))

    def test_has_lost_its_weights(self, house, tmp_path):
        damaged = shutil.copytree(house / "extractor/Format-Serving", tmp_path / "damaged")
        for file in (damaged / "variables").iterdir():
            file.unlink()
        with refused("a feature extractor is a SavedModel; .*damaged cannot be loaded"):
            judge_in(house, "honest", feature_model=str(damaged))

    @pytest.mark.parametrize(
        ("look", "message"),
        [
            (lambda x: {"features": x[:, : tf.shape(x)[0]]}, r"one width, here \[60, 100\]; .* made \[60, 60\]"),
            (lambda x: {"features": x[1:]}, r"one width, here \[100, 256\]; .* made \[99, 256\]"),
            (lambda x: {"features": x[0]}, r"one width, here \[100, 256\]; .* made \[256\]"),
            (lambda x: {"features": x / 0}, "features are finite; some of .* are NaN or infinity"),
            (lambda x: {"pixels": x}, "a feature extractor gives features; .* gives pixels"),
        ],
    )
    def test_its_features(self, house, tmp_path, look, message):
        # 360 held-out images are looked at in batches of 100, the last of 60.
        wrong = save_extractor(tmp_path / "wrong", look)
        with refused(message):
            judge_in(house, "honest", feature_model=wrong)

    def test_takes_images_of_another_size(self, house, tmp_path):
        other = save_extractor(tmp_path / "other", lambda x: {"features": x}, size=28)
        with refused(r"does not take images \(100, 16, 16, 1\)"):
            judge_in(house, "honest", feature_model=other)


def test_threshold_of_no_metric():
    with refused(r"coverag is no metric of this evaluation; did you mean coverage\?"):
        judging.experiment().override(["evaluation.thresholds.coverag.at_least=0.5"])
