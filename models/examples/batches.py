"""The batches that a training step draws from examples in memory."""

import functools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from models.columns import kind_of
from models.config import Column, groups_of
from models.examples.arrays import Arrays


def batches(
    arrays: Arrays,
    columns: Sequence[Column],
    *,
    seed: int,
    batch_size: int,
    draws: int,
    first_step: int,
    context: tf.distribute.InputContext,
    drawn_before: int = 0,
) -> tf.data.Dataset:
    """The real batches of each step from `first_step` on, for one worker: an endless dataset.

    Which example stands at a position is a pure function of seed and position (each epoch is a shuffle that can be
    entered anywhere), and so is where a photograph is cropped. So a resumed run sees what the uninterrupted one sees,
    and the global batch of a step is the same over any number of replicas.

    Args:
        arrays: all training examples.
        columns: of the data.
        seed: of shuffles and crops.
        batch_size: examples of the global batch.
        draws: real batches that one step consumes.
        first_step: the step that comes first, >= 0.
        context: which share of the global batch this worker takes.
        drawn_before: real examples that were drawn before step 0.

    Returns:
        Elements, one a replica and step: role -> [draws, replica batch, ...], values as in `Arrays`. Columns of one
        group have the same rows; groups are shuffled each by itself. Consecutive elements go to consecutive replicas.
    """
    share = batch_size // context.num_replicas_in_sync
    local = context.num_replicas_in_sync // context.num_input_pipelines
    first_replica = context.input_pipeline_id * local
    groups = [
        (group, _Shuffles(seed, len(arrays.columns[group[0].role]), number))
        for number, group in enumerate(groups_of(tuple(columns)))
    ]
    kinds = {column.role: kind_of(column) for column in columns}
    drawn = any(column.flip or not isinstance(arrays.columns[column.role], np.ndarray) for column in columns)

    def take(number: np.ndarray) -> list[np.ndarray]:
        step, replica = first_step + int(number) // local, first_replica + int(number) % local
        draw = drawn_before + (step * draws + np.arange(draws)[:, None]) * batch_size
        positions = draw + replica * share + np.arange(share)
        taken = []
        for group, order in groups:
            rows = order.at(positions)
            places = order.places(positions) if drawn else np.zeros([*positions.shape, 3])
            taken += [kinds[each.role].taken(each, arrays.columns[each.role], rows, places) for each in group]
        return taken

    listed = [column for group, _ in groups for column in group]
    types = [tf.as_dtype(arrays.columns[column.role].dtype) for column in listed]

    def element(number: tf.Tensor) -> dict[str, tf.Tensor]:
        taken = tf.numpy_function(take, [number], types, False)
        return {
            column.role: tf.ensure_shape(value, [draws, share, *arrays.columns[column.role].shape[1:]])
            for column, value in zip(listed, taken, strict=True)
        }

    numbers = tf.data.Dataset.range(np.iinfo(np.int64).max)
    return numbers.map(element, num_parallel_calls=2, deterministic=True).prefetch(4)


class _Shuffles:
    """An endless sequence of shuffles of `size` rows, of which any position can be asked."""

    def __init__(self, seed: int, size: int, group: int = 0):
        self._size, self._seed, self._group = size, seed, group

        @functools.lru_cache(maxsize=2)
        def epoch(number: int) -> np.ndarray:
            key = [seed, number, group] if group else [seed, number]
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

    def places(self, positions: np.ndarray) -> np.ndarray:
        """Numbers in [0, 1) for each position, [..., 3]; see `Kind.taken`."""
        made = np.empty([*positions.shape, 3])
        for index in np.ndindex(positions.shape):
            made[index] = np.random.default_rng([self._seed, self._group, int(positions[index]), 1]).random(3)
        return made
