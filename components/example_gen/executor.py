"""Executor of ImageExampleGen."""

from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.example_gen.ingest import ingest
from components.example_gen.sources.source import SPLITS, TRANSFER
from components.runtime import data_of


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads a source into the `examples` artifact."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Ingests what `components.runtime.data_of` says. Raises ValueError as that and `ingest`."""
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        report = ingest(data_of(exec_properties), examples.uri, self._make_beam_pipeline)
        present = [split for split in (*SPLITS, TRANSFER) if report.counts.get(split)]
        examples.split_names = artifact_utils.encode_split_names(present)
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")
