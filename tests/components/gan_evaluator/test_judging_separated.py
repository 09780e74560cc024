"""Judging translators of separated pairs: trained on one image of each, judged by the true partners of others."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from skimage.metrics import peak_signal_noise_ratio

from models.config import Evaluation, Separated
from tests import judging
from tests.components.gan_evaluator.test_judging_tasks import same, scene, value, write_images
from tests.translators import translator

RETRIEVAL, PAIR_DISTANCE = "retrieval_efficientnet_lite0", "pair_distance_efficientnet_lite0"


@pytest.fixture(scope="module")
def digits():
    """Split -> digits [n, 16, 16, 1] uint8, no two alike."""
    different = {split: np.unique(images, axis=0) for split, (images, _) in judging.digits().items()}
    return {split: np.random.default_rng(0).permutation(images) for split, images in different.items()}


@pytest.fixture(scope="module")
def negatives(tmp_path_factory, digits):
    """Digits and negatives of others to train on; digits with their own negatives to judge by."""
    root = tmp_path_factory.mktemp("separated")
    half = len(digits["train"]) // 2
    write_images(root / "train", {"input": digits["train"][:half], "target": 255 - digits["train"][half:]})
    (root / "eval").mkdir()
    with tf.io.TFRecordWriter(str(root / "eval" / "examples.gz"), "GZIP") as writer:
        for image in digits["eval"]:
            features = {"group": tf.train.Feature(int64_list=tf.train.Int64List(value=[2]))}
            for role, pixels in (("input", image), ("target", 255 - image)):
                png = tf.io.encode_png(pixels).numpy()
                features[role] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[png]))
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    data = Separated(source="folder:pairs", resolution=16, channels=1)
    experiment = translator().model_copy(update={"data": data, "evaluation": Evaluation().for_data("images", 0)})
    return scene(root, experiment, "image")


def test_the_right_one_has_no_error_and_finds_each_partner(negatives, digits):
    verdict = negatives.judge("right", lambda x: 1 - x, lambda x: 1 - x, thresholds={})
    # as near as 8 bits can tell: 10 log10(255^2 * 12)
    assert value(verdict, "psnr") == pytest.approx(10 * np.log10(255**2 * 12), abs=1e-2)
    assert value(verdict, RETRIEVAL) == 1
    assert value(verdict, PAIR_DISTANCE) == pytest.approx(0, abs=1e-5)
    assert value(verdict, "cycle_error") < 0.1
    assert verdict.counts["generated"] == verdict.counts["eval"] == len(digits["eval"])
    assert verdict.counts["train"] == len(digits["train"]) - len(digits["train"]) // 2


def test_the_identity_by_hand(negatives, digits):
    """If this fails, an output is held against the partner of another input, or against itself."""
    verdict = negatives.judge("identity", same, same, thresholds={})
    real = digits["eval"]
    expected = [peak_signal_noise_ratio(255 - each, each, data_range=255) for each in real]
    assert value(verdict, "psnr") == pytest.approx(np.mean(expected), rel=1e-4)
    inputs, truth = (
        (each / 255).reshape(-1, 4, 4, 4, 4).mean(axis=(2, 4)).reshape(len(real), 16) for each in (real, 255 - real)
    )
    apart = np.linalg.norm(inputs[:, None] - truth, axis=2)
    ranks = 1 + (apart < np.diag(apart)[:, None]).sum(axis=1)
    assert_allclose(value(verdict, RETRIEVAL), (1 / ranks).mean(), rtol=0.02)


def test_a_fine_picture_of_something_else_is_not_found(negatives):
    verdict = negatives.judge("mixed", lambda x: tf.roll(1 - x, 1, axis=0), thresholds={})
    right = negatives.judge("right again", lambda x: 1 - x, thresholds={})
    assert value(verdict, RETRIEVAL) < 0.1
    assert value(verdict, "psnr") < 15
    name = "kd_efficientnet_lite0"
    assert value(verdict, name) == pytest.approx(value(right, name), abs=1e-3)


def test_what_does_nothing_is_measured_beside(negatives):
    """If this fails, a report lacks the identity, which a translation has to be better than."""
    identity = negatives.judge("does nothing", same, thresholds={})
    right = negatives.judge("beside", lambda x: 1 - x, thresholds={})
    for name in ("psnr", RETRIEVAL, PAIR_DISTANCE):
        assert right.lines[name].untouched == pytest.approx(value(identity, name), rel=1e-3)
