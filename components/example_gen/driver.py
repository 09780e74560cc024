"""The check before the cache, of a compiled pipeline: what the source holds now becomes part of the cache key.

A cluster runs it before it looks into its cache, as it does the driver of TFX's file-based ExampleGens; it has the
same arguments as the entry point of an executor.
"""

import argparse

from absl import app
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.dsl.io import fileio
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils
from tfx.orchestration.kubeflow.v2.file_based_example_gen.driver import _parse_flags
from tfx.utils import io_utils

from components.example_gen.sources.source import fingerprint
from components.runtime import data_of

FINGERPRINT = "fingerprint"


def updated(task: pipeline_spec_pb2.ExecutorInput, spec: pipeline_spec_pb2.ComponentInputsSpec | None) -> str:
    """What the source holds now, as JSON of an ExecutorOutput.

    Args:
        task: as the executor gets it.
        spec: of the parameters' types; None in pipeline spec 2.0.

    Raises:
        ValueError: the source is missing or unusable.
    """
    inputs = task.inputs
    properties = kubeflow_v2_entrypoint_utils.parse_execution_properties(
        inputs.parameter_values, inputs.parameters, spec
    )
    found = pipeline_spec_pb2.ExecutorOutput()
    parameters = found.parameter_values if spec else found.parameters
    parameters[FINGERPRINT].string_value = fingerprint(*data_of(properties).domains)
    return str(json_format.MessageToJson(found))


def main(arguments: argparse.Namespace) -> None:
    """Writes it to where the cluster reads it."""
    task = json_format.Parse(
        arguments.json_serialized_invocation_args, pipeline_spec_pb2.ExecutorInput(), ignore_unknown_fields=True
    )
    text = arguments.json_serialized_inputs_spec_args
    spec = json_format.Parse(text, pipeline_spec_pb2.ComponentInputsSpec()) if text else None
    output = task.outputs.output_file
    fileio.makedirs(output.rpartition("/")[0])
    io_utils.write_string_file(output, updated(task, spec))


if __name__ == "__main__":
    app.run(main, flags_parser=_parse_flags)
