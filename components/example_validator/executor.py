"""Executor of StrictExampleValidator."""

import json
from typing import Any

from absl import logging
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.components.example_validator import executor, labels
from tfx.proto.orchestration import execution_result_pb2
from tfx.types import artifact_utils, standard_component_specs

from components import preflight
from components.example_gen.ingest import read_reports
from components.example_validator.rules import declared_schema, describe, groups_fit
from components.runtime import THRESHOLDS
from models.config import Evaluation, parse_data


def _evaluation(exec_properties: dict[str, Any]) -> Evaluation:
    """How the generator will be judged, with the thresholds set at the start of the run."""
    tree = json.loads(exec_properties["evaluation"])
    thresholds = exec_properties.get(THRESHOLDS)
    return Evaluation.model_validate(tree | ({"thresholds": json.loads(thresholds)} if thresholds else {}))


class Executor(executor.Executor):
    """The standard executor, with what the data declares laid over the schema; any anomaly stops the run."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> execution_result_pb2.ExecutorOutput:
        """Validates all splits. Raises ValueError, one line, that names every anomaly, or see `check_counts`."""
        self._data = parse_data(json.loads(exec_properties["data"]))
        self._found: list[str] = []
        output = super().Do(input_dict, output_dict, exec_properties)
        for line in self._found:
            logging.error("anomaly: %s", line)
        if self._found:
            raise ValueError(f"the examples must match their schema; {' | '.join(self._found)}")
        reports = read_reports(artifact_utils.get_single_uri(input_dict["examples"]), self._data)
        preflight.check_counts(
            self._data,
            _evaluation(exec_properties),
            int(exec_properties["batch_size"]),
            [report.counts for report in reports],
            reports[0].by_class,
            exec_properties["task"],
        )
        return output

    def _Validate(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> anomalies_pb2.Anomalies:
        schema = inputs[standard_component_specs.SCHEMA_KEY]
        inputs = {**inputs, standard_component_specs.SCHEMA_KEY: declared_schema(schema, self._data)}
        anomalies = super()._Validate(inputs, outputs)
        split = outputs[labels.SCHEMA_DIFF_PATH].rsplit("Split-", 1)[-1].strip("/")
        self._found += describe(anomalies, split)
        statistics = inputs[standard_component_specs.STATISTICS_KEY]
        self._found += [f"split {split}, {line}" for line in groups_fit(statistics, self._data)]
        # To data validation, statistics of nothing match any schema.
        if not any(dataset.num_examples for dataset in statistics.datasets):
            self._found.append(f"split {split}, all examples: there are none")
        return anomalies
