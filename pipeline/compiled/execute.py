"""Executes a compiled experiment below a root: what `ganworks exec` does between its command line and its summary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from components.runtime import experiment_of
from models.config import Experiment
from pipeline.compiled import contract
from pipeline.compiled.runner import Runner
from pipeline.compiled.spec import Spec
from pipeline.faults import StageFailed, one_line
from pipeline.pipeline import places
from pipeline.summary import Summary

JUDGE = "GanEvaluator"
"""The task that is told the experiment."""


def prepare(spec: Spec, given: Mapping[str, Any], root: Path) -> tuple[Experiment, dict[str, Any]]:
    """The experiment that a spec runs, and the value of each of its runtime parameters.

    Args:
        spec: of an experiment.
        given: the parameters that were set; those that say where a pipeline keeps what outlives it are below the root
            where they were not.
        root: of the execution.

    Raises:
        ValueError: the spec is of no experiment, or a parameter does not fit.
    """
    here = {name: value for name, value in places(spec.name, str(root)).items() if name in spec.types}
    values = spec.values({**here, **given})
    return check(spec, values), values


def check(spec: Spec, values: Mapping[str, Any]) -> Experiment:
    """The experiment that a spec runs with these values of its runtime parameters.

    Raises:
        ValueError: the spec is of no experiment, or a parameter does not fit.
    """
    if JUDGE not in spec.tasks or "experiment" not in spec.tasks[JUDGE].spec.inputs.parameters:
        raise ValueError(f"the pipeline {spec.name} is of no experiment of ganworks: it has no task {JUDGE}")
    told = contract.constant(spec.tasks[JUDGE].spec.inputs.parameters["experiment"].runtime_value)
    return experiment_of({**values, "experiment": told})


def execute(spec: Spec, values: Mapping[str, Any], summary: Summary, console: Console) -> None:
    """Runs the tasks that are not in the cache; the summary is written, after a failure too.

    Raises:
        StageFailed: a task failed.
    """
    try:
        Runner(spec, values, summary, console).run()
    except BaseException as error:
        summary.error = str(error) if isinstance(error, StageFailed) else one_line(error)
        raise
    finally:
        summary.save()
