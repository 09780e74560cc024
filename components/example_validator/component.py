"""StrictExampleValidator: the standard ExampleValidator, which stops the run, and for more reasons."""

import json
from typing import Any

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import component_spec, standard_artifacts, standard_component_specs
from tfx.types.channel import BaseChannel, Channel

from components import runtime
from components.example_validator.executor import Executor
from models.config import Experiment

UNUSED_DATA_FIELDS = ("pixel_limit", "bad_image_tolerance", "schema_dir")
EVALUATION_FIELDS = {"bluntness", "compared", "confidence", "extractor", "samples", "split", "thresholds"}


class StrictExampleValidatorSpec(component_spec.ComponentSpec):
    """The standard component's, and what the data declares."""

    PARAMETERS = {  # noqa: RUF012 - TFX's convention
        **standard_component_specs.ExampleValidatorSpec.PARAMETERS,
        "data": component_spec.ExecutionParameter(type=str),
        "evaluation": component_spec.ExecutionParameter(type=str),
        "batch_size": component_spec.ExecutionParameter(type=int),
        "task": component_spec.ExecutionParameter(type=str),
        "source": component_spec.ExecutionParameter(type=str),
        runtime.THRESHOLDS: runtime.parameter(runtime.THRESHOLDS),
    }
    INPUTS = {  # noqa: RUF012 - as above
        **standard_component_specs.ExampleValidatorSpec.INPUTS,
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = standard_component_specs.ExampleValidatorSpec.OUTPUTS


class StrictExampleValidator(base_component.BaseComponent):
    """Validates statistics against a schema and against what the data declares, and the numbers of examples against
    what trains on them and judges by them; output key `anomalies`.
    """

    SPEC_CLASS = StrictExampleValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        statistics: BaseChannel,
        schema: BaseChannel,
        experiment: Experiment,
        source: str,
        thresholds: RuntimeParameter | None = None,
    ) -> None:
        """Builds the node.

        Args:
            examples: output of ImageExampleGen, for its report.
            statistics: output of StatisticsGen.
            schema: output of SchemaGen or ImportSchemaGen.
            experiment: what is to be trained; fields that this component does not use are no part of the cache key.
            source: digest of the code that validates, part of the cache key.
            thresholds: JSON, in place of its `evaluation.thresholds`; see `components.runtime`.
        """
        evaluation = experiment.evaluation.model_dump(include=EVALUATION_FIELDS, exclude_none=True)
        super().__init__(
            spec=StrictExampleValidatorSpec(
                examples=examples,
                statistics=statistics,
                schema=schema,
                data=json.dumps(_used(experiment.data.essential()), sort_keys=True),
                evaluation=json.dumps(evaluation, sort_keys=True),
                batch_size=experiment.training.batch_size,
                task=experiment.scheme.task,
                thresholds=thresholds,
                source=source,
                anomalies=Channel(type=standard_artifacts.ExampleAnomalies),
            )
        )


def _used(data: dict[str, Any]) -> dict[str, Any]:
    """Data, and its domains, without the fields that only ingestion reads."""
    kept = {name: value for name, value in data.items() if name not in UNUSED_DATA_FIELDS}
    return {name: _used(value) if isinstance(value, dict) else value for name, value in kept.items()}
