"""Reads what `ganworks compile`, or TFX's own compiler, has written."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from models.catalog import near_misses

VERSIONS = ("2.0", "2.1")
INTEGERS, DOUBLES = ("INT", "NUMBER_INTEGER"), ("DOUBLE", "NUMBER_DOUBLE")


@dataclasses.dataclass(frozen=True)
class Task:
    """A task, the component that it is made of, and what runs for it."""

    name: str
    spec: Any
    component: Any
    executor: Any

    @property
    def kind(self) -> str:
        """container, importer or resolver."""
        return str(self.executor.WhichOneof("spec"))

    @property
    def upstream(self) -> set[str]:
        """The tasks that have to end before it."""
        inputs = self.spec.inputs
        artifacts = {each.task_output_artifact.producer_task for each in inputs.artifacts.values()}
        parameters = {each.task_output_parameter.producer_task for each in inputs.parameters.values()}
        return (set(self.spec.dependent_tasks) | artifacts | parameters) - {""}


@dataclasses.dataclass(frozen=True)
class Spec:
    """A compiled pipeline.

    Attributes:
        name: the pipeline's.
        version: 2.0 or 2.1.
        tasks: by their names.
        types: runtime parameter -> its type's name.
        defaults: runtime parameter -> its value, of those that have one.
    """

    name: str
    version: str
    tasks: Mapping[str, Task]
    types: Mapping[str, str]
    defaults: Mapping[str, Any]

    def modules(self) -> set[str]:
        """The Python modules that the tasks run."""
        found = set()
        for task in self.tasks.values():
            container = task.executor.container
            for hook in (container, container.lifecycle.pre_cache_check):
                if list(hook.command[1:2]) == ["-m"]:
                    found.add(hook.command[2])
            if "--executor_class_path" in container.args:
                name = container.args[list(container.args).index("--executor_class_path") + 1]
                found.add(name.rpartition(".")[0])
        return found

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every runtime parameter.

        Args:
            given: in place of defaults; texts are read as the parameter's type.

        Raises:
            ValueError: a name that the spec does not have, a value of another type, or a parameter without a value;
                the message names the task that reads it.
        """
        for name in given:
            if name not in self.types:
                raise ValueError(f"{name} is no runtime parameter of {self.name}{near_misses(name, self.types)}")
        values = {**self.defaults, **given}
        for task in self.tasks.values():
            for each in task.spec.inputs.parameters.values():
                name = each.component_input_parameter
                if name and name not in values:
                    raise ValueError(
                        f"task {task.name} reads the runtime parameter {name}, which has no value: give it by "
                        f"--parameter {name}=VALUE"
                    )
        return {name: _typed(name, self.types[name], value) for name, value in values.items()}


def load(path: Path) -> Spec:
    """Reads a PipelineJob or a PipelineSpec, JSON or YAML.

    Raises:
        ValueError: it cannot be read, is of another tool or version, or has a task that cannot run here; one line.
    """
    tree = _tree(path)
    job, tree = (tree, tree["pipelineSpec"]) if isinstance(tree.get("pipelineSpec"), dict) else ({}, tree)
    tool, version = str(tree.get("sdkVersion", "")), str(tree.get("schemaVersion", ""))[:3]
    if not tool.startswith("tfx-"):
        raise ValueError(f"a spec is one that `ganworks compile` wrote; {path} is by {tool or 'another tool'}")
    if version not in VERSIONS:
        raise ValueError(
            f"a spec's version is {' or '.join(VERSIONS)}; {path} has {version or 'none'}: compile it anew"
        )
    try:
        proto = json_format.ParseDict(tree, pipeline_spec_pb2.PipelineSpec())
        deployment = json_format.ParseDict(
            json_format.MessageToDict(proto.deployment_spec), pipeline_spec_pb2.PipelineDeploymentConfig()
        )
    except json_format.ParseError as error:
        raise ValueError(f"{path} is no spec of version {version}: {str(error).splitlines()[0]}") from None
    tasks = {name: _task(name, each, proto, deployment) for name, each in sorted(proto.root.dag.tasks.items())}
    definitions = proto.root.input_definitions.parameters
    return Spec(
        name=proto.pipeline_info.name,
        version=version,
        tasks=tasks,
        types={name: _type(each, version) for name, each in definitions.items()},
        defaults=_defaults(definitions, job.get("runtimeConfig", {})),
    )


