"""StrictExampleValidator: the standard ExampleValidator, which stops the run."""

import json

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts, standard_component_specs
from tfx.types.channel import BaseChannel, Channel

from components.example_validator.executor import Executor
from models.source import source_hash

SOURCE_PACKAGES = ("components.example_validator", "models.config", "models.fit", "models.frozen")
"""What the executor runs; its hash is part of the cache key."""
DATA_FIELDS = ("source", "unpaired_source", "labels")


class StrictExampleValidatorSpec(component_spec.ComponentSpec):
    """The standard component's, and what the data declares."""

    PARAMETERS = {  # noqa: RUF012 - TFX's convention
        **standard_component_specs.ExampleValidatorSpec.PARAMETERS,
        "data": component_spec.ExecutionParameter(type=str),
        "source": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = standard_component_specs.ExampleValidatorSpec.INPUTS
    OUTPUTS = standard_component_specs.ExampleValidatorSpec.OUTPUTS


class StrictExampleValidator(base_component.BaseComponent):
    """Validates statistics against a schema and against what the data declares; output key `anomalies`."""

    SPEC_CLASS = StrictExampleValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, statistics: BaseChannel, schema: BaseChannel, data: str) -> None:
        """Builds the node.

        Args:
            statistics: output of StatisticsGen.
            schema: output of SchemaGen or ImportSchemaGen.
            data: JSON of `models.config.Data`; fields that this component does not use are dropped.
        """
        used = {name: value for name, value in json.loads(data).items() if name in DATA_FIELDS}
        super().__init__(
            spec=StrictExampleValidatorSpec(
                statistics=statistics,
                schema=schema,
                data=json.dumps(used, sort_keys=True),
                source=source_hash(*SOURCE_PACKAGES),
                anomalies=Channel(type=standard_artifacts.ExampleAnomalies),
            )
        )
