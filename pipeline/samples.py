"""Draws samples of a pushed model, by the signature that TF Serving answers."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from models.config import Experiment
from models.training.callbacks import MOST_ROWS, scatter, tile

ROWS, COLUMNS = 10, 10
POINTS = 2_500


def draw(model_dir: Path, output: Path, experiment: Experiment, *, seed: int = 0) -> bool:
    """Writes a PNG: a grid of images, class i in row i where there are classes, or points of the plane.

    Args:
        model_dir: a SavedModel; one without the signature `sample`, which draws nothing by itself, leaves no picture.
        output: the PNG file.
        experiment: what made the model.
        seed: of the first sample; the next has the next.

    Returns:
        Whether there is a picture.
    """
    model = tf.saved_model.load(str(model_dir))
    if "sample" not in model.signatures:
        return False
    sample = model.signatures["sample"]
    labels = experiment.data.classes if experiment.conditional else 0
    rows = min(labels, MOST_ROWS) or ROWS
    count = POINTS if experiment.data.points else rows * COLUMNS
    inputs = {"seed": tf.range(seed, seed + count, dtype=tf.int64)}
    if labels:
        inputs["label"] = tf.constant(np.arange(count) // COLUMNS % labels, tf.int64)
    outputs = sample(**inputs)
    picture({name: value.numpy() for name, value in outputs.items()}, COLUMNS).save(output)
    return True


def picture(outputs: Mapping[str, np.ndarray], columns: int) -> Image.Image:
    """What the signature `sample` gave, as one picture.

    Args:
        outputs: `image_bytes`, [n] PNG files of one size, or `point`, [n, 2].
        columns: images in a row; 0 for about as many as there are rows.
    """
    if "point" in outputs:
        return Image.fromarray(scatter(outputs["point"], outputs["point"]))
    images = np.stack([tf.io.decode_png(each).numpy() for each in outputs["image_bytes"]])
    columns = columns or math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    blank = np.zeros((rows * columns - len(images), *images.shape[1:]), images.dtype)
    return Image.fromarray(tile(np.concatenate([images, blank]), rows, columns))