def _tree(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
        # YAML holds JSON too, but takes ten times as long over it.
        tree = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise ValueError(f"the spec {path} cannot be read: {error.strerror}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"a spec is JSON or YAML; {path} is neither: {str(error).splitlines()[0]}") from None
    if not isinstance(tree, dict) or not tree.keys() & {"pipelineSpec", "root"}:
        raise ValueError(f"a spec is one that `ganworks compile` wrote; {path} holds no pipeline")
    return tree


def _task(name: str, spec: Any, proto: Any, deployment: Any) -> Task:
    """A task with its component and executor, which this machine must be able to run."""
    component = proto.components[spec.component_ref.name]
    if component.WhichOneof("implementation") == "dag":
        raise ValueError(f"task {name} is a pipeline within the pipeline, which cannot be run here: compile it without")
    if spec.WhichOneof("iterator"):
        raise ValueError(f"task {name} is a loop, which cannot be run here: compile it without")
    if spec.trigger_policy.strategy > pipeline_spec_pb2.PipelineTaskSpec.TriggerPolicy.ALL_UPSTREAM_TASKS_SUCCEEDED:
        raise ValueError(f"task {name} is to run after a failure, which cannot be done here: compile it without")
    executor = deployment.executors[component.executor_label]
    task = Task(name, spec, component, executor)
    if task.kind not in ("container", "importer", "resolver"):
        raise ValueError(f"task {name} has no container, importer or resolver: compile the pipeline anew")
    if task.kind == "container" and not executor.container.image:
        raise ValueError(f"task {name} names no container image: compile the pipeline with --image")
    if task.kind == "container":
        _check_runner(task)
    for each in task.upstream:
        if each not in proto.root.dag.tasks:
            raise ValueError(f"task {name} waits for task {each}, which the spec does not have: compile it anew")
    return task


def _check_runner(task: Task) -> None:
    for argument in task.executor.container.args:
        if argument.startswith("--runner=") and argument.endswith(("DataflowRunner", "FlinkRunner", "SparkRunner")):
            raise ValueError(
                f"task {task.name} runs Beam by {argument}, which is not on this machine: compile it without "
                "resources.beam_args"
            )


def _type(definition: Any, version: str) -> str:
    kinds = pipeline_spec_pb2.PrimitiveType.PrimitiveTypeEnum, pipeline_spec_pb2.ParameterType.ParameterTypeEnum
    number = definition.type if version == "2.0" else definition.parameter_type
    return str(kinds[version != "2.0"].Name(number))


def _defaults(definitions: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """What the definitions hold, and over it what the job was compiled with."""
    values = {
        name: json_format.MessageToDict(each.default_value)
        for name, each in definitions.items()
        if each.HasField("default_value")
    }
    values |= config.get("parameterValues", {})
    return values | {name: next(iter(each.values())) for name, each in config.get("parameters", {}).items()}


def _typed(name: str, kind: str, value: Any) -> Any:
    """A value as its type wants it; JSON gives whole numbers as texts and as floats."""
    try:
        if kind in INTEGERS:
            if float(value) != int(float(value)):
                raise ValueError
            return int(float(value))
        return float(value) if kind in DOUBLES else value
    except (TypeError, ValueError, OverflowError):
        wanted = "a whole number" if kind in INTEGERS else "a number"
        raise ValueError(f"the runtime parameter {name} is {wanted}; received {value!r}") from None
