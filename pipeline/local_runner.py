"""Runs an experiment's pipeline on this machine, stage by stage, and tells what became of it."""

import contextlib
import datetime
import logging
import time
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from rich.console import Console
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.orchestration.portable.mlmd import execution_lib

from components.example_gen.sources.source import fingerprint
from pipeline.faults import StageFailed, one_line
from pipeline.pipeline import create_pipeline
from pipeline.stages import Display, discard_unfinished
from pipeline.summary import Stage, Summary

log = logging.getLogger(__name__)

DRAWS_ITSELF = "GanTrainer"
"""The stage with a progress bar of its own."""

_STATES = {
    metadata_store_pb2.Execution.COMPLETE: "ran",
    metadata_store_pb2.Execution.CACHED: "cached",
}


def run(summary: Summary, console: Console) -> None:
    """Runs every stage that is not in the cache, as TFX's LocalDagRunner does.

    Args:
        summary: says what to run and where, and receives what the stages make; what earlier runs left in its root
            serves as the cache. It is written to `ROOT/summary.json`, after a failure too.
        console: receives a line a stage.

    Raises:
        ValueError: the data source is unusable.
        StageFailed: a stage failed.
    """
    experiment = summary.experiment
    try:
        pipeline = create_pipeline(experiment, str(summary.root), fingerprint=fingerprint(*experiment.data.domains))
        Runner(pipeline, summary, console).run()
    except BaseException as error:
        summary.error = str(error) if isinstance(error, StageFailed) else one_line(error)
        raise
    finally:
        summary.save()


class Runner:
    """The stages of one pipeline run."""

    def __init__(self, pipeline: Any, summary: Summary, console: Console) -> None:
        self.connection = metadata.sqlite_metadata_connection_config(str(summary.root / "metadata.sqlite"))
        pipeline.metadata_connection_config = self.connection
        self.pipeline = compile_for_this_machine(pipeline)
        self.deployment = runner_utils.extract_local_deployment_config(self.pipeline)
        self.summary, self.console = summary, console

    def run(self) -> None:
        """Runs the stages in order."""
        with metadata.Metadata(self.connection) as handle:
            discard_unfinished(handle, self.summary.root / "artifacts")
        nodes = [node.pipeline_node for node in self.pipeline.nodes]
        display = Display(self.console, len(nodes))
        for node in nodes:
            name = node.node_info.id
            began = time.monotonic()
            with contextlib.nullcontext() if name == DRAWS_ITSELF else display.shown(name):
                try:
                    execution_id = self._launch(node)
                except Exception as error:
                    log.exception("stage %s failed", name)
                    raise StageFailed(f"stage {name} failed: {one_line(error)}") from error
            stage = Stage(name, time.monotonic() - began, self._read(node, execution_id))
            self.summary.add(stage)
            display.ended(stage)

    def _launch(self, node: Any) -> int:
        """Runs a stage or takes it from the cache; the id of its execution."""
        name = node.node_info.id
        info = launcher.Launcher(
            pipeline_node=node,
            mlmd_connection=metadata.Metadata(self.connection),
            pipeline_info=self.pipeline.pipeline_info,
            pipeline_runtime_spec=self.pipeline.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(self.deployment, name),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(self.deployment, name),
        ).launch()
        if info is None or info.execution_id is None:
            raise RuntimeError("its inputs are missing")
        return int(info.execution_id)

    def _read(self, node: Any, execution_id: int) -> str:
        """Notes what an execution made, and returns its state in a word."""
        name = node.node_info.id
        with metadata.Metadata(self.connection) as handle:
            (execution,) = handle.store.get_executions_by_id([execution_id])
            outputs = execution_lib.get_output_artifacts(handle, execution_id)
        # A launcher that cannot resolve a stage's inputs records it, and returns as if all were well.
        if execution.last_known_state not in _STATES:
            raise StageFailed(
                f"stage {name} failed: {execution.custom_properties['__execution_result__'].string_value}"
            )
        self.summary.outputs[name] = outputs
        looked_up = node.node_info.type.name.endswith(".Resolver")
        return "looked up" if looked_up else _STATES[execution.last_known_state]


def compile_for_this_machine(pipeline: Any) -> Any:
    """The intermediate representation of one run of a pipeline, with its run id.

    The push alone never comes from the cache: a serving folder that was emptied is filled again.
    """
    compiled = compiler.Compiler().compile(pipeline)
    for node in compiled.nodes:
        if node.pipeline_node.node_info.id == "Pusher":
            node.pipeline_node.execution_options.caching_options.enable_cache = False
    run_id = datetime.datetime.now().isoformat()
    runtime_parameter_utils.substitute_runtime_parameter(compiled, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
    return compiled
