"""Runs an experiment's pipeline on this machine, stage by stage, and tells what became of it."""

import contextlib
import datetime
import logging
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.orchestration.portable.mlmd import execution_lib

from components.example_gen.sources import fingerprint
from pipeline.pipeline import create_pipeline
from pipeline.summary import Stage, Summary

log = logging.getLogger(__name__)

DRAWS_ITSELF = "GanTrainer"
"""The stage with a progress bar of its own."""

_STATES = {
    metadata_store_pb2.Execution.COMPLETE: "ran",
    metadata_store_pb2.Execution.CACHED: "cached",
}


class StageFailed(ValueError):
    """A stage did not end well; the message names it and gives the reason in one line."""


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
        pipeline = create_pipeline(experiment, str(summary.root), fingerprint=fingerprint(*experiment.data.sources))
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
        self._discard_unfinished()
        nodes = [node.pipeline_node for node in self.pipeline.nodes]
        for number, node in enumerate(nodes, 1):
            name = node.node_info.id
            began = time.monotonic()
            with self._shown(f"{number:>2}/{len(nodes)}", name):
                try:
                    execution_id = self._launch(node)
                except Exception as error:
                    log.exception("stage %s failed", name)
                    raise StageFailed(f"stage {name} failed: {one_line(error)}") from error
            stage = Stage(name, time.monotonic() - began, self._read(node, execution_id))
            self.summary.add(stage)
            self.console.print(f"{number:>2}/{len(nodes)} {name:<18} {stage.seconds:7.1f} s  {stage.state}")

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

    @contextlib.contextmanager
    def _shown(self, number: str, name: str) -> Iterator[None]:
        """A spinner while a stage runs; where there is no terminal, nothing until it ends."""
        if name == DRAWS_ITSELF or not self.console.is_terminal:
            yield
            return
        columns = (TextColumn("{task.description}"), SpinnerColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, redirect_stderr=False) as progress:
            progress.add_task(f"{number} {name:<18}", total=None)
            yield

    def _discard_unfinished(self) -> None:
        """Removes what stages left half-written when an earlier run was killed, and marks them as cancelled."""
        with metadata.Metadata(self.connection) as handle:
            stale = [each for each in handle.store.get_executions() if execution_lib.is_execution_active(each)]
            for execution in stale:
                for left in (self.summary.root / "artifacts").glob(f"*/*/{execution.id}"):
                    log.info("removing %s, left by a run that was stopped", left)
                    shutil.rmtree(left)
                execution.last_known_state = metadata_store_pb2.Execution.CANCELED
            if stale:
                handle.store.put_executions(stale)


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


def one_line(error: BaseException) -> str:
    """What went wrong, in the words of the exception that began it, without the frames around it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ValueError) and str(cause):
            error = cause
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, KeyboardInterrupt):
        return "stopped by the user"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    # Beam puts the worker's whole traceback into its message; what was raised stands last.
    line = lines[-1] if "Traceback" in lines[0] else lines[0]
    return re.sub(r"^(\w+\.)*ValueError: | \[while running .*\]$", "", line)
