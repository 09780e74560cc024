"""Draws a grid of samples from a pushed model, by the signature that TF Serving answers."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from models.monitor import tile

COLUMNS = 10


def draw_grid(model_dir: Path, output: Path, *, rows: int = 10, seed: int = 0) -> None:
    """Writes a PNG of `rows` by 10 samples; a conditional model draws class i in row i.

    Args:
        model_dir: a SavedModel with the signature `sample`.
        output: the PNG file.
        rows: classes of a conditional model; any number for another.
        seed: of the first sample; the next has the next.
    """
    sample = tf.saved_model.load(str(model_dir)).signatures["sample"]
    count = rows * COLUMNS
    inputs = {"seed": tf.range(seed, seed + count, dtype=tf.int64)}
    if "label" in sample.structured_input_signature[1]:
        inputs["label"] = tf.constant(np.repeat(np.arange(rows), COLUMNS), tf.int64)
    images = np.stack([tf.io.decode_png(each).numpy() for each in sample(**inputs)["image_bytes"].numpy()])
    Image.fromarray(tile(images, rows, COLUMNS)).save(output)
