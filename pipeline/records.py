"""What a run made and what it was made of: the ML Metadata of its root."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

STORE = "metadata.sqlite"
"""Below a run's root."""

DONE = ("complete", "cached")
OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)


@dataclasses.dataclass(frozen=True)
class Artifact:
    """What a stage made; `kind` is its type's name, `properties` are the custom ones."""

    id: int
    kind: str
    uri: str
    properties: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Where it lies below `artifacts/`: stage, output, and the id of what made it; the same wherever a root is."""
        return "/".join(PurePosixPath(self.uri).parts[-3:])


@dataclasses.dataclass(frozen=True)
class Execution:
    """One execution of a stage.

    Attributes:
        id: in the store; later ones have larger ones.
        stage: the node's name.
        state: complete, cached, failed, canceled, running.
        began: seconds since the epoch.
        seconds: how long it took.
        properties: what it was told.
        inputs: key -> ids of artifacts; `outputs` likewise.
        outputs: see `inputs`.
    """

    id: int
    stage: str
    state: str
    began: float
    seconds: float
    properties: Mapping[str, Any]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[int, ...]]


@dataclasses.dataclass(frozen=True)
class Records:
    """What ML Metadata knows of a root: artifacts and executions by their ids, in order."""

    root: Path
    artifacts: Mapping[int, Artifact]
    executions: Mapping[int, Execution]

    def path(self, artifact: Artifact) -> Path:
        """Where an artifact lies, though its root was moved since."""
        return self.root / "artifacts" / artifact.name

    def taken(self, ids: Iterable[int]) -> list[Artifact]:
        """The artifacts of these ids."""
        return [self.artifacts[each] for each in ids]

    def last(self, stage: str) -> Execution | None:
        """The stage's last execution that came to its end or was taken from the cache."""
        done = [each for each in self.executions.values() if each.stage == stage and each.state in DONE]
        return done[-1] if done else None

    def latest(self, stage: str, output: str) -> Artifact | None:
        """What the stage's last execution made or took from the cache; None where there is none."""
        last = self.last(stage)
        return self.artifacts[last.outputs[output][0]] if last and output in last.outputs else None

    def maker(self, artifact: int) -> Execution | None:
        """The execution that made an artifact: not those that found it in the cache later."""
        for execution in self.executions.values():
            if execution.state == "complete" and any(artifact in ids for ids in execution.outputs.values()):
                return execution
        return None

    def makers(self, artifact: int, *, without: Collection[str] = ()) -> list[Execution]:
        """All executions that had a part in an artifact, in order.

        Args:
            artifact: its id.
            without: inputs that are not followed, such as the baseline of a judgement.
        """
        found: dict[int, Execution] = {}
        left = [artifact]
        while left:
            execution = self.maker(left.pop())
            if execution is not None and execution.id not in found:
                found[execution.id] = execution
                left += [each for key, ids in execution.inputs.items() if key not in without for each in ids]
        return [found[each] for each in sorted(found)]

    def judgement(self, model: int) -> Execution | None:
        """The last execution of the evaluator that judged a model, by the model's id."""
        judged = [
            each
            for each in self.executions.values()
            if each.stage == "GanEvaluator" and each.state == "complete" and model in each.inputs.get("model", ())
        ]
        return judged[-1] if judged else None


def read(root: Path) -> Records:
    """Reads the ML Metadata of a run's root, and changes nothing there.

    Raises:
        ValueError: it cannot be read.
    """
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(root / STORE)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    try:
        return records_of(metadata_store.MetadataStore(config), root)
    except (errors.StatusError, RuntimeError) as error:
        # RuntimeError: what the store raises where it cannot even be opened
        reason = str(error).splitlines()[0]
        raise ValueError(f"{root / STORE} holds the ML Metadata of a run; it cannot be read: {reason}") from None


