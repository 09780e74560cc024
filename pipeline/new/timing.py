"""How long a training step takes on this machine, by taking some."""

import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from models.config import Experiment
from models.examples.arrays import Arrays
from models.training.loop import make_loop
from pipeline.new.looking import Look

SECONDS = 15
"""How long steps are taken, once they are compiled."""
CALLS = 12
"""Calls of the compiled loop after which enough is known."""
STEPS_A_CALL = 8
"""Steps of a call: a multiple of the interval of lazy penalties."""


class Rate(NamedTuple):
    """What was measured.

    Attributes:
        resolution: of the images.
        steps_per_second: the median over calls.
        steps: that were taken.
        seconds: that went by, compilation included.
        load: processes that wanted to run before, a core; beyond about 0.3, others were at work.
        at_most: steps a second by the processor time that they took: without others it could not be faster.
    """

    resolution: int
    steps_per_second: float
    steps: int
    seconds: float
    load: float
    at_most: float


class _Enough(Exception):
    """The stopwatch has seen enough calls."""


class _Stopwatch(keras.callbacks.Callback):
    """Notes the rate of each call but the first, which compiles."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []
        self.began: float | None = None
        self.processor = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Raises _Enough at the end."""
        if self.began is None:
            self.began, self.processor = time.monotonic(), -time.process_time()
            return
        self.rates.append((logs or {})["images_per_second"])
        late = time.monotonic() - self.began > SECONDS and len(self.rates) > 1
        if late or len(self.rates) >= CALLS:
            self.processor += time.process_time()
            raise _Enough


def measure(experiment: Experiment, look: Look) -> Rate:
    """Trains an experiment for a few steps on images of the sample, and throws away what it learnt.

    Args:
        experiment: what is to be trained; its steps do not matter.
        look: has the images.
    """
    load, began = os.getloadavg()[0] / (os.cpu_count() or 1), time.monotonic()
    quick = {"steps": 10**6, "steps_per_call": STEPS_A_CALL}
    short = experiment.model_copy(update={"training": experiment.training.model_copy(update=quick)})
    stopwatch = _Stopwatch()
    with tempfile.TemporaryDirectory(prefix="ganworks-") as scratch:
        loop = make_loop(short, _arrays(experiment, look), Path(scratch), Path(scratch), [stopwatch])
        with contextlib.suppress(_Enough):
            loop.run()
    keras.backend.clear_session()
    rate = statistics.median(stopwatch.rates) / experiment.training.batch_size
    steps = STEPS_A_CALL * len(stopwatch.rates)
    at_most = len(os.sched_getaffinity(0)) * steps / stopwatch.processor
    return Rate(experiment.data.resolution, rate, steps, time.monotonic() - began, load, max(rate, at_most))


def _arrays(experiment: Experiment, look: Look) -> Arrays:
    """Images of the sample at the size of the experiment: how they are shrunk does not matter here, nor what pairs."""
    shown = look.sample[:2_000]
    small = np.stack([each.small for each in shown])
    columns = {}
    for column in experiment.data.columns:
        if column.role == "label":
            columns["label"] = np.array([look.seen[each.number].head.label for each in shown], np.int64)
        else:
            side, _, channels = column.shape
            places = np.arange(side) * small.shape[1] // side
            columns[column.role] = np.ascontiguousarray(small[:, places][:, :, places][..., :channels])
    return Arrays.aligned(**columns)
