"""The zoo: what takes a picture or draws one from coarse to fine, beside what needs no network. A report, as a table.

Run by `ganworks bench zoo`. The trainings are those of `ganworks bench recipes`, by the same plans in the same root,
and are not repeated where that has made them; this tells more of each. A model that takes a picture is held against
that picture, and a translator against baselines that learn no network, all by the same judge on the same pictures.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import reporting
from benchmarks.experiments import artifacts, baselines, pipelines, recipes
from models import pixels
from models.config import Experiment
from models.config.datasets.columns import aligned
from pipeline import records
from pipeline.experiments.named import EXPERIMENTS
from pipeline.experiments.reached import recipe

ZOO = tuple(
    name
    for name, experiment in EXPERIMENTS.items()
    if name in recipes.PLANS and experiment.data.images and (experiment.scheme.task != "generate" or "fashion" in name)
)
"""Listed experiments that have a plan: those that take a picture, and the three that draw the same clothes."""

BESIDE = ("psnr", "ssim")
"""Metrics that are told of models with a truth, required or not."""

HISTOGRAMS, COLOURS = "histogram matching", "mean of each colour"

Make = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""What a model is judged on, as `Task.asked` gives it, to outputs, [n, ...] uint8."""

Figures = dict[str, dict[str, float]]
"""Baseline -> metric -> value."""


def main(
    root: Path = Path("runs/bench/recipes"),
    experiment: Sequence[str] = ZOO,
    seeds: str | None = None,
    precisions: str | None = None,
    jobs: int = 1,
) -> int:
    """Trains what is not trained yet, measures baselines and reports; see `benchmarks.reporting.finish`.

    Args:
        root: as that of `benchmarks.experiments.recipes`; what baselines reach is kept there, too.
        experiment: their names; the rows of others stay as they are.
        seeds: as of `benchmarks.experiments.recipes`.
        precisions: likewise.
        jobs: likewise.

    Returns:
        0 where every mark holds, else 4.

    Raises:
        ValueError: an option is not as above, or a run failed.
    """
    began = time.monotonic()
    todo = {name: recipes.trainings(name, seeds, precisions) for name in experiment}
    runs = [recipes.make(name, *each, "eval") for name, listed in todo.items() for each in listed]
    recipes.fetch(run.experiment for run in runs)
    made = pipelines.carry_out(runs, root, jobs, recipes.Progress(len(runs)).say)
    rows, marks = [], []
    for name in todo:
        of = [(run, record) for run, record in zip(runs, made, strict=True) if run.base == name]
        base = recipes.summarise(name, [recipes.told(run, record) for run, record in of])
        marks += recipes.marks([base])
        rows.append(summarise(base, [record for _, record in of], without_networks(of[0][0], root)))
    rows, marks = kept(reporting.read("zoo"), rows, marks)
    seed = min(run.experiment.training.seed for run in runs)
    return reporting.finish("zoo", began=began, rows=rows, marks=marks, seed=seed)


def without_networks(run: pipelines.Run, root: Path) -> Figures:
    """What baselines reach on the held-out pictures of a run, in files that runs of one judge share."""
    makes = learned(run.experiment)
    if not makes:
        return {}
    experiment = run.experiment
    parts = {"extractor", "extractor_weights", "extractor_steps", "seed", "split", "samples"}
    judge = experiment.evaluation.model_dump(include=parts)
    judged_by = pipelines.digest(experiment.key(("data",)) + json.dumps(judge) + pipelines.code())
    file = root / "baselines" / f"{run.base}-{judged_by}.json"
    if not file.exists():
        known = records.read(pipelines.place_of(run, root))
        measuring, reference = artifacts.instruments(known, experiment)
        found = {}
        for name, learn in makes.items():
            make = learn(reference.train.columns["input"], reference.train.columns["target"])
            estimates = measuring.measure_outputs(make, name).estimates
            found[name] = {metric: estimate.value for metric, estimate in estimates.items()}
        pipelines.write(file, found)
    return dict(json.loads(file.read_text()))


