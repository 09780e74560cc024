"""An honest generator is blessed; a collapsed, a memorising, a blurred and a noisy one are refused, each for its fault.

From SavedModels and examples to the blessing, by the component's executor. The digits are cut into three parts: the
generators were trained on the first and are judged by the second; the honest one draws from the third, which nobody has
seen, as a perfect one would.
"""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.util import model_utils

from components.gan_evaluator.executor import Executor
from models.config import AtLeast, AtMost, Threshold
from tests import judging
from tests.components.gan_evaluator.test_gan_evaluator import artifacts, properties

pytestmark = pytest.mark.e2e

GATE = judging.experiment(
    {
        "conditional_accuracy": AtLeast(0.9),
        "within_class_spread": AtLeast(0.8),
        "coverage": Threshold(within_floor=0.15),
        "memorisation": AtMost(0.1),
        "sharpness": AtLeast(0.85),
        "noise": AtMost(1.25),
    }
)

FAULTS = {
    "collapsed": ("within_class_spread", "mode collapse"),
    "memorising": ("memorisation", "repeats training"),
    "blurred": ("sharpness", "blur"),
    "noisy": ("noise", "noisy"),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Examples, a classifier and the five generators."""
    root = tmp_path_factory.mktemp("five")
    images, labels = (np.concatenate(both) for both in zip(*judging.digits().values(), strict=True))
    train, held_out, unseen = (slice(0, 900), slice(900, 1250), slice(1250, None))
    for split, rows in {"train": train, "eval": held_out}.items():
        judging.write_split(root / f"examples/Split-{split}", images[rows], labels[rows])
    judging.train_extractor(root)
    real = judging.honest(images[unseen], labels[unseen])
    noise = tf.constant(np.random.default_rng(0).normal(0, 0.12, [1_000, *judging.DIGITS.shape]), tf.float32)

    def noisy(z, label):
        grain = tf.gather(noise, tf.cast(tf.abs(z[:, 1]) * 1e6, tf.int64) % len(noise))
        return tf.clip_by_value(real(z, label) + grain, 0, 1)

    generators = {
        "honest": real,
        "collapsed": judging.collapsed(images[unseen], labels[unseen]),
        "memorising": judging.honest(images[train], labels[train]),
        "blurred": lambda z, label: tf.nn.avg_pool2d(real(z, label), 3, 1, "SAME"),
        "noisy": noisy,
    }
    for name, draw in generators.items():
        judging.save_generator(root / name / "Format-Serving", draw)
    return root


def judged(trained, tmp_path, name) -> tuple[bool, str]:
    """Whether the model is blessed, and the reason."""
    inputs, outputs = artifacts(trained, tmp_path, name)
    Executor().Do(inputs, outputs, properties(GATE, tmp_path))
    blessing = outputs["blessing"][0]
    assert Path(blessing.uri, "BLESSED").exists() == model_utils.is_model_blessed(blessing)
    return model_utils.is_model_blessed(blessing), blessing.get_string_custom_property("blessing_message")


def test_the_honest_one_is_blessed(trained, tmp_path):
    blessed, reason = judged(trained, tmp_path, "honest")
    assert blessed, reason


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_each_other_is_refused_for_its_fault(trained, tmp_path, name):
    blessed, reason = judged(trained, tmp_path, name)
    assert not blessed
    metric, words = FAULTS[name]
    assert f"{metric} is " in reason
    assert words in reason
    others = {other for other, _ in FAULTS.values()} - {metric}
    assert not [other for other in others if f"{other} is " in reason], reason
