"""The judge of a restorer that is told the kernel of each picture."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.beam import local_pipeline
from components.gan_evaluator.measuring import populations
from components.gan_evaluator.measuring.instruments import Instruments
from components.gan_evaluator.measuring.reference import Reference
from components.gan_evaluator.measuring.settings import Settings
from models import kernels, pixels
from models.config.variants import made_by
from models.export import saving
from models.extractors import classifier
from models.layers.wiener import repeated_edges
from tests import trainings
from tests.translators import deblurrer, told_deblurrer


@pytest.fixture(scope="module")
def instruments(tmp_path_factory):
    config, directory = told_deblurrer(), tmp_path_factory.mktemp("judged")
    network = classifier.classifier(config.data)
    classifier.export(network, config.data, str(directory), {"name": config.evaluation.extractor})
    known = Reference(trainings.arrays(config.data, 60), trainings.arrays(config.data.held_out, 60, seed=1), 0, "made")
    return Instruments(Settings.of(config, samples=60), known, str(directory), local_pipeline)


def saved(config, directory):
    keras.utils.set_random_seed(0)
    saving.save(made_by("scheme", config.scheme)(config), directory)
    return str(directory)


def filtered(given, shift=0):
    """What Wiener's filter makes of pictures, each by the kernel so many rows from it."""
    told = tf.constant(np.roll(given["kernel"], shift, axis=0))
    filters = kernels.wiener(told, 0.02, 9)
    return pixels.to_bytes(kernels.blurred(repeated_edges(tf.constant(given["input"]), 4), filters).numpy())


def psnr(measured):
    return measured.estimates["psnr"].value


def test_each_picture_is_judged_with_its_own_kernel(instruments, tmp_path, monkeypatch):
    """If this fails, a model is refused for what it made of other kernels than those of its pictures."""
    monkeypatch.setattr(populations, "BLOCK", 25)  # several, of which each has its pictures and their kernels
    right, wrong = (psnr(instruments.measure_outputs(lambda given, s=s: filtered(given, s), "mine")) for s in (0, 1))
    assert right > wrong + 1
    # untrained, the network is that filter
    assert psnr(instruments.measure_generator(saved(told_deblurrer(), tmp_path / "model"))) == pytest.approx(
        right, abs=0.01
    )


def test_a_model_that_is_told_no_kernel_is_refused(instruments, tmp_path):
    with pytest.raises(
        ValueError, match=r"a model that takes examples takes image and kernel; .* takes image "
    ) as fault:
        instruments.measure_generator(saved(deblurrer(), tmp_path / "model"))
    assert "\n" not in str(fault.value)
