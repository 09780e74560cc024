"""The SavedModel of a GAN, with what made it."""

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.digests.packages import code_hash
from models.export.saved import EXPERIMENT, INTERFACE, RECORD
from models.export.signatures import Sampler
from models.files import writing
from models.gans.base import GAN
from models.training import precision

RECORDED = ("format", "name", "data", "scheme", "training")
"""The parts of an experiment that made a model; they are saved in its `assets.extra/experiment.json`."""


def save(
    gan: GAN,
    directory: str | Path,
    *,
    trained_on: str = "",
    step: int | None = None,
    classes: Sequence[str] = (),
) -> None:
    """Writes the SavedModel of a trained GAN; appears under its name only when it is complete, but for a bucket.

    Args:
        gan: its `samplers()` and `judges()` are exported.
        directory: a model that it holds, of an earlier end of the same training, is replaced.
        trained_on: digest of the training examples.
        step: of the training, whose weights these are; its last by default.
        classes: their names, by number; empty for numbers.

    Raises:
        CannotWrite: the file system refuses, for example because it is full.
    """
    sampler = Sampler(gan.samplers(), gan.experiment, gan.judges(), classes)
    texts = {
        Path(EXPERIMENT).name: gan.experiment.to_json(RECORDED, indent=2),
        Path(INTERFACE).name: sampler.interface.to_json(indent=2),
        Path(RECORD).name: json.dumps(record(gan, trained_on, step), indent=2),
    }
    final = str(directory).rstrip("/")
    # a bucket has no folders to rename; there, what reads a model waits for the end of the task that writes it
    place = final if "://" in final else f"{final}.unfinished"
    with writing(directory):
        sampler.save(place)
        extra = tf.io.gfile.join(place, "assets.extra")
        tf.io.gfile.makedirs(extra)
        for name, text in texts.items():
            with tf.io.gfile.GFile(tf.io.gfile.join(extra, name), "w") as file:
                file.write(text)
        if place != final:
            if tf.io.gfile.exists(final):
                tf.io.gfile.rmtree(final)
            tf.io.gfile.rename(place, final)


def record(gan: GAN, trained_on: str, step: int | None) -> dict[str, Any]:
    """What, besides its experiment, decided a model's weights: enough to make it again."""
    training = gan.experiment.training
    return {
        "seed": training.seed,
        "step": gan.experiment.total_steps if step is None else step,
        "examples": trained_on,
        "source": code_hash("models"),
        "precision": precision.resolve(training.precision),
        "strategy": training.strategy,
        "replicas": gan.replicas,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "machine": platform.machine(),
    }
