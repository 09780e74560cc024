"""What a task is handed, and what it hands back, by the contract of Kubeflow Pipelines v2."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import json_format, struct_pb2
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from pipeline.compiled.spec import Task

Artifacts = Mapping[str, Sequence[Artifact]]

_PLACEHOLDER = re.compile(r"\{\{\$(.*?)\}\}")
_STEP = re.compile(r"\.(\w+)|\['([^']*)'\]")


def runtime_artifact(artifact: Artifact, kind: Any) -> Any:
    """An artifact as a task reads it; without its type, a task of TFX refuses it."""
    mlmd = artifact.mlmd_artifact
    made = kubeflow_v2_entrypoint_utils.to_runtime_artifact(artifact, {mlmd.id: mlmd.name})
    made.type.CopyFrom(kind)
    return made


def executor_input(
    task: Task, version: str, *, inputs: Artifacts, parameters: Mapping[str, Any], outputs: Artifacts, output_file: Path
) -> Any:
    """The ExecutorInput of a task.

    Args:
        task: whose component says which types its artifacts have.
        version: of the spec: 2.0 writes parameters in a form of its own.
        inputs: artifacts of other tasks.
        parameters: plain values.
        outputs: artifacts with a name and a place, which the task fills.
        output_file: where it writes what it made of them.
    """
    made = pipeline_spec_pb2.ExecutorInput()
    kinds = {name: each.artifact_type for name, each in task.component.input_definitions.artifacts.items()}
    for key, artifacts in inputs.items():
        made.inputs.artifacts[key].artifacts.extend(runtime_artifact(each, kinds[key]) for each in artifacts)
    set_parameters(made.inputs, version, parameters)
    for key, artifacts in outputs.items():
        kind = task.component.output_definitions.artifacts[key].artifact_type
        made.outputs.artifacts[key].artifacts.extend(runtime_artifact(each, kind) for each in artifacts)
    for key in task.component.output_definitions.parameters:
        made.outputs.parameters[key].output_file = str(output_file.with_name(f"parameter_{key}"))
    made.outputs.output_file = str(output_file)
    return made


def set_parameters(message: Any, version: str, parameters: Mapping[str, Any]) -> None:
    """Writes plain values in the version's form."""
    for name, value in parameters.items():
        if version == "2.0":
            kind = {int: "int_value", float: "double_value"}.get(type(value), "string_value")
            setattr(message.parameters[name], kind, value if kind != "string_value" else str(value))
        else:
            message.parameter_values[name].CopyFrom(json_format.ParseDict(value, struct_pb2.Value()))


def plain_parameters(message: Any) -> dict[str, Any]:
    """The parameters of an ExecutorOutput, in either form, as plain values."""
    found = {name: plain(each) for name, each in message.parameters.items()}
    return found | {name: plain(each) for name, each in message.parameter_values.items()}


def plain(value: Any) -> Any:
    """A value of either version's proto as a plain one."""
    if isinstance(value, struct_pb2.Value):
        return json_format.MessageToDict(value)
    return getattr(value, value.WhichOneof("value"))


def constant(value: Any) -> Any:
    """What a ValueOrRuntimeParameter of either version holds, as a plain value."""
    return plain(value.constant if value.HasField("constant") else value.constant_value)


def new_output(kind: Any) -> Artifact:
    """An artifact of a component's output type, empty."""
    message = pipeline_spec_pb2.RuntimeArtifact(type=kind)
    listed = pipeline_spec_pb2.ArtifactList(artifacts=[message])
    return artifact_utils.get_single_instance(
        kubeflow_v2_entrypoint_utils.parse_raw_artifact_dict({"output": listed})["output"]
    )


def fill(task: Task, outputs: Artifacts, output: Any) -> None:
    """Takes over what a task says of its outputs; the message gives no types, so they are those of the component."""
    for key, listed in output.artifacts.items():
        kind = task.component.output_definitions.artifacts[key].artifact_type
        for message in listed.artifacts:
            message.type.CopyFrom(kind)
        made = kubeflow_v2_entrypoint_utils.parse_raw_artifact_dict({key: listed})[key]
        for given, found in zip(outputs[key], made, strict=False):
            given.mlmd_artifact.properties.MergeFrom(found.mlmd_artifact.properties)
            for name in found.mlmd_artifact.custom_properties:
                set_property(given, name, found.get_json_value_custom_property(name))


def set_property(artifact: Artifact, name: str, value: Any) -> None:
    """Sets a custom property as TFX itself does on this machine: JSON knows no whole numbers."""
    if isinstance(value, float):
        if value.is_integer():
            artifact.set_int_custom_property(name, int(value))
        else:
            artifact.set_float_custom_property(name, value)
    elif isinstance(value, str):
        artifact.set_string_custom_property(name, value)
    else:
        artifact.set_json_value_custom_property(name, value)


def cache_key(task: Task, inputs: Artifacts, parameters: Mapping[str, Any]) -> str:
    """What decides whether a task has been done before: its interface, image, command, inputs and parameters."""
    container = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec()
    container.CopyFrom(task.executor.container)
    container.ClearField("resources")
    tree = {
        "component": json_format.MessageToDict(task.component),
        "container": json_format.MessageToDict(container),
        "inputs": {key: [(each.mlmd_artifact.name, each.uri) for each in value] for key, value in inputs.items()},
        "parameters": dict(parameters),
    }
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def resolve(text: str, task: str, message: Any) -> str:
    """Replaces the placeholders of a command or a query.

    Args:
        text: with `{{$}}` for the whole ExecutorInput, or `{{$.inputs.parameters['steps']}}` and the like.
        task: its name, for the error.
        message: the ExecutorInput.

    Raises:
        ValueError: a placeholder names what the task does not have.
    """
    if "{{$" not in text:
        return text
    tree = json_format.MessageToDict(message)
    view = {
        side: {
            "parameters": _parameters(tree.get(side, {})),
            "artifacts": {
                key: each.get("artifacts", [{}])[0] for key, each in tree.get(side, {}).get("artifacts", {}).items()
            },
        }
        for side in ("inputs", "outputs")
    }

    def found(match: re.Match[str]) -> str:
        if not match[1]:
            return str(json_format.MessageToJson(message))
        node: Any = view
        for step in _STEP.finditer(match[1]):
            name = step[1] or step[2]
            if name == "value" and "uri" in node:
                node = Path(node["uri"]).read_text()
            elif isinstance(node, dict) and name in node:
                node = node[name]
            else:
                raise ValueError(f"task {task} asks for {match[0]}, which it does not have: compile the pipeline anew")
        return node if isinstance(node, str) else json.dumps(node)

    return _PLACEHOLDER.sub(found, text)


def _parameters(tree: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(tree.get("parameterValues", {}))
    for name, each in tree.get("parameters", {}).items():
        found[name] = each if "outputFile" in each else next(iter(each.values()))
    return found
