"""What may still be set when a compiled pipeline is started.

These are runtime parameters of the pipeline, and exec properties of the same names in the components. A run on this
machine sets none of them, so its cache knows nothing of them.
"""

import json
from collections.abc import Mapping
from typing import Any

from tfx.types.component_spec import ExecutionParameter

from models.config import Data, Experiment, parse_data
from models.config.frozen import set_path

DATA_SOURCE, TRAINING_STEPS, THRESHOLDS = "data_source", "training_steps", "thresholds"
FIELDS = {DATA_SOURCE: "data.source", TRAINING_STEPS: "training.steps", THRESHOLDS: "evaluation.thresholds"}
"""Parameter -> the field of the experiment that it replaces; thresholds are written as JSON."""


def parameter(name: str) -> ExecutionParameter:
    """The exec property of a component's spec: a whole number for the steps, else a text."""
    return ExecutionParameter(type=int if name == TRAINING_STEPS else str, optional=True)


def experiment_of(exec_properties: Mapping[str, Any]) -> Experiment:
    """The experiment that an executor was given, with what was set at the start of the run.

    Args:
        exec_properties: `experiment`, JSON of an `Experiment` or of parts of it, and any of FIELDS.

    Raises:
        ValueError: a value does not fit; one line.
    """
    # A cluster may hand a whole number over as 500.0, which validation takes for what it is.
    experiment = Experiment.from_json(exec_properties["experiment"])
    fields = FIELDS | {DATA_SOURCE: experiment.data.source_path}
    given = {name: exec_properties.get(name) for name in fields}
    settings = [f"{fields[name]}={_text(name, value)}" for name, value in given.items() if value is not None]
    return experiment.override(settings)


def data_of(exec_properties: Mapping[str, Any]) -> Data:
    """The data that ingestion was given, with the source set at the start of the run.

    Args:
        exec_properties: `data`, JSON of `Data.essential`, and perhaps DATA_SOURCE.

    Raises:
        ValueError: the source does not fit, or is of another kind than the pipeline was compiled for.
    """
    tree = json.loads(exec_properties["data"])
    compiled = parse_data(tree)
    source = exec_properties.get(DATA_SOURCE)
    if not source:
        return compiled
    set_path(tree, compiled.source_path.split(".")[1:], source)
    try:
        return parse_data(tree)
    except ValueError as error:
        raise ValueError(
            f"a pipeline that was compiled for {compiled.source} takes another source of its kind: {error}; compile it "
            "anew for that source"
        ) from None


def _text(name: str, value: Any) -> str:
    # A source is a text even where it reads as JSON.
    return json.dumps(value) if name == DATA_SOURCE else str(value)
