"""`ganworks bench`: tables of what is reached, beside what is published."""

import importlib
import inspect
from pathlib import Path
from typing import Annotated

import typer

from models.catalog import near_misses
from pipeline.commands.running import STOPPED

BENCHMARKS = {
    "deconvolution": "benchmarks.experiments.deconvolution",
    "fgan": "benchmarks.papers.fgan",
    "full-size": "benchmarks.experiments.full_size",
    "ingest": "benchmarks.performance.ingest",
    "kept": "benchmarks.experiments.kept",
    "lapgan": "benchmarks.experiments.lapgan",
    "metrics": "benchmarks.performance.metrics",
    "mixtures": "benchmarks.papers.mixtures",
    "parzen": "benchmarks.papers.parzen",
    "recipes": "benchmarks.experiments.recipes",
    "scaling": "benchmarks.performance.scaling",
    "serving": "benchmarks.performance.serving",
    "stacked": "benchmarks.papers.stacked",
    "throughput": "benchmarks.performance.throughput",
    "zoo": "benchmarks.experiments.zoo",
}
"""`ganworks bench NAME` -> the module whose `main()` prints a table and returns an exit code. Its parameters are the
options that it takes; a `main(root)` keeps its trainings there."""

TRAIN = "recipes, zoo, lapgan, kept"
"""The benchmarks of the trainings of listed experiments."""


def bench(
    name: Annotated[str, typer.Argument(help="which table to reproduce", show_default=False)],
    root: Annotated[
        Path | None, typer.Option(help="where the trainings of a benchmark are kept  [default: runs/bench/NAME]")
    ] = None,
    experiment: Annotated[
        list[str] | None,
        typer.Option(help=f"{TRAIN}, full-size: one of its experiments; may be given again"),
    ] = None,
    split: Annotated[str | None, typer.Option(help="recipes: what judges, eval or choose  [default: eval]")] = None,
    seeds: Annotated[str | None, typer.Option(help=f"{TRAIN}: 0-9, or 0,3,4  [default: as planned]")] = None,
    precisions: Annotated[
        str | None,
        typer.Option(help=f"{TRAIN}: bfloat16, float32, or both with a comma  [default: as planned]"),
    ] = None,
    jobs: Annotated[int | None, typer.Option(help=f"{TRAIN}: trainings at a time  [default: 1]")] = None,
) -> None:
    """Reproduces a table: what a paper or a peer reports beside ours. Exit code 4: a mark falls short."""
    if name not in BENCHMARKS:
        raise ValueError(f"{name} is no benchmark{near_misses(name, BENCHMARKS)}")
    main = importlib.import_module(BENCHMARKS[name]).main
    options = {
        "root": root,
        "experiment": experiment,
        "split": split,
        "seeds": seeds,
        "precisions": precisions,
        "jobs": jobs,
    }
    given = {option: value for option, value in options.items() if value is not None}
    known = inspect.signature(main).parameters
    for option in given:
        if option not in known:
            taken = ", ".join(f"--{each}" for each in known) or "none"
            raise ValueError(f"--{option} is no option of the benchmark {name}, which takes {taken}")
    try:
        code = main(**given)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(STOPPED) from None
    raise typer.Exit(code)
