"""What the judge takes from the history of a training."""

import json
import math
from typing import Any

import tensorflow as tf

from components.gan_evaluator import gate
from models.metrics.estimate import Estimate
from models.training.monitor import follow

SHARE = 0.2
"""The last share of the logged steps: the end of the training."""

NOT_LOGGED = {"verdict": "not_logged", "meaning": "there is no history of the training", "evidence": {}}


def read_history(run_dir: str | None) -> list[dict[str, float]]:
    """The logged steps of a training run, `history.jsonl`; none where there is no such run or file.

    Raises:
        ValueError: a line is no JSON object.
    """
    path = f"{run_dir}/history.jsonl"
    if run_dir is None or not tf.io.gfile.exists(path):
        return []
    with tf.io.gfile.GFile(path) as file:
        lines = [line for line in file.read().splitlines() if line.strip()]
    try:
        return [dict(json.loads(line)) for line in lines]
    except (TypeError, ValueError) as error:
        raise ValueError(f"a training history is one JSON object a line; {path} is not: {error}") from None


def health(history: list[dict[str, float]]) -> dict[str, Any]:
    """The monitor's verdict at the end of the training as plain values; see `models.training.monitor.Verdict`."""
    if not history:
        return dict(NOT_LOGGED)
    verdict = follow(history)
    return {
        "verdict": verdict.name,
        "meaning": verdict.meaning,
        "evidence": {name: gate.finite(value) for name, value in verdict.evidence.items()},
        "since_step": verdict.since_step,
    }


def at_the_end(history: list[dict[str, float]], name: str) -> Estimate | None:
    """The mean of a logged value over the last SHARE of the steps; None where it is not logged."""
    last = history[-max(1, math.ceil(SHARE * len(history))) :]
    values = [row[name] for row in last if name in row]
    return Estimate(sum(values) / len(values)) if values else None
