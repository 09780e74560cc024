"""Compiles an experiment's pipeline for Kubeflow Pipelines and Vertex AI."""

import json
from pathlib import Path
from typing import Any

import yaml
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner, KubeflowV2DagRunnerConfig
from tfx.orchestration.kubeflow.v2.pipeline_builder import DEFAULT_IMAGE_PATH_KEY
from tfx.orchestration.pipeline import Pipeline

from models.catalog import EXTRACTORS
from models.config import Experiment
from models.config.resources import Machine
from pipeline.pipeline import create_pipeline

SUFFIXES = (".json", ".yaml", ".yml")
VERSIONS = ("2.1", "2.0")
DRIVERS = {"ImageExampleGen": "components.example_gen.driver"}
"""Stage -> the module that runs before the cache is asked. TFX compiles none but its own."""
NEVER_CACHED = "Pusher"
"""A serving folder that was emptied is filled again."""

ResourceSpec = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec


def compile_pipeline(
    experiment: Experiment, output: Path, *, root: str, image: str, spec: str = "2.1", baseline: bool = True
) -> dict:
    """Writes the pipeline's spec.

    Args:
        experiment: what to compile; its `resources` say what each task gets.
        output: .json for a PipelineJob; .yaml or .yml for the PipelineSpec within it. Version 2.0 has no place for the
            defaults of parameters in a PipelineSpec, so its YAML is the PipelineJob too.
        root: where the run's files go, a path or URL that the cluster's machines reach.
        image: the container image of the tasks that `resources` names none for; ganworks is installed there.
        spec: 2.1 or 2.0.
        baseline: whether the model is compared with the latest blessed one, which Kubeflow Pipelines cannot look up.

    Returns:
        The PipelineJob as plain values.

    Raises:
        ValueError: a value that is none of these, or `output` cannot be written.
    """
    if output.suffix not in SUFFIXES:
        raise ValueError(f"a spec is written to a file in {', '.join(SUFFIXES)}; received {output}")
    if spec not in VERSIONS:
        raise ValueError(f"a spec's version is {' or '.join(VERSIONS)}; received {spec}")
    if not image.strip():
        raise ValueError("every task runs in a container image that has ganworks installed; received none: name it")
    evaluation = experiment.evaluation
    if evaluation.extractor_weights is None and getattr(EXTRACTORS.get(evaluation.extractor), "fetched", None):
        raise ValueError(
            f"a cluster reads the weights of {evaluation.extractor} from where its machines reach them: set "
            "evaluation.extractor_weights to the file's URL, or to its path in the image"
        )
    content = getattr(experiment.scheme, "content", None)
    if content is not None and content.file is None:
        raise ValueError(
            f"a cluster reads the weights of {content.network} from where its machines reach them: set "
            "scheme.content.file to the file's URL, or to its path in the image"
        )
    machines = experiment.resources.stages()
    images = {name: machine.image for name, machine in machines.items() if machine.image}
    config = KubeflowV2DagRunnerConfig(
        default_image={DEFAULT_IMAGE_PATH_KEY: image, **images}, use_pipeline_spec_2_1=spec == "2.1"
    )
    pipeline = create_pipeline(experiment, root, fingerprint="", managed=True, baseline=baseline)
    for component in pipeline.components:
        if component.id in machines and machines[component.id].limits:
            component.with_platform_config(_resources(machines[component.id]))
    defaults = _defaults(pipeline)
    job = KubeflowV2DagRunner(config).run(pipeline, parameter_values=defaults, write_out=False)
    _complete(job["pipelineSpec"], defaults, root=job["runtimeConfig"]["gcsOutputDirectory"])
    _write(job if spec == "2.0" or output.suffix == ".json" else job["pipelineSpec"], output)
    return dict(job)


def _resources(machine: Machine) -> Any:
    """What the cluster is asked for a task."""
    spec = ResourceSpec(cpu_limit=machine.cpu, memory_limit=machine.memory_gigabytes)
    if machine.accelerator:
        spec.accelerator.type, spec.accelerator.count = machine.accelerator, machine.accelerator_count or 1
    return spec


def _defaults(pipeline: Pipeline) -> dict[str, Any]:
    """The defaults of the runtime parameters, which TFX itself leaves out of what it compiles."""
    values = (value for component in pipeline.components for value in component.exec_properties.values())
    return {value.name: value.default for value in values if isinstance(value, RuntimeParameter)}


def _complete(spec: dict[str, Any], defaults: dict[str, Any], *, root: str) -> None:
    """Adds to a PipelineSpec what TFX's compiler has no words for."""
    spec["defaultPipelineRoot"] = root
    for name, parameter in spec["root"]["inputDefinitions"]["parameters"].items():
        # The field came with 2.1, as did this key.
        if "parameterType" in parameter:
            parameter["defaultValue"] = defaults[name]
    for stage, driver in DRIVERS.items():
        container = spec["deploymentSpec"]["executors"][f"{stage}_executor"]["container"]
        executor = container["args"].index("--executor_class_path")
        arguments = container["args"][:executor] + container["args"][executor + 2 :]
        container["lifecycle"] = {"preCacheCheck": {"command": ["python", "-m", driver], "args": arguments}}
    del spec["root"]["dag"]["tasks"][NEVER_CACHED]["cachingOptions"]


def _write(tree: dict[str, Any], output: Path) -> None:
    as_json = output.suffix == ".json"
    text = json.dumps(tree, indent=2, sort_keys=True) + "\n" if as_json else yaml.safe_dump(tree, sort_keys=True)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text)
    except OSError as error:
        raise ValueError(f"the spec cannot be written to {output}: {error.strerror}") from None
