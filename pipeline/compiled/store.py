"""What executions left below a root: ML Metadata, written as TFX writes it, and the cache that is looked up there."""

import shutil
import threading
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.portable.mlmd import artifact_lib, context_lib, execution_lib
from tfx.types.artifact import Artifact
from tfx.types.value_artifact import ValueArtifact

from pipeline.compiled.contract import Artifacts, new_output
from pipeline.compiled.spec import Task
from pipeline.records import STORE
from pipeline.stages import discard_unfinished

CACHE_KEY = "cache_key"
State = metadata_store_pb2.Execution


class Store:
    """The executions of one pipeline below a root; safe to use from several threads."""

    def __init__(self, root: Path, pipeline: str, run: str) -> None:
        """Opens the store, and clears away what an execution that was killed left behind."""
        self._artifacts, self._pipeline, self._run = root / "artifacts", pipeline, run
        self._handle = metadata.Metadata(metadata.sqlite_metadata_connection_config(str(root / STORE)))
        self._lock = threading.Lock()
        with self._lock, self._handle as handle:
            discard_unfinished(handle, self._artifacts)

    def begin(self, task: Task, inputs: Artifacts, parameters: Mapping[str, Any], key: str) -> Any:
        """Records that a task is at work; its cache key counts only when it has come to its end."""
        return self._put(task, State.RUNNING, inputs, parameters, key)

    def places(self, task: Task, execution: Any) -> dict[str, list[Artifact]]:
        """The outputs of an execution: artifacts in fresh folders, with names that no other has."""
        outputs = {}
        for output, definition in task.component.output_definitions.artifacts.items():
            made = new_output(definition.artifact_type)
            folder = self._artifacts / task.name / output / str(execution.id)
            folder.mkdir(parents=True)
            made.uri = str(folder / "value" if isinstance(made, ValueArtifact) else folder)
            made.mlmd_artifact.name = f"{self._pipeline}/{task.name}/{output}/{execution.id}"
            outputs[output] = [made]
        return outputs

    def end(self, task: Task, execution: Any, outputs: Artifacts) -> None:
        """Records that it has come to its end."""
        execution.last_known_state = State.COMPLETE
        for artifacts in outputs.values():
            for artifact in artifacts:
                artifact.mlmd_artifact.state = metadata_store_pb2.Artifact.LIVE
        self._write(task, execution, {}, outputs)

    def fail(self, task: Task, execution: Any) -> None:
        """Records that it failed, and removes what it left."""
        for left in (self._artifacts / task.name).glob(f"*/{execution.id}"):
            shutil.rmtree(left)
        execution.last_known_state = State.FAILED
        self._write(task, execution, {}, {})

    def cached(self, task: Task, inputs: Artifacts, parameters: Mapping[str, Any], key: str) -> Any:
        """What an earlier execution with this key made, recorded as taken from the cache; None where there is none."""
        for execution in self._executions(task):
            if (
                execution.last_known_state == State.COMPLETE
                and execution.custom_properties[CACHE_KEY].string_value == key
            ):
                with self._lock, self._handle as handle:
                    outputs = execution_lib.get_output_artifacts(handle, execution.id)
                if all(Path(each.uri).exists() for artifacts in outputs.values() for each in artifacts):
                    self._put(task, State.CACHED, inputs, parameters, key, outputs)
                    return outputs
        return None

    def note(self, task: Task, outputs: Artifacts) -> None:
        """Records what was looked up or imported; what is new gets a name, by its place."""
        for artifacts in outputs.values():
            for artifact in artifacts:
                if not artifact.mlmd_artifact.name:
                    artifact.mlmd_artifact.name = f"{artifact.uri}@{self._run}"
                    artifact.mlmd_artifact.state = metadata_store_pb2.Artifact.LIVE
        self._put(task, State.COMPLETE, {}, {}, "", outputs)

    def newest(self) -> Iterator[Artifact]:
        """The pipeline's artifacts that still exist, newest first."""
        with self._lock, self._handle as handle:
            context = handle.store.get_context_by_type_and_name("pipeline", self._pipeline)
            protos = handle.store.get_artifacts_by_context(context.id) if context else []
            ids = sorted((each.id for each in protos if each.state == metadata_store_pb2.Artifact.LIVE), reverse=True)
            artifacts = artifact_lib.get_artifacts_by_ids(handle, ids)
        return (each for each in artifacts if Path(each.uri).exists())

    def _executions(self, task: Task) -> Collection[Any]:
        """The task's, newest first."""
        with self._lock, self._handle as handle:
            context = handle.store.get_context_by_type_and_name("node", f"{self._pipeline}.{task.name}")
            found = handle.store.get_executions_by_context(context.id) if context else []
        return sorted(found, key=lambda each: each.id, reverse=True)

    def _put(
        self,
        task: Task,
        state: int,
        inputs: Artifacts,
        parameters: Mapping[str, Any],
        key: str,
        outputs: Artifacts | None = None,
    ) -> Any:
        kind = metadata_store_pb2.ExecutionType(name=f"compiled.{task.spec.component_ref.name}")
        with self._lock, self._handle as handle:
            execution = execution_lib.prepare_execution(handle, kind, state, {**parameters, CACHE_KEY: key})
        return self._write(task, execution, inputs, outputs or {})

    def _write(self, task: Task, execution: Any, inputs: Artifacts, outputs: Artifacts) -> Any:
        names = {"pipeline": self._pipeline, "pipeline_run": self._run, "node": f"{self._pipeline}.{task.name}"}
        with self._lock, self._handle as handle:
            contexts = [context_lib.register_context_if_not_exists(handle, *each) for each in names.items()]
            return execution_lib.put_execution(handle, execution, contexts, inputs, outputs)
