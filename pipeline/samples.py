"""Draws samples of a pushed model, by the signature that TF Serving answers."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from models.config import Experiment
from models.examples.plots import curves
from models.export.reading import read_interface
from models.training.callbacks import MOST_ROWS, scatter, tile

ROWS, COLUMNS = 10, 10
POINTS = 2_500


def draw(model_dir: Path, output: Path, experiment: Experiment, *, seed: int = 0) -> bool:
    """Writes a PNG: a grid of images, class i in row i where there are classes, or points of the plane.

    Args:
        model_dir: a SavedModel; one that takes examples, and draws nothing by itself, leaves no picture.
        output: the PNG file.
        experiment: what made the model.
        seed: of the first sample; the next has the next.

    Returns:
        Whether there is a picture.
    """
    interface = read_interface(str(model_dir))
    name = interface.drawing()
    if name is None:
        return False
    asked = interface.signatures[name]
    labels = experiment.data.classes if asked.taken("label") else 0
    rows = min(labels, MOST_ROWS) or ROWS
    count = POINTS if "point" in asked.outputs else rows * COLUMNS
    values = {
        "seed": tf.range(seed, seed + count, dtype=tf.int64),
        "label": tf.constant(np.arange(count) // COLUMNS % max(labels, 1), tf.int64),
    }
    inputs = {key: values[each.role] for key, each in asked.inputs.items()}
    outputs = tf.saved_model.load(str(model_dir)).signatures[name](**inputs)
    picture({name: value.numpy() for name, value in outputs.items()}, COLUMNS).save(output)
    return True


def picture(outputs: Mapping[str, np.ndarray], columns: int) -> Image.Image:
    """What a signature drew, as one picture.

    Args:
        outputs: one array by its name: [n] PNG files of one size, points [n, 2] float32, or other values.
        columns: images in a row; 0 for about as many as there are rows.
    """
    (drawn,) = outputs.values()
    if "point" in outputs:
        return Image.fromarray(scatter(drawn, drawn))
    if drawn.dtype.kind == "f":
        images = curves(drawn, 1.25 * float(np.abs(drawn).max()) or 1.0)
    else:
        images = np.stack([tf.io.decode_png(each).numpy() for each in drawn])
    columns = columns or math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    blank = np.zeros((rows * columns - len(images), *images.shape[1:]), images.dtype)
    return Image.fromarray(tile(np.concatenate([images, blank]), rows, columns))
