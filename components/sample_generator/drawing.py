"""Draws samples in bulk by Beam's RunInference: any number of them, on any runner, going on where it was stopped."""

import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference
from PIL import Image

from components.example_gen.images import Picture
from components.example_gen.ingest import to_example
from components.example_gen.sources.source import Point
from components.sample_generator.order import Order, Shard, claim, fitted, manifest
from models.export.reading import read_interface

PARTS = ".parts"
"""A folder of files that are not whole yet; what a stopped drawing left there goes with the next."""

BATCH = 100
"""Samples in one call. Fixed, as the last digits of floats may depend on it."""

CHANNELS = {"L": 1, "RGB": 3}


def generate(order: Order, model: str, output: str, pipeline: beam.Pipeline, *, split: str = "") -> Order:
    """Draws what is missing of an order, one file or set of pictures a shard.

    Each shard is written under a name of its own and renamed when it is whole: whatever is stopped, at any moment and
    on any worker, leaves whole shards, and the same call draws the others. Equal orders of equal models give equal
    samples in any number of sittings.

    Args:
        order: which seeds and labels, in which form.
        model: directory of a SavedModel that draws by seeds, which all workers reach.
        output: a folder that all workers reach: receives the samples and `samples.json`, which says what they are.
        pipeline: on any runner; it is run.
        split: a folder in `output` for the samples alone.

    Returns:
        The order as the model fills it, with its labels.

    Raises:
        ValueError: the model is none or does not fit the order; the folder holds something else.
        RuntimeError: as the runner does.
    """
    order = fitted(order, model)
    claim(output, manifest(order, model))
    folder = f"{output}/{split}" if split else output
    for part in order.folders():
        tf.io.gfile.makedirs(f"{folder}/{part}")
    todo, parts = missing(order, folder), f"{output}/{PARTS}"
    tf.io.gfile.makedirs(parts)
    with pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(todo)
            | "Spread" >> beam.Reshuffle()
            | "Draw" >> RunInference(Drawing(order, model))
            | "Write" >> beam.Map(write, order, folder, parts)
        )
    tf.io.gfile.rmtree(parts)
    return order


def missing(order: Order, folder: str) -> list[Shard]:
    """The shards of an order that are not whole yet."""
    return [shard for shard in order.shards() if not tf.io.gfile.exists(f"{folder}/{order.last_file(shard)}")]


class Drawing(ModelHandler[Shard, PredictionResult, Any]):
    """A generator as RunInference knows models: a worker loads it once, a shard is one inference.

    Args:
        order: decides what a shard's samples are; it fits the model.
        model: directory of the SavedModel.
    """

    def __init__(self, order: Order, model: str):
        super().__init__()
        self._order, self._directory = order, model
        interface = read_interface(model)
        self._name = str(order.signature(interface))
        self._asked = interface.signatures[self._name]

    def load_model(self) -> Any:
        """The SavedModel."""
        return tf.saved_model.load(self._directory)

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """A shard by itself: it is a batch of samples already."""
        return {"min_batch_size": 1, "max_batch_size": 1}

    def run_inference(
        self, batch: Sequence[Shard], model: Any, inference_args: dict[str, Any] | None = None
    ) -> Iterator[PredictionResult]:
        """A shard's samples: `image_bytes` [size] or `point` [size, 2]."""
        signature = model.signatures[self._name]
        for shard in batch:
            parts = [
                signature(
                    **{name: tf.constant(value) for name, value in self._order.inputs(seeds, self._asked).items()}
                )
                for seeds in (shard.seeds[start : start + BATCH] for start in range(0, shard.size, BATCH))
            ]
            (name,) = parts[0]
            yield PredictionResult(shard, np.concatenate([part[name].numpy() for part in parts]))


def write(drawn: PredictionResult, order: Order, folder: str, parts: str) -> None:
    """Writes a shard, file by file by way of `parts`, so that its last file is there only when all is."""
    shard, samples = drawn.example, drawn.inference
    # workers may draw the same shard, as runners repeat what seems slow: each has names of its own, and the same bytes
    new = f"{parts}/{uuid.uuid4().hex}"
    if order.format == "png":
        for seed, content in zip(shard.seeds, samples, strict=True):
            with tf.io.gfile.GFile(new, "wb") as file:
                file.write(content)
            tf.io.gfile.rename(new, f"{folder}/{order.picture(seed)}", overwrite=True)
        return
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    with tf.io.TFRecordWriter(new, options) as writer:
        for seed, sample in zip(shard.seeds, samples, strict=True):
            writer.write(_example(sample, seed, order.label(seed)).SerializeToString())
    tf.io.gfile.rename(new, f"{folder}/{order.last_file(shard)}", overwrite=True)


def _example(sample: Any, seed: int, label: int | None) -> tf.train.Example:
    """The example that ingestion would write, with the seed."""
    if isinstance(sample, bytes):
        with Image.open(io.BytesIO(sample)) as image:  # reads the header alone
            picture = Picture(sample, image.height, image.width, CHANNELS[image.mode], b"", label)
        example = to_example(picture)
    else:
        example = to_example(Point((float(sample[0]), float(sample[1])), b"", label))
    example.features.feature["seed"].int64_list.value.append(seed)
    return example
