"""Every experiment compiles in both versions of the spec, and kfp's own proto reads it."""

import json

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.experiments import EXPERIMENTS, TINY
from pipeline.kubeflow_runner import compile_pipeline

OPTIONS = {"root": "gs://bucket/runs", "image": "registry/ganworks:1"}


def read(tree):
    return json_format.ParseDict(tree, pipeline_spec_pb2.PipelineSpec())


@pytest.mark.parametrize("spec", ["2.0", "2.1"])
@pytest.mark.parametrize("name", EXPERIMENTS)
class TestEveryExperiment:
    @pytest.fixture
    def compiled(self, name, spec, tmp_path):
        compile_pipeline(EXPERIMENTS[name], tmp_path / "pipeline.json", spec=spec, **OPTIONS)
        return read(json.loads((tmp_path / "pipeline.json").read_text())["pipelineSpec"])

    def test_has_every_stage_in_our_image(self, compiled, name, spec):
        assert compiled.pipeline_info.name == name
        assert compiled.schema_version == f"{spec}.0"
        tasks = set(compiled.root.dag.tasks)
        assert {
            "ImageExampleGen",
            "Transform",
            "FeatureTrainer",
            "GanTrainer",
            "GanEvaluator",
            "ServingValidator",
        } <= tasks
        executors = compiled.deployment_spec["executors"]
        images = {each["container"]["image"] for each in executors.values() if "container" in each}
        assert images == {"registry/ganworks:1"}

    def test_every_input_comes_from_a_task_that_gives_it(self, compiled, name, spec):
        for task in compiled.root.dag.tasks.values():
            for artifact in task.inputs.artifacts.values():
                producer = compiled.root.dag.tasks[artifact.task_output_artifact.producer_task]
                outputs = compiled.components[producer.component_ref.name].output_definitions.artifacts
                assert artifact.task_output_artifact.output_artifact_key in outputs

    def test_the_trainer_gets_the_experiment_whole(self, compiled, name, spec):
        parameter = compiled.root.dag.tasks["GanTrainer"].inputs.parameters["experiment"].runtime_value
        text = parameter.constant.string_value if spec == "2.1" else parameter.constant_value.string_value
        assert json.loads(text)["training"]["steps"] == EXPERIMENTS[name].training.steps


class TestFiles:
    def test_yaml(self, tmp_path):
        compile_pipeline(TINY, tmp_path / "new" / "pipeline.yaml", **OPTIONS)
        assert read(yaml.safe_load((tmp_path / "new" / "pipeline.yaml").read_text())).pipeline_info.name == "tiny"

    @pytest.mark.parametrize(
        ("name", "spec", "message"),
        [
            ("pipeline.txt", "2.1", r"a spec is written to a file in \.json, \.yaml, \.yml; received .*pipeline\.txt"),
            ("pipeline.yaml", "2.0", r"spec 2\.0 is written as JSON; received .*pipeline\.yaml"),
        ],
    )
    def test_refused(self, name, spec, message, tmp_path):
        with pytest.raises(ValueError, match=message):
            compile_pipeline(TINY, tmp_path / name, spec=spec, **OPTIONS)
        assert not list(tmp_path.iterdir())
