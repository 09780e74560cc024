"""What the listed experiments reached over many trainings, from the results of `ganworks bench recipes`."""

import hashlib
import importlib.resources
import json
import math
from collections.abc import Mapping
from typing import Any

from models.config import Experiment

UNKNOWN = "-"
FIRST_SHOWN = "coverage"
"""The metric that stands for an experiment where it requires it: others hold easily."""


def reached(experiment: Experiment) -> str:
    """In a line: how many trainings were blessed, a metric with its deviation, minutes; a dash where there is none."""
    row = row_of(experiment, results())
    if row is None:
        return UNKNOWN
    metrics = {each["metric"]: each for each in row["metrics"]}
    name = FIRST_SHOWN if FIRST_SHOWN in metrics else next(iter(metrics), None)
    figures = [f"blessed {row['blessed']} of {row['tried']}"]
    if name and metrics[name]["mean"] is not None:
        figures.append(f"{name} {with_deviation(metrics[name])}")
    return "; ".join([*figures, lasted(row)])


def lasted(row: Mapping[str, Any]) -> str:
    """How long a training took, on how many cores."""
    minutes, cores = row["minutes"]["mean"], row["cores"]
    return f"{minutes:.0f} min of {'one core' if cores == 1 else f'{cores} cores'}"


def results() -> dict[str, Any]:
    """What `benchmarks/results/recipes.json` holds; empty where there is none."""
    try:
        file = importlib.resources.files("benchmarks") / "results" / "recipes.json"
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ModuleNotFoundError, FileNotFoundError):
        return {}


def row_of(experiment: Experiment, result: dict[str, Any]) -> dict[str, Any] | None:
    """The experiment's row; None where it has none, or one of another recipe, which says nothing of this one."""
    rows = (row for row in result.get("rows", []) if row["experiment"] == experiment.name)
    return next((row for row in rows if row["recipe"] == recipe(experiment)), None)


def recipe(experiment: Experiment) -> str:
    """A digest of what decides an experiment's figures: a new field at its default changes it in no experiment."""
    parts = set(Experiment.model_fields) - {"description", "serving", "resources"}
    return hashlib.sha256(experiment.key(parts).encode()).hexdigest()[:8]


def with_deviation(metric: dict[str, Any], scale: float = 1) -> str:
    """The mean, as precise as its deviation over the trainings tells it, beside that."""
    mean, deviation = metric["mean"] * scale, metric["sd"]
    if deviation is None:
        return f"{mean:.3g}"
    digits = max(0, -math.floor(math.log10(deviation * scale))) if deviation else 3
    return f"{mean:.{digits}f} ± {deviation * scale:.{digits}f}"
