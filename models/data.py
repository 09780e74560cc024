"""Transformed examples in memory, and the batches that a training step draws from them."""

import dataclasses
import functools
import hashlib
import logging
import tempfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from models.config import Data, Training

log = logging.getLogger(__name__)

IN_MEMORY_BYTES = 4 * 2**30
"""Decoded images up to this size are held in memory, larger sets in an unnamed file that the system pages."""


@dataclasses.dataclass(frozen=True)
class Arrays:
    """Decoded examples, in the order of their content: the same whatever files they came in.

    Attributes:
        examples: [n, resolution, resolution, channels] uint8, or [n, 2] float32 points.
        labels: [n] int64 in [0, classes), or None.
        unpaired: examples of the second domain, or None; their number is their own.
        digest: of all their content, 32 hexadecimal digits.
    """

    examples: np.ndarray
    labels: np.ndarray | None
    unpaired: np.ndarray | None = None
    digest: str = ""

    def __len__(self) -> int:
        return len(self.examples)


def read_examples(patterns: Sequence[str], data: Data) -> Arrays:
    """Reads and decodes the gzip TFRecords that Transform wrote.

    Args:
        patterns: file patterns; a pattern may name local or remote files.
        data: says what an example has to look like.

    Raises:
        ValueError: no file matches, the files hold no example, one domain has none, or an example has another size.
    """
    files = sorted({file for pattern in patterns for file in tf.io.gfile.glob(pattern)})
    if not files:
        raise ValueError(f"examples are read from TFRecord files; none matches {', '.join(patterns)}")
    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    count = int(records.reduce(np.int64(0), lambda n, _: n + 1))
    if not count:
        raise ValueError(f"training needs at least one example; {len(files)} files hold none")
    examples = _allocate((count, *data.shape), np.float32 if data.points else np.uint8)
    sides = {name: np.zeros(count, np.int64) for name in ("label", "domain")}
    at = 0
    for batch in _decoded(records, data).batch(1024).prefetch(2).as_numpy_iterator():
        size = len(batch["x"])
        if batch["x"].shape[1:] != data.shape:
            raise ValueError(f"an example's shape is {list(data.shape)}; received {list(batch['x'].shape[1:])}")
        examples[at : at + size] = batch["x"]
        for name in sides.keys() & batch.keys():
            sides[name][at : at + size] = batch[name]
        at += size
    order, digest = _by_content(examples, sides["label"], sides["domain"])
    labels = sides["label"] if data.classes else None
    if len(data.domains) == 1:
        return Arrays(_ordered(examples, order), None if labels is None else labels[order], digest=digest)
    first, second = (order[sides["domain"][order] == domain] for domain in (0, 1))
    if not len(first) or not len(second):
        raise ValueError(
            f"both domains need examples; there are {len(first)} of the first, {len(second)} of the second"
        )
    taken = None if labels is None else labels[first]
    return Arrays(_ordered(examples, first), taken, _ordered(examples, second), digest)


