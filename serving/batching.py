"""Requests of several clients run as one batch: TF Serving's scheduler, parameters and texts."""

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from serving.batching_parameters import BatchingParameters
from serving.metrics import Metrics
from serving.wire.errors import Code, ServingError, invalid

Arrays = dict[str, np.ndarray]
Run = Callable[[Arrays], Arrays]


@dataclass(slots=True)
class _Task:
    inputs: Arrays
    rows: int
    since: float = field(default_factory=time.perf_counter)
    result: Future[Arrays] = field(default_factory=Future)


@dataclass(slots=True)
class _Batch:
    run: Run
    due: float
    tasks: list[_Task] = field(default_factory=list)
    rows: int = 0


class Batcher:
    """Threads that run batches, and a queue for each kind of request.

    Requests share a queue where they have the same key and agree in dtypes and in shapes without the batch dimension,
    so that no request can spoil the shape of another's batch. A batch that fails is run again request by request: an
    error reaches the request that caused it alone.

    Args:
        parameters: sizes, times and threads.
        metrics: receives sizes and waiting times.
    """

    def __init__(self, parameters: BatchingParameters, metrics: Metrics):
        self._parameters, self._metrics = parameters, metrics
        self._changed = threading.Condition()
        self._queues: dict[Hashable, list[_Batch]] = {}
        self._closed = False
        name = parameters.thread_pool_name
        count = parameters.num_batch_threads or os.cpu_count() or 1
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, key: Hashable, inputs: Arrays, run: Run) -> Arrays:
        """Runs a request within a batch, and waits for it.

        Args:
            key: what is run; requests of different keys are never in one batch.
            inputs: each [rows, ...], with at least one row.
            run: computes a batch; its outputs are [rows, ...].

        Returns:
            The request's rows of each output.

        Raises:
            ServingError: INVALID_ARGUMENT, the inputs have no common number of rows, or more than `max_batch_size`;
                RESOURCE_EXHAUSTED, `max_enqueued_batches` wait already; or what `run` raised for this request.
        """
        rows = batch_rows(inputs)
        if rows > self._parameters.max_batch_size:
            raise invalid(too_large(rows, self._parameters.max_batch_size))
        kind = tuple((name, array.dtype.str, array.shape[1:]) for name, array in sorted(inputs.items()))
        tasks = [_Task(part, batch_rows(part)) for part in self._split(inputs, rows)]
        with self._changed:
            if self._closed:
                raise ServingError(Code.UNAVAILABLE, "the server is shutting down")
            self._enqueue((key, kind), tasks, run)
            self._changed.notify(len(tasks))
        parts = [task.result.result() for task in tasks]
        return (
            parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        )

    def close(self) -> None:
        """Lets what is queued finish, and ends the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _split(self, inputs: Arrays, rows: int) -> Iterator[Arrays]:
        size = self._parameters.execution_size
        if rows <= size:
            yield inputs
            return
        for start in range(0, rows, size):
            yield {name: array[start : start + size] for name, array in inputs.items()}

    def _enqueue(self, key: Hashable, tasks: Sequence[_Task], run: Run) -> None:
        queue = self._queues.setdefault(key, [])
        limit, size = self._parameters.max_enqueued_batches, self._parameters.execution_size
        joins = bool(queue) and queue[-1].rows + tasks[0].rows <= size
        if len(queue) + len(tasks) - joins > limit:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                "The batch scheduling queue to which this task was submitted is full; currently "
                f"{len(queue)} batches enqueued and max_enqueued_batches is {limit}",
            )
        for task in tasks:
            if not queue or queue[-1].rows + task.rows > size:
                queue.append(_Batch(run, task.since + self._parameters.batch_timeout_micros / 1e6))
            queue[-1].tasks.append(task)
            queue[-1].rows += task.rows

    def _work(self) -> None:
        while batch := self._next():
            self._process(batch)

    def _next(self) -> _Batch | None:
        """The batch that is due longest; waits for one, and gives None at the end."""
        with self._changed:
            while True:
                now = time.perf_counter()
                ready = [key for key, queue in self._queues.items() if self._ready(queue, now)]
                if ready:
                    key = min(ready, key=lambda each: self._queues[each][0].due)
                    batch = self._queues[key].pop(0)
                    if not self._queues[key]:
                        del self._queues[key]
                    return batch
                if self._closed:
                    return None
                due = min((queue[0].due for queue in self._queues.values()), default=None)
                self._changed.wait(None if due is None else due - now)

    def _ready(self, queue: Sequence[_Batch], now: float) -> bool:
        first = queue[0]
        full = len(queue) > 1 or first.rows >= self._parameters.execution_size
        return full or first.due <= now or self._closed

    def _process(self, batch: _Batch) -> None:
        started = time.perf_counter()
        padded = self._parameters.padded(batch.rows)
        self._metrics.batch(padded, [started - task.since for task in batch.tasks])
        try:
            for task, outputs in zip(batch.tasks, self._compute(batch.run, batch.tasks, padded), strict=True):
                task.result.set_result(outputs)
        except Exception as error:  # noqa: BLE001 - a waiting client gets whatever it is
            self._one_by_one(batch, error)

    def _one_by_one(self, batch: _Batch, error: Exception) -> None:
        for task in batch.tasks:
            try:
                if len(batch.tasks) == 1:
                    raise error
                (outputs,) = self._compute(batch.run, [task], self._parameters.padded(task.rows))
                task.result.set_result(outputs)
            except Exception as own:  # noqa: BLE001 - as above
                task.result.set_exception(own)

    def _compute(self, run: Run, tasks: Sequence[_Task], padded: int) -> list[Arrays]:
        rows = sum(task.rows for task in tasks)
        padding = {name: array[:1] for name, array in tasks[-1].inputs.items()}
        inputs = {
            name: _joined([task.inputs[name] for task in tasks] + [padding[name]] * (padded - rows))
            for name in tasks[0].inputs
        }
        outputs = run(inputs)
        for array in outputs.values():
            if array.ndim == 0:
                raise ServingError(Code.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions")
            if array.shape[0] != padded:
                raise ServingError(
                    Code.FAILED_PRECONDITION,
                    "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the "
                    "input tensors",
                )
        ends = np.cumsum([task.rows for task in tasks]).tolist()
        return [
            {name: array[end - task.rows : end] for name, array in outputs.items()}
            for task, end in zip(tasks, ends, strict=True)
        ]


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def batch_rows(inputs: Mapping[str, np.ndarray]) -> int:
    """The rows that all inputs have. Raises ServingError, INVALID_ARGUMENT, where they have none in common."""
    if not inputs:
        raise invalid("Batching Run() must have at least one input tensor")
    if any(array.ndim == 0 for array in inputs.values()):
        raise invalid("Batching Run() input tensors must have at least one dimension")
    rows = {array.shape[0] for array in inputs.values()}
    if len(rows) > 1:
        raise invalid("Batching Run() input tensors must have equal 0th-dimension size")
    return rows.pop()


def too_large(rows: int, limit: int) -> str:
    """TF Serving's text for a request of too many rows."""
    return f"Task size {rows} is larger than maximum input batch size {limit}"
