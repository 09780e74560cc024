"""Transformed examples in memory."""

import dataclasses
import functools
import hashlib
import logging
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from models.columns import GROUP, kind_of, stored
from models.config import Column, Data, groups_of

log = logging.getLogger(__name__)

IN_MEMORY_BYTES = 4 * 2**30
"""Decoded images up to this size are held in memory, larger sets in an unnamed file that the system pages."""


@dataclasses.dataclass(frozen=True)
class Arrays:
    """Decoded examples, in the order of their content: the same whatever files they came in.

    Attributes:
        columns: role -> values, [n, ...]: `target` and `input` uint8 [n, r, r, c], float32 [n, 2] or, of photographs, a
            `Paged`; `label` int64 [n].
        groups: the roles of each group; columns of one group have one length, in the same order.
        digest: of all their content, 32 hexadecimal digits.
    """

    columns: Mapping[str, np.ndarray]
    groups: tuple[tuple[str, ...], ...]
    digest: str = ""

    def __post_init__(self) -> None:
        for roles in self.groups:
            lengths = {role: len(self.columns[role]) for role in roles}
            if len(set(lengths.values())) > 1:
                told = ", ".join(f"{role} {length}" for role, length in lengths.items())
                raise ValueError(f"aligned columns have one length; received {told}")

    @classmethod
    def aligned(cls, target: np.ndarray, label: np.ndarray | None = None, **columns: np.ndarray) -> "Arrays":
        """Examples of one group, of these columns."""
        given = {"target": target, **columns} | ({} if label is None else {"label": label})
        return cls(given, (tuple(given),))

    @property
    def target(self) -> np.ndarray:
        """What is to be drawn; of photographs, their centres."""
        return np.asarray(self.columns["target"][:])

    @property
    def label(self) -> np.ndarray | None:
        """The classes of the targets, [n]; None where these have none."""
        return self.columns.get("label") if "label" in self._of_targets else None

    def __len__(self) -> int:
        """How many targets there are."""
        return len(self.columns["target"])

    def rows(self, rows: np.ndarray) -> "Arrays":
        """The targets of these rows, with what is aligned with them; other groups stay whole."""
        mine = self._of_targets
        return Arrays({role: each[rows] if role in mine else each for role, each in self.columns.items()}, self.groups)

    @property
    def _of_targets(self) -> tuple[str, ...]:
        return next(roles for roles in self.groups if "target" in roles)


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
    groups = groups_of(data.columns)
    counts = _counts(records, len(groups))
    if not sum(counts):
        raise ValueError(f"training needs at least one example; {len(files)} files hold none")
    if not all(counts):
        raise ValueError(f"both domains need examples; there are {counts[0]} of the first, {counts[1]} of the second")
    found: dict[str, np.ndarray] = {}
    hashes: list[bytes] = []
    for number, (columns, count) in enumerate(zip(groups, counts, strict=True)):
        of_group = records if len(groups) == 1 else records.filter(functools.partial(_is_of, number))
        read = _read(of_group, stored(columns), count)
        own = _hashes(read, number)
        order = np.array(sorted(range(count), key=own.__getitem__))
        found |= {role: _ordered(values, order) for role, values in read.items()}
        seen = [(column.role, kind_of(column)) for column in columns if column.role not in read]
        found |= {role: kind.seen(found[kind.seen_in]) for role, kind in seen}
        hashes += own
    digest = hashlib.blake2b(b"".join(sorted(hashes)), digest_size=16).hexdigest()
    return Arrays(found, tuple(tuple(column.role for column in columns) for columns in groups), digest)


def _counts(records: tf.data.Dataset, groups: int) -> list[int]:
    """Rows of each group."""
    if groups == 1:
        return [int(records.reduce(np.int64(0), lambda n, _: n + 1))]
    numbers = records.map(_group).batch(1024).as_numpy_iterator()
    return list(sum((np.bincount(each, minlength=groups) for each in numbers), np.zeros(groups, np.int64)))


def _group(record: tf.Tensor) -> tf.Tensor:
    return tf.io.parse_single_example(record, {GROUP: tf.io.FixedLenFeature([], tf.int64)})[GROUP]


def _is_of(number: int, record: tf.Tensor) -> tf.Tensor:
    return tf.equal(_group(record), number)


