"""Compiles an experiment's pipeline for Kubeflow Pipelines and Vertex AI."""

from pathlib import Path
from typing import Any

from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner, KubeflowV2DagRunnerConfig

from models.config import Experiment
from pipeline.pipeline import create_pipeline

SUFFIXES = (".json", ".yaml", ".yml")


def compile_pipeline(
    experiment: Experiment, output: Path, *, root: str, image: str, spec: str = "2.1", fingerprint: str = ""
) -> dict[str, Any]:
    """Writes the pipeline's spec.

    Args:
        experiment: what to compile.
        output: .json for a PipelineJob; .yaml or .yml for the PipelineSpec within it.
        root: where the run's files go, a path or URL that the cluster's machines reach.
        image: the container image that every task runs in; ganworks is installed there.
        spec: 2.1 or 2.0.
        fingerprint: of the data source as the cluster sees it; a new one ingests again.

    Returns:
        The PipelineJob as plain values.

    Raises:
        ValueError: `output` ends in something else, or cannot be written.
    """
    if output.suffix not in SUFFIXES:
        raise ValueError(f"a spec is written to a file in {', '.join(SUFFIXES)}; received {output}")
    if spec == "2.0" and output.suffix != ".json":
        raise ValueError(f"spec 2.0 is written as JSON; received {output}")
    config = KubeflowV2DagRunnerConfig(default_image=image, use_pipeline_spec_2_1=spec == "2.1")
    runner = KubeflowV2DagRunner(config, output_dir=str(output.parent), output_filename=output.name)
    pipeline = create_pipeline(experiment, root, fingerprint=fingerprint, managed=True)
    try:
        return runner.run(pipeline)
    except OSError as error:
        raise ValueError(f"the spec cannot be written to {output}: {error}") from None
