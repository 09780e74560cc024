"""StrictExampleValidator: the standard ExampleValidator, which stops the run, and for more reasons."""

import json

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import component_spec, standard_artifacts, standard_component_specs
from tfx.types.channel import BaseChannel, Channel

from components import runtime
from components.example_validator.executor import Executor
from models.config import Experiment
from models.source import source_hash

SOURCE_PACKAGES = (
    "components.example_gen.ingest",
    "components.example_validator",
    "components.preflight",
    "models.catalog",
    "models.config",
    "models.counts",
    "models.metrics",
)
"""What the executor runs; its hash is part of the cache key."""
EVALUATION_FIELDS = {"bluntness", "compared", "confidence", "extractor", "samples", "split", "thresholds"}


class StrictExampleValidatorSpec(component_spec.ComponentSpec):
    """The standard component's, and what the data declares."""

    PARAMETERS = {  # noqa: RUF012 - TFX's convention
        **standard_component_specs.ExampleValidatorSpec.PARAMETERS,
        "data": component_spec.ExecutionParameter(type=str),
        "evaluation": component_spec.ExecutionParameter(type=str),
        "batch_size": component_spec.ExecutionParameter(type=int),
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
        thresholds: RuntimeParameter | None = None,
    ) -> None:
        """Builds the node.

        Args:
            examples: output of ImageExampleGen, for its report.
            statistics: output of StatisticsGen.
            schema: output of SchemaGen or ImportSchemaGen.
            experiment: what is to be trained; fields that this component does not use are no part of the cache key.
            thresholds: JSON, in place of its `evaluation.thresholds`; see `components.runtime`.
        """
        evaluation = experiment.evaluation.model_dump(include=EVALUATION_FIELDS, exclude_none=True)
        super().__init__(
            spec=StrictExampleValidatorSpec(
                examples=examples,
                statistics=statistics,
                schema=schema,
                data=json.dumps(experiment.data.essential(), sort_keys=True),
                evaluation=json.dumps(evaluation, sort_keys=True),
                batch_size=experiment.training.batch_size,
                thresholds=thresholds,
                source=source_hash(*SOURCE_PACKAGES),
                anomalies=Channel(type=standard_artifacts.ExampleAnomalies),
            )
        )
