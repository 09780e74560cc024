"""Trainings in processes of their own: on one device, on two mirrored ones, by two workers on loopback.

All these processes are forked from one that has imported TensorFlow: the import costs more than the trainings.
"""

import json
import multiprocessing
import os
import time
from collections.abc import Mapping
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.performance.scaling import loopback, split_processor
from models.columns import kind_of, stored
from models.config import Column, Data, Experiment, groups_of
from models.examples.arrays import Arrays
from models.training.loop import make_loop
from tests.harness import weights

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["models.training.train"])

WAYS = {"one_device": "one_device", "mirrored": "mirrored", "worker_0": "multi_worker", "worker_1": "multi_worker"}
"""A process that trains -> its strategy."""

SECONDS = 1_800


class Result(NamedTuple):
    """What a training left: its state by name, and the rows of its history."""

    state: dict[str, np.ndarray]
    rows: list[dict[str, float]]


def train_each_way(experiments: Mapping[str, Experiment], directory: Path) -> dict[str, dict[str, Result]]:
    """Trains experiments one after the other, by all WAYS at once; returns way -> name of the experiment -> result."""
    trees = {name: experiment.to_json() for name, experiment in experiments.items()}
    environments = dict(zip(("worker_0", "worker_1"), loopback(2), strict=True))
    run([(train_all, way, trees, directory, environments.get(way)) for way in WAYS])
    return {way: {name: read(directory / way / name) for name in experiments} for way in WAYS}


def run(calls: list[tuple[Any, ...]]) -> None:
    """Calls functions, each `(function, argument, ...)` in a process of its own; all have to succeed."""
    processes = [FORKED.Process(target=function, args=arguments) for function, *arguments in calls]
    for process in processes:
        process.start()
    try:
        deadline = time.monotonic() + SECONDS
        while running := [process for process in processes if process.exitcode is None]:
            assert not any(process.exitcode for process in processes), "a process has failed; see its output"
            assert time.monotonic() < deadline, f"{len(running)} processes run for more than {SECONDS} s"
            wait([process.sentinel for process in running], timeout=1)
        assert not any(process.exitcode for process in processes), "a process has failed; see its output"
    finally:
        for process in processes:
            process.kill()


def train_all(way: str, trees: Mapping[str, str], directory: Path, tf_config: str | None) -> None:
    """Trains experiments, given as JSON, in this process."""
    if way == "mirrored":
        split_processor(2)
    if tf_config:
        os.environ["TF_CONFIG"] = tf_config
    for name, tree in trees.items():
        experiment = Experiment.from_json(tree).override([f"training.strategy={WAYS[way]}"])
        # the workers' directories differ: the chief's has to do
        out = directory / way / name
        out.mkdir(parents=True)
        loop = make_loop(experiment, arrays(experiment.data), out / "checkpoints", out)
        assert loop.gan.replicas == (1 if way == "one_device" else 2)
        loop.run()
        np.savez(out / "state.npz", **weights(loop.gan.state()))
        (out / "rows.json").write_text(json.dumps(loop.history.rows))


def arrays(data: Data, count: int = 40, seed: int = 0) -> Arrays:
    """Random examples, of any kind of column."""
    random = np.random.default_rng(seed)

    def column(of: Column) -> Any:
        kind, shape = kind_of(of), [count, *of.shape]
        if of.role == "label":
            return random.integers(0, of.classes, count)
        held = kind.held(of, count)
        if held is not None:  # images of several sizes
            for number in range(count):
                height, width, channels = (*(side + 2 * of.margin for side in of.shape[:2]), of.shape[2])
                held.append(random.integers(0, 256, [height + number % 3, width + number % 2, channels], np.uint8))
            return held
        if kind.dtype == np.uint8:
            return random.integers(0, 256, shape, np.uint8)
        low, high = kind.range or (-np.inf, np.inf)
        return random.normal(size=shape).clip(low, high).astype(kind.dtype)

    groups = tuple(tuple(of.role for of in columns) for columns in groups_of(data.columns))
    found = {of.role: column(of) for of in stored(data.columns)}
    found |= {of.role: kind.seen(found[kind.seen_in]) for of in data.columns if (kind := kind_of(of)).seen_in}
    return Arrays(found, groups, "random")


def read(folder: Path) -> Result:
    """What a training in this folder left."""
    with np.load(folder / "state.npz") as state:
        return Result(dict(state), json.loads((folder / "rows.json").read_text()))