def records_of(store: metadata_store.MetadataStore, root: Path) -> Records:
    """Takes from a store what is there of a root."""
    kinds = {each.id: each.name for each in store.get_artifact_types()}
    artifacts = {
        each.id: Artifact(each.id, kinds[each.type_id], each.uri, _values(each.custom_properties))
        for each in sorted(store.get_artifacts(), key=lambda each: each.id)
    }
    found = {each.id: each for each in sorted(store.get_executions(), key=lambda each: each.id)}
    stages = {
        execution.id: context.name.rpartition(".")[2]
        for context in store.get_contexts_by_type("node")
        for execution in store.get_executions_by_context(context.id)
    }
    sides: dict[tuple[int, bool], dict[str, tuple[int, ...]]] = {}
    for event in store.get_events_by_execution_ids(list(found)) if found else ():
        if event.type in OUTPUTS + INPUTS:
            side = sides.setdefault((event.execution_id, event.type in OUTPUTS), {})
            key = event.path.steps[0].key
            side[key] = (*side.get(key, ()), event.artifact_id)
    executions = {
        number: Execution(
            number,
            stages.get(number, ""),
            metadata_store_pb2.Execution.State.Name(each.last_known_state).lower(),
            each.create_time_since_epoch / 1000,
            (each.last_update_time_since_epoch - each.create_time_since_epoch) / 1000,
            _values(each.custom_properties),
            sides.get((number, False), {}),
            sides.get((number, True), {}),
        )
        for number, each in found.items()
    }
    return Records(root, artifacts, executions)


def locate(path: Path) -> tuple[Records, Artifact | None]:
    """Finds the run that a path belongs to.

    Args:
        path: a run's root; an artifact below it, `ROOT/artifacts/STAGE/OUTPUT/ID`; or a model that it pushed,
            `ROOT/serving/NAME/VERSION`.

    Returns:
        What is known of the root, and the artifact, for a pushed model that of the trainer; None for the root itself.

    Raises:
        ValueError: there is no such folder, no run around it, or the run knows nothing of it.
    """
    path = path.resolve()
    root = next((each for each in (path, *path.parents) if (each / STORE).is_file()), None)
    if root is None:
        raise ValueError(f"a run's root holds {STORE}; there is none in {path} or above it")
    known = read(root)
    if path == root:
        return known, None
    folder, *name = path.relative_to(root).parts
    artifact = None
    if folder == "artifacts":
        artifact = next((each for each in known.artifacts.values() if each.name == "/".join(name[:3])), None)
    elif folder == "serving":
        artifact = _model_of(known, name[:2])
    if artifact is None:
        raise ValueError(
            f"what a run made is ROOT/artifacts/STAGE/OUTPUT/ID or ROOT/serving/NAME/VERSION; the run in {root} does "
            f"not know {path}"
        )
    return known, artifact


def pushes(known: Records) -> Iterable[tuple[Artifact, Path]]:
    """Each push of a root: the trainer's model, and where the pushed copy lies or lay."""
    for execution in known.executions.values():
        for pushed in known.taken(execution.outputs.get("pushed_model", ())):
            destination = pushed.properties.get("pushed_destination")
            if destination and (model := _model_behind(known, execution)):
                yield model, known.root.joinpath("serving", *PurePosixPath(destination).parts[-2:])


def _model_behind(known: Records, push: Execution) -> Artifact | None:
    """The trainer's model that was pushed: as it was, or the copy that the serving validator keeps."""
    served = [known.maker(each) for each in push.inputs.get("infra_blessing", ())]
    ids = [each for execution in (push, *served) if execution for each in execution.inputs.get("model", ())]
    return known.artifacts[ids[0]] if ids else None


def _model_of(known: Records, name: list[str]) -> Artifact | None:
    """The model that was pushed to serving/NAME/VERSION."""
    return next((model for model, path in pushes(known) if list(path.parts[-2:]) == name), None)


def _values(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values; structures, which TFX writes for itself, are left out."""
    kinds = ("string_value", "int_value", "double_value")
    return {
        name: getattr(value, kind) for name, value in properties.items() if (kind := value.WhichOneof("value")) in kinds
    }
