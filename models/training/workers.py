"""What the workers of a multi-worker training tell each other: one chief decides, reads and writes for all.

With any other strategy there is one process, which is the chief, and nothing is sent.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf


class WorkerLost(ValueError):
    """Another worker is gone; TensorFlow can reach it again only from a new process."""


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """True where this process writes: always, or as the first of several workers."""
    return bool(strategy.extended.should_checkpoint)


def count(strategy: tf.distribute.Strategy) -> int:
    """How many processes train together."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return 1
    return sum(len(tasks) for tasks in strategy.cluster_resolver.cluster_spec().as_dict().values())


def by_chief(strategy: tf.distribute.Strategy, compute: Callable[[], Any]) -> Any:
    """What the chief computes, on every worker; so all decide alike, and only the chief needs the files.

    All workers have to call it, in the same order.

    Args:
        strategy: of the training.
        compute: called on the chief alone; with several workers, its result has to be plain JSON.

    Raises:
        ValueError: `compute` raised it; on every worker.
    """
    if count(strategy) == 1:
        return compute()
    message, failure = b"", None
    if is_chief(strategy):
        try:
            message = json.dumps({"value": compute()}).encode()
        except ValueError as error:
            message, failure = json.dumps({"error": str(error)}).encode(), error
    size = int(_sum(strategy, np.array(len(message))))
    sent = np.zeros(size, np.int32)
    sent[: len(message)] = np.frombuffer(message, np.uint8)
    told = json.loads(_sum(strategy, sent).astype(np.uint8).tobytes())
    if "error" in told:
        raise failure or ValueError(told["error"])
    return told["value"]


def from_chief(strategy: tf.distribute.Strategy, variables: Sequence[tf.Variable]) -> None:
    """Gives every worker the chief's values of these variables; exact, integers up to 2^53."""
    if count(strategy) == 1:
        return
    shares = [variable.numpy().astype(np.float64).ravel() for variable in variables]
    own = np.concatenate(shares)
    values = _sum(strategy, own if is_chief(strategy) else np.zeros_like(own))
    ends = np.cumsum([share.size for share in shares])
    for variable, value in zip(variables, np.split(values, ends[:-1]), strict=True):
        variable.assign(value.reshape(variable.shape).astype(variable.dtype.as_numpy_dtype))


def check_alike(strategy: tf.distribute.Strategy, **settings: str) -> None:
    """Refuses, on every worker, to train together what is not the same.

    Args:
        strategy: of the training.
        settings: name of a thing that all workers have alike -> what this one has.

    Raises:
        ValueError: some worker has another one than the chief.
    """
    if count(strategy) == 1:
        return
    for name, chiefs in by_chief(strategy, lambda: settings).items():
        own = settings[name]
        if _sum(strategy, np.array(int(own != chiefs))):
            other = "another worker does not" if own == chiefs else f"this worker has {own}"
            raise ValueError(f"all workers have the same {name}; the chief has {chiefs}, {other}")


@contextlib.contextmanager
def naming_the_lost(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns TensorFlow's error at the loss of a worker into WorkerLost."""
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError) as error:
        # errors of these types come from remote file systems too
        _, aborted, reason = str(error).partition("Collective ops is aborted by: ")
        if count(strategy) == 1 or not aborted:
            raise
        task = re.search(r"/job:(\w+)/replica:0/task:(\d+)", reason)
        name = f"{task[1]} {task[2]}" if task else "another worker"
        first_line = reason.partition("\n")[0]
        raise WorkerLost(f"{name} of this training is gone: {first_line}") from error


def _sum(strategy: tf.distribute.Strategy, values: np.ndarray) -> np.ndarray:
    """The sum over the workers, exact where all but one give zeros."""
    return strategy.reduce(tf.distribute.ReduceOp.SUM, tf.constant(values), axis=None).numpy()
