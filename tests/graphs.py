"""A small TFX pipeline with what our own does not have: conditions, an importer, the latest artifact, values."""

from pathlib import Path
from typing import Any

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.experimental.conditionals.conditional import Cond
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner, KubeflowV2DagRunnerConfig
from tfx.orchestration.pipeline import Pipeline
from tfx.types import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing, PushedModel


@component
def Judge(score: Parameter[int], model: InputArtifact[Model], blessing: OutputArtifact[ModelBlessing]):  # noqa: N802
    """Writes a score into a blessing."""
    blessing.set_int_custom_property("score", score)
    Path(blessing.uri, "read").write_text(Path(model.uri, "weights").read_text())


@component
def Push(model: InputArtifact[Model], pushed: OutputArtifact[PushedModel]):  # noqa: N802
    """Copies a model."""
    Path(pushed.uri, "weights").write_text(Path(model.uri, "weights").read_text())


@component
def Announce(pushed: InputArtifact[PushedModel], model: OutputArtifact[Model]):  # noqa: N802
    """Follows a push."""
    Path(model.uri, "weights").write_text(Path(pushed.uri, "weights").read_text() + "!")


def compile_graph(output: Path, model: Path, version: str) -> None:
    """Imports a model, judges it, pushes it if its score is above 2, and announces what was pushed."""
    importer: Any = Importer(source_uri=str(model), artifact_type=Model, custom_properties={"origin": "here"})
    importer = importer.with_id("Imported")
    judge = Judge(score=RuntimeParameter("score", int, 3), model=importer.outputs["result"])
    with Cond(judge.outputs["blessing"].future()[0].custom_property("score") > 2):
        push = Push(model=importer.outputs["result"])
    announce = Announce(pushed=push.outputs["pushed"])
    earlier = Resolver(strategy_class=LatestArtifactStrategy, latest=Channel(type=PushedModel)).with_id("Earlier")
    components = [importer, judge, push, announce, earlier]
    pipeline = Pipeline("graph", "gs://bucket/root", components=components, enable_cache=True)
    config = KubeflowV2DagRunnerConfig(default_image="image", use_pipeline_spec_2_1=version == "2.1")
    runner = KubeflowV2DagRunner(config, output_dir=str(output.parent), output_filename=output.name)
    runner.run(pipeline, parameter_values={"score": 3})
