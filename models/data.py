"""Transformed examples in memory, and the batches that a training step draws from them."""

import dataclasses
import functools
import tempfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from models.config import Data, Training

IN_MEMORY_BYTES = 4 * 2**30
"""Decoded images up to this size are held in memory, larger sets in an unnamed file that the system pages."""


@dataclasses.dataclass(frozen=True)
class Arrays:
    """Decoded images.

    Attributes:
        images: [n, resolution, resolution, channels] uint8.
        labels: [n] int64 in [0, classes), or None.
    """

    images: np.ndarray
    labels: np.ndarray | None

    def __len__(self) -> int:
        return len(self.images)


def read_examples(patterns: Sequence[str], data: Data) -> Arrays:
    """Reads and decodes the gzip TFRecords that Transform wrote, in the order of their names.

    Args:
        patterns: file patterns; a pattern may name local or remote files.
        data: its `resolution`, `channels` and `labels` say what an example has to look like.

    Raises:
        ValueError: no file matches, the files hold no example, or an image has another size.
    """
    files = sorted({file for pattern in patterns for file in tf.io.gfile.glob(pattern)})
    if not files:
        raise ValueError(f"examples are read from TFRecord files; none matches {', '.join(patterns)}")
    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    count = int(records.reduce(np.int64(0), lambda n, _: n + 1))
    if not count:
        raise ValueError(f"training needs at least one example; {len(files)} files hold none")
    shape = (count, data.resolution, data.resolution, data.channels)
    images = _allocate(shape)
    labels = np.empty(count, np.int64) if data.labels else None
    at = 0
    for batch in _decoded(records, data).batch(1024).prefetch(2).as_numpy_iterator():
        size = len(batch["image"])
        if batch["image"].shape[1:] != shape[1:]:
            raise ValueError(f"an example's image is {list(shape[1:])}; received {list(batch['image'].shape[1:])}")
        images[at : at + size] = batch["image"]
        if labels is not None:
            labels[at : at + size] = batch["label"]
        at += size
    return Arrays(images, labels)


def _allocate(shape: tuple[int, ...]) -> np.ndarray:
    if np.prod(shape, dtype=np.int64) <= IN_MEMORY_BYTES:
        return np.empty(shape, np.uint8)
    return np.memmap(tempfile.TemporaryFile(), np.uint8, "w+", shape=shape)


def _decoded(records: tf.data.Dataset, data: Data) -> tf.data.Dataset:
    features = {"image": tf.io.FixedLenFeature([], tf.string)}
    if data.labels:
        features["label"] = tf.io.FixedLenFeature([], tf.int64)

    def decode(record: tf.Tensor) -> dict[str, tf.Tensor]:
        example = tf.io.parse_single_example(record, features)
        return {**example, "image": tf.io.decode_png(example["image"], channels=data.channels)}

    return records.map(decode, num_parallel_calls=tf.data.AUTOTUNE)


def batches(
    arrays: Arrays, training: Training, *, draws: int, first_step: int, context: tf.distribute.InputContext
) -> tf.data.Dataset:
    """The real batches of each step from `first_step` on, for one worker: an endless dataset.

    Which image stands at a position is a pure function of seed and position (each epoch is a shuffle that can be
    entered anywhere). So a resumed run sees what the uninterrupted one sees, and the global batch of a step is the same
    over any number of replicas.

    Args:
        arrays: all training images.
        training: `batch_size` is the global batch; `seed` the shuffle's.
        draws: real batches that one step consumes.
        first_step: the step that comes first, >= 0.
        context: which share of the global batch this worker takes.

    Returns:
        Elements, one a replica and step: `image` uint8 [draws, replica batch, r, r, c] and, with labels, `label` int64
        [draws, replica batch]. Consecutive elements go to consecutive replicas.
    """
    batch = training.batch_size
    share = batch // context.num_replicas_in_sync
    local = context.num_replicas_in_sync // context.num_input_pipelines
    first_replica = context.input_pipeline_id * local

    @functools.lru_cache(maxsize=2)
    def epoch(number: int) -> np.ndarray:
        return np.random.default_rng([training.seed, number]).permutation(len(arrays))

    def take(number: np.ndarray) -> list[np.ndarray]:
        step, replica = first_step + int(number) // local, first_replica + int(number) % local
        draw = (step * draws + np.arange(draws)[:, None]) * batch
        epochs, at = np.divmod(draw + replica * share + np.arange(share), len(arrays))
        places = zip(epochs.flat, at.flat, strict=True)
        order = np.array([epoch(number)[place] for number, place in places]).reshape(at.shape)
        labels = [] if arrays.labels is None else [arrays.labels[order]]
        return [arrays.images[order], *labels]

    def element(number: tf.Tensor) -> dict[str, tf.Tensor]:
        kinds = [tf.uint8] if arrays.labels is None else [tf.uint8, tf.int64]
        shapes = [[draws, share, *arrays.images.shape[1:]], [draws, share]]
        taken = tf.numpy_function(take, [number], kinds, stateful=False)
        return {
            name: tf.ensure_shape(value, shape)
            for name, value, shape in zip(("image", "label"), taken, shapes, strict=False)
        }

    numbers = tf.data.Dataset.range(np.iinfo(np.int64).max)
    return numbers.map(element, num_parallel_calls=2, deterministic=True).prefetch(4)
