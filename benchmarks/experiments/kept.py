"""The weights of the best look at samples beside those of the last step: which are to be exported.

Run by `ganworks bench kept`. Each training is judged with both, so that the differences are paired: the same weights up
to the step that is kept, the same examples, judge and noise. The trainings are those of `ganworks bench recipes`, and
are not repeated where that has made them.
"""

import math
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy import stats

from benchmarks import reporting
from benchmarks.experiments import pipelines, recipes
from pipeline.experiments.named import find

KINDS = ("best", "last")
METRICS = ("coverage", "fcd_cnn", "density", "precision", "recall", "memorisation")
CONFIDENCE = 0.95


def main(
    root: Path = Path("runs/bench/recipes"),
    experiment: Sequence[str] = ("digits-cgan",),
    seeds: str = "0-9",
    precisions: str = "bfloat16",
    jobs: int = 1,
) -> int:
    """Trains, judges twice and reports; see `benchmarks.reporting.finish`.

    Args:
        root: as that of `benchmarks.experiments.recipes`.
        experiment: their names.
        seeds: as of `benchmarks.experiments.recipes`.
        precisions: likewise.
        jobs: likewise.

    Returns:
        0 where no listed experiment exports weights that are shown to be the worse ones, else 4.

    Raises:
        ValueError: an option is not as above, or a run failed.
    """
    began = time.monotonic()
    todo = {name: recipes.trainings(name, seeds, precisions) for name in experiment}
    runs = {
        kind: [recipes.make(name, *each, "eval", keep=kind) for name, listed in todo.items() for each in listed]
        for kind in KINDS
    }
    recipes.fetch(run.experiment for run in runs["best"])
    progress = recipes.Progress(2 * len(runs["best"]))
    # one kind after the other, as both are of the same trainings
    records = {kind: pipelines.carry_out(runs[kind], root, jobs, progress.say) for kind in KINDS}
    rows, marks = [], []
    for name in todo:
        chosen = [i for i, run in enumerate(runs["best"]) if run.base == name]
        pairs = [(records["best"][i], records["last"][i]) for i in chosen]
        rows += [row for metric in METRICS if (row := compare(name, metric, pairs))]
        marks.append(mark(name, [row for row in rows if row["experiment"] == name]))
    return reporting.finish("kept", began=began, rows=rows, marks=marks, seed=min(each[0] for each in todo[name]))


def compare(name: str, metric: str, pairs: Sequence[tuple[pipelines.Record, pipelines.Record]]) -> dict[str, Any]:
    """A row of the table: the mean of both kinds, and the interval of their difference.

    Args:
        name: of the experiment.
        metric: of the judgement.
        pairs: records of the same training, of the best look and of the last step.

    Returns:
        With `best_minus_last` as a mean and the bounds of Student's interval of 95 %; nothing where a record lacks the
        metric or there are fewer than two trainings.
    """
    both = [[record["metrics"].get(metric, {}).get("value") for record in pair] for pair in pairs]
    if len(both) < 2 or any(value is None for values in both for value in values):
        return {}
    differences = [best - last for best, last in both]
    mean, error = statistics.fmean(differences), statistics.stdev(differences) / math.sqrt(len(differences))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(differences) - 1)) * error
    return {
        "experiment": name,
        "metric": metric,
        "better": pairs[0][0]["metrics"][metric]["better"],
        "trainings": len(differences),
        "best": round(statistics.fmean(best for best, _ in both), 4),
        "last": round(statistics.fmean(last for _, last in both), 4),
        "best_minus_last": round(mean, 4),
        "from": round(mean - reach, 4),
        "to": round(mean + reach, 4),
    }


def mark(name: str, rows: Sequence[dict[str, Any]]) -> reporting.Mark:
    """Holds if what the experiment keeps is not shown to be worse, by coverage and Frechet distance."""
    keeps = find(name).training.keep
    sign = 1 if keeps == "best" else -1
    worse = 0
    for row in rows:
        if row["metric"] in METRICS[:2]:
            gains = sorted(sign * row[side] * (1 if row["better"] == "higher" else -1) for side in ("from", "to"))
            worse += gains[1] < 0
    return reporting.at_most(f"{name}_metrics_worse_for_keeping_the_{keeps}", worse, 0)


if __name__ == "__main__":
    sys.exit(main())