def _read(records: tf.data.Dataset, columns: Sequence[Column], count: int) -> dict[str, np.ndarray]:
    """The columns of so many rows, decoded."""
    kinds = {column.role: kind_of(column) for column in columns}
    spec = {column.role: kinds[column.role].transformed(column).spec() for column in columns}

    def decode(record: tf.Tensor) -> dict[str, tf.Tensor]:
        stored = tf.io.parse_single_example(record, spec)
        return {column.role: kinds[column.role].decode(column, stored[column.role]) for column in columns}

    arrays: dict[str, Any] = {}
    for column in columns:
        held = kinds[column.role].held(column, count)
        arrays[column.role] = _allocate((count, *column.shape), kinds[column.role].dtype) if held is None else held
    decoded = records.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    if not all(isinstance(each, np.ndarray) for each in arrays.values()):
        for at, row in enumerate(decoded.as_numpy_iterator()):  # one at a time, as they may be large
            for role, value in row.items():
                _put(arrays[role], at, value)
        return arrays
    at = 0
    for batch in decoded.batch(1024).prefetch(2).as_numpy_iterator():
        for column in columns:
            values = batch[column.role]
            if values.shape[1:] != column.shape:
                raise ValueError(f"an example's shape is {list(column.shape)}; received {list(values.shape[1:])}")
            arrays[column.role][at : at + len(values)] = values
        at += len(batch[columns[0].role])
    return arrays


def _put(held: Any, at: int, value: np.ndarray) -> None:
    if isinstance(held, np.ndarray):
        held[at] = value
    else:
        held.append(value)


def _hashes(columns: Mapping[str, np.ndarray], group: int) -> list[bytes]:
    """A hash of each row's content, so that files decide nothing."""
    values = [each for role, each in columns.items() if role != "label"]
    count = len(values[0])
    sides = [columns.get("label", np.zeros(count, np.int64)), np.full(count, group, np.int64)]
    return [
        hashlib.blake2b(b"".join(part.tobytes() for part in parts), digest_size=16).digest()
        for parts in zip(*values, *sides, strict=True)
    ]


def _allocate(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    if np.prod(shape, dtype=np.int64) * np.dtype(dtype).itemsize <= IN_MEMORY_BYTES:
        return np.empty(shape, dtype)
    return np.memmap(tempfile.TemporaryFile(), dtype, "w+", shape=shape)


def _ordered(examples: Any, order: np.ndarray) -> Any:
    """The examples in this order; a set that is larger than memory in a file of its own again."""
    if not isinstance(examples, np.ndarray):
        return examples.ordered(order)
    ordered = _allocate((len(order), *examples.shape[1:]), examples.dtype.type)
    for start in range(0, len(order), 4096):
        ordered[start : start + 4096] = examples[order[start : start + 4096]]
    return ordered


def compared_with(arrays: Arrays, choose: Arrays | None) -> Arrays:
    """What looks at samples compare with: the choosing split, or the training examples where that has fewer than 2.

    Args:
        arrays: what is trained on.
        choose: what is not; None where there is no such split.
    """
    held_out = min((len(each) for each in choose.columns.values()), default=0) if choose else 0
    if choose is None or held_out < 2:
        log.warning(
            "looks at samples compare with training examples, as the choosing split has %d: the best look may be that "
            "of copies",
            held_out,
        )
        return arrays
    log.info("looks at samples compare with examples of the choosing split, which has %d", held_out)
    return choose


def reference(arrays: Arrays, data: Data, count: int, seed: int) -> dict[str, np.ndarray]:
    """Some examples to look at again and again.

    Args:
        arrays: to take them from.
        data: whose columns they are.
        count: how many.
        seed: of the choice.

    Returns:
        Each column [n, ...] as a network takes it; n is `count`, or as many as there are.
    """
    size = min([count, *(len(each) for each in arrays.columns.values())])
    random = np.random.default_rng(seed)
    taken: dict[str, np.ndarray] = {}
    for columns in groups_of(data.columns):
        rows = random.permutation(len(arrays.columns[columns[0].role]))[:size]
        for column in columns:
            taken[column.role] = np.asarray(kind_of(column).scaled(column, arrays.columns[column.role][rows]))
    return taken
