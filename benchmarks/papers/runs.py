"""The trainings of a benchmark, by the loop that trains everything: one a core, kept so that a stopped one goes on."""

import concurrent.futures
import contextlib
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from models.config import Experiment
from models.examples.arrays import Arrays
from models.gans.base import GAN
from models.training.loop import TrainingDiverged, make_loop

SAYS_SECONDS = 60
"""How often a training says where it is."""

BATCH = 1_000
"""Samples that are drawn at a time."""


class Run(NamedTuple):
    """One training of a benchmark.

    Attributes:
        name: unlike all others of the benchmark.
        experiment: what is trained; `training.strategy` is one_device.
    """

    name: str
    experiment: Experiment


class Work(NamedTuple):
    """What a benchmark does with each run. Both are functions of a module, as they travel to other processes.

    Attributes:
        examples: what the experiment is trained on.
        measure: `(gan, folder) -> figures`, plain values; may leave arrays in the run's folder.
    """

    examples: Callable[[Experiment], Arrays]
    measure: Callable[[GAN, Path], dict[str, Any]]


def changed(base: Experiment, changes: Mapping[str, Any]) -> Experiment:
    """The experiment with other values of some fields, by their paths: `{"scheme.discriminator.pack": 2}`."""
    return base.override([f"{path}={json.dumps(value)}" for path, value in changes.items()])


def carry_out(runs: Sequence[Run], work: Work, root: Path) -> list[dict[str, Any]]:
    """Trains and measures all runs, as many at a time as this process may use cores, each on a share of them.

    Args:
        runs: what to train.
        work: on what, and what to measure.
        root: receives a folder a run: checkpoints, history, `figures.json`. A run that has the last is not repeated,
            one that was stopped goes on; another recipe under the same name is another run.

    Returns:
        The figures of each run, in their order, with `seconds` of its training; or `diverged`, why there are none.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = min(cores, len(runs))
    context = multiprocessing.get_context("spawn")
    began = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(
        workers, context, initializer=_use_cores, initargs=(cores // workers,)
    ) as pool:
        # the longest first, so that no core waits for it at the end
        order = sorted(runs, key=lambda run: run.experiment.total_steps, reverse=True)
        pending = {pool.submit(figures, run, work, root): run for run in order}
        for count, done in enumerate(concurrent.futures.as_completed(pending), 1):
            done.result()  # an error ends the benchmark now, not after the last run
            _say(f"{count} of {len(runs)} runs after {time.monotonic() - began:,.0f} s: {pending[done].name}")
        results = {run.name: future.result() for future, run in pending.items()}
    return [results[run.name] for run in runs]


def figures(run: Run, work: Work, root: Path) -> dict[str, Any]:
    """What a run measured, from its file where it has been done; see `carry_out`."""
    folder = folder_of(run, root)
    done = folder / "figures.json"
    if not done.exists():
        keras.backend.clear_session()
        measured: dict[str, Any]
        try:
            gan = train(run, work.examples(run.experiment), folder)
            measured = work.measure(gan, folder)
        except TrainingDiverged as error:
            measured = {"diverged": str(error)}
        measured |= {"seconds": round(_seconds(folder), 1)}
        folder.mkdir(parents=True, exist_ok=True)  # a training that diverges at once leaves none
        new = done.with_suffix(".new")
        new.write_text(json.dumps(measured))
        new.replace(done)
    return dict(json.loads(done.read_text()))


def folder_of(run: Run, root: Path) -> Path:
    """Where a run keeps what it makes: named by its recipe too."""
    digest = hashlib.sha256(run.experiment.key().encode()).hexdigest()[:8]
    return root / f"{run.name}-{digest}"


def train(run: Run, arrays: Arrays, folder: Path) -> GAN:
    """Trains a run, or goes on with it, and returns the GAN with the weights that `training.keep` names.

    Raises:
        TrainingDiverged: as the loop does.
    """
    loop = make_loop(run.experiment, arrays, folder / "checkpoints", folder, [_Says(run)])
    loop.run()
    loop.restore_best()
    return loop.gan


def samples(gan: GAN, count: int, seed: int) -> Iterator[np.ndarray]:
    """Generated examples in parts, each [n, ...] float32 as the network gives them; for GANs without a condition."""
    for part, start in enumerate(range(0, count, BATCH)):
        places = np.zeros([min(BATCH, count - start), 1], np.float32)
        yield np.asarray(gan.generate({"target": places}, seed * 10_000 + part), np.float32)


def digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """MNIST, brought where it is missing.

    Args:
        split: `train` or `t10k`.

    Returns:
        Images [n, 28, 28, 1] uint8 and labels [n] int64, in the order of the files.

    Raises:
        ValueError: it cannot be brought.
    """
    from pipeline.commands.fetch import fetch

    # several processes ask for it, and it says so each time
    with contextlib.redirect_stderr(None):
        folder = fetch("mnist")
    images = np.fromfile(folder / f"{split}-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, 28, 28, 1)
    return images, np.fromfile(folder / f"{split}-labels-idx1-ubyte", np.uint8, offset=8).astype(np.int64)


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error; NaN where a value is missing."""
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(np.mean(values)), float(error)


class _Says(keras.callbacks.Callback):
    """Says where a training is, now and then: several of them share a terminal."""

    def __init__(self, run: Run):
        super().__init__()
        self.run, self.said = run, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if logs and time.monotonic() - self.said > SAYS_SECONDS:
            self.said, experiment = time.monotonic(), self.run.experiment
            left = (experiment.total_steps - batch) * experiment.training.batch_size / logs["images_per_second"]
            _say(f"{self.run.name}: step {batch:,} of {experiment.total_steps:,}, {left:,.0f} s left")


def _seconds(folder: Path) -> float:
    """The seconds of training, by the history: what stood still between two sittings does not count."""
    history = folder / "history.jsonl"
    rows = [json.loads(line) for line in history.read_text().splitlines()] if history.exists() else []
    images = [0.0, *(row["images"] for row in rows)]
    return sum((row["images"] - before) / row["images_per_second"] for row, before in zip(rows, images, strict=False))


def _use_cores(count: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