def learned(experiment: Experiment) -> dict[str, Callable[[np.ndarray, np.ndarray], Make]]:
    """The baselines that such an experiment has, each a function of the training inputs and targets, [n, ...] uint8.

    What restores is held against the degraded picture alone, which the judge measures with every model.
    """
    if experiment.scheme.task != "translate":
        return {}

    def matched(inputs: np.ndarray, targets: np.ndarray) -> Make:
        tones = baselines.fit_tones(inputs, targets)
        return lambda given: baselines.retone(pixels.to_bytes(given["input"]), tones)

    def coloured(inputs: np.ndarray, targets: np.ndarray) -> Make:
        table = baselines.fit_colours(inputs, targets)
        return lambda given: baselines.recolour(pixels.to_bytes(given["input"]), table)

    return {HISTOGRAMS: matched} | ({COLOURS: coloured} if aligned(experiment.data.columns) else {})


def summarise(
    base: Mapping[str, Any], listed: Sequence[pipelines.Record], without: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """The row of an experiment: a line for each metric that is required, or told beside.

    Args:
        base: its row of `benchmarks.experiments.recipes`.
        listed: the records of its trainings.
        without: what baselines reach.
    """
    lines = {each["metric"]: each for each in base["metrics"]}
    for name in BESIDE:
        figures = [each["metrics"][name] for each in listed if name in each["metrics"]]
        if figures and name not in lines:
            lines[name] = recipes.summarise_metric(name, [{"value": each["value"]} for each in figures])
    peaks = [each["peak_bytes"] for each in listed if "peak_bytes" in each]
    return {
        **{name: base[name] for name in ("experiment", "recipe", "tried", "blessed")},
        "minutes": base["minutes"]["mean"],
        "peak_gib": round(max(peaks) / 2**30, 2) if peaks else None,
        "metrics": [_line(line, listed, without) for line in lines.values()],
    }


def _line(
    line: Mapping[str, Any], listed: Sequence[pipelines.Record], without: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """A metric: what models reach, and what is reached without one."""
    name = line["metric"]
    found = {
        **{key: line[key] for key in ("metric", "must_be", "mean", "sd")},
        "what_is_taken": _mean(listed, name, "untouched"),
        **{baseline: _rounded(figures.get(name)) for baseline, figures in without.items()},
        "real": _mean(listed, name, "floor"),
    }
    return {key: value for key, value in found.items() if value is not None or key in ("mean", "sd")}


def _mean(listed: Sequence[pipelines.Record], metric: str, side: str) -> float | None:
    """The mean over trainings of what stands beside a metric's value; None where nothing does."""
    values = [each["metrics"].get(metric, {}).get(side) for each in listed]
    known = [value for value in values if value is not None]
    return _rounded(statistics.fmean(known)) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def kept(
    before: Mapping[str, Any], rows: Sequence[dict[str, Any]], marks: Sequence[reporting.Mark]
) -> tuple[list[dict[str, Any]], list[reporting.Mark]]:
    """These rows and marks with those of earlier ones whose experiments were not asked for and are as they were."""
    asked = {row["experiment"] for row in rows}
    stay = [
        row
        for row in before.get("rows", [])
        if row["experiment"] not in asked
        and row["experiment"] in ZOO
        and row["recipe"] == recipe(EXPERIMENTS[row["experiment"]])
    ]
    names = {row["experiment"] for row in stay}
    of = {f"{name}_{what}" for name in names for what in ("blessed", "minutes", "margin_sd")}
    old = [mark for mark in before.get("marks", []) if mark["name"] in of]
    listed = sorted([*stay, *rows], key=lambda row: ZOO.index(row["experiment"]) if row["experiment"] in ZOO else -1)
    return listed, [*old, *marks]


if __name__ == "__main__":
    sys.exit(main())