def _allocate(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    if np.prod(shape, dtype=np.int64) * np.dtype(dtype).itemsize <= IN_MEMORY_BYTES:
        return np.empty(shape, dtype)
    return np.memmap(tempfile.TemporaryFile(), dtype, "w+", shape=shape)


def _by_content(examples: np.ndarray, *sides: np.ndarray) -> tuple[np.ndarray, str]:
    """The order of the examples by a hash of their content, so that files decide nothing; and a hash of these."""
    hashes = [
        hashlib.blake2b(b"".join(part.tobytes() for part in parts), digest_size=16).digest()
        for parts in zip(examples, *sides, strict=True)
    ]
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    return np.array(order), hashlib.blake2b(b"".join(hashes[i] for i in order), digest_size=16).hexdigest()


def _ordered(examples: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The examples in this order; a set that is larger than memory in a file of its own again."""
    ordered = _allocate((len(order), *examples.shape[1:]), examples.dtype.type)
    for start in range(0, len(order), 4096):
        ordered[start : start + 4096] = examples[order[start : start + 4096]]
    return ordered


def _decoded(records: tf.data.Dataset, data: Data) -> tf.data.Dataset:
    number = tf.io.FixedLenFeature([], tf.int64)
    features = {"point": tf.io.FixedLenFeature([2], tf.float32)} if data.points else {}
    features |= {} if data.points else {"image": tf.io.FixedLenFeature([], tf.string)}
    features |= ({"label": number} if data.classes else {}) | ({"domain": number} if len(data.domains) > 1 else {})

    def decode(record: tf.Tensor) -> dict[str, tf.Tensor]:
        example = tf.io.parse_single_example(record, features)
        image = example.pop("image", None)
        x = example.pop("point") if image is None else tf.io.decode_png(image, channels=data.channels)
        return example | {"x": x}

    return records.map(decode, num_parallel_calls=tf.data.AUTOTUNE)


def batches(
    arrays: Arrays,
    training: Training,
    *,
    draws: int,
    first_step: int,
    context: tf.distribute.InputContext,
    drawn_before: int = 0,
) -> tf.data.Dataset:
    """The real batches of each step from `first_step` on, for one worker: an endless dataset.

    Which example stands at a position is a pure function of seed and position (each epoch is a shuffle that can be
    entered anywhere). So a resumed run sees what the uninterrupted one sees, and the global batch of a step is the same
    over any number of replicas.

    Args:
        arrays: all training examples.
        training: `batch_size` is the global batch; `seed` the shuffle's.
        draws: real batches that one step consumes.
        first_step: the step that comes first, >= 0.
        context: which share of the global batch this worker takes.
        drawn_before: real batches that were consumed before step 0.

    Returns:
        Elements, one a replica and step: `x` [draws, replica batch, ...] uint8 or float32; with labels, `label` int64
        [draws, replica batch]; with a second domain, `x_unpaired` like `x`. Consecutive elements go to consecutive
        replicas.
    """
    batch = training.batch_size
    share = batch // context.num_replicas_in_sync
    local = context.num_replicas_in_sync // context.num_input_pipelines
    first_replica = context.input_pipeline_id * local
    order = _Shuffles(training.seed, len(arrays))
    other = _Shuffles(training.seed, len(arrays.unpaired), domain=1) if arrays.unpaired is not None else None
    kinds = {"x": arrays.examples, "label": arrays.labels, "x_unpaired": arrays.unpaired}
    present = {name: values for name, values in kinds.items() if values is not None}

    def take(number: np.ndarray) -> list[np.ndarray]:
        step, replica = first_step + int(number) // local, first_replica + int(number) % local
        draw = (drawn_before + step * draws + np.arange(draws)[:, None]) * batch
        positions = draw + replica * share + np.arange(share)
        rows = order.at(positions)
        return [
            values[other.at(positions) if name == "x_unpaired" and other else rows] for name, values in present.items()
        ]

    def element(number: tf.Tensor) -> dict[str, tf.Tensor]:
        taken = tf.numpy_function(take, [number], [tf.as_dtype(each.dtype) for each in present.values()], False)
        return {
            name: tf.ensure_shape(value, [draws, share, *present[name].shape[1:]])
            for name, value in zip(present, taken, strict=True)
        }

    numbers = tf.data.Dataset.range(np.iinfo(np.int64).max)
    return numbers.map(element, num_parallel_calls=2, deterministic=True).prefetch(4)


class _Shuffles:
    """An endless sequence of shuffles of `size` rows, of which any position can be asked."""

    def __init__(self, seed: int, size: int, domain: int = 0):
        self._size = size

        @functools.lru_cache(maxsize=2)
        def epoch(number: int) -> np.ndarray:
            key = [seed, number, domain] if domain else [seed, number]
            return np.random.default_rng(key).permutation(size)

        self._epoch = epoch

    def at(self, positions: np.ndarray) -> np.ndarray:
        """The rows at these positions, same shape."""
        epochs, places = np.divmod(positions, self._size)
        rows = np.empty_like(positions)
        for number in np.unique(epochs):
            inside = epochs == number
            rows[inside] = self._epoch(int(number))[places[inside]]
        return rows


def compared_with(arrays: Arrays, choose: Arrays | None) -> Arrays:
    """What looks at samples compare with: the choosing split, or the training examples where that has fewer than 2.

    Args:
        arrays: what is trained on.
        choose: what is not; None where there is no such split.
    """
    domains = (choose.examples, choose.unpaired) if choose else ()
    held_out = min((len(each) for each in domains if each is not None), default=0)
    if choose is None or held_out < 2:
        log.warning(
            "looks at samples compare with training examples, as the choosing split has %d: the best look may be that "
            "of copies",
            held_out,
        )
        return arrays
    log.info("looks at samples compare with examples of the choosing split, which has %d", held_out)
    return choose


def reference(arrays: Arrays, count: int, seed: int) -> dict[str, np.ndarray]:
    """Some examples to look at again and again.

    Returns:
        `x` [n, ...] as a network takes it and, where the data have them, `label` [n] and `x_unpaired` [n, ...]; n is
        `count`, or as many as there are.
    """
    sizes = [len(each) for each in (arrays.examples, arrays.unpaired) if each is not None]
    size = min([count, *sizes])
    random = np.random.default_rng(seed)
    rows = random.permutation(len(arrays))[:size]
    taken = {"x": scaled(arrays.examples[rows])}
    if arrays.labels is not None:
        taken["label"] = arrays.labels[rows]
    if arrays.unpaired is not None:
        taken["x_unpaired"] = scaled(arrays.unpaired[random.permutation(len(arrays.unpaired))[:size]])
    return taken


def scaled(x: np.ndarray) -> np.ndarray:
    """Pixels of uint8 as float32 in [-1, 1]; points as they are."""
    return x.astype(np.float32) / 127.5 - 1 if x.dtype == np.uint8 else x
