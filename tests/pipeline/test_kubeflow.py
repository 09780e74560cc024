"""Every experiment compiles in both versions of the spec, and what reads it on a cluster accepts it."""

import json
import re
from pathlib import Path

import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from models.catalog import EXTRACTORS
from models.config import Experiment
from pipeline.experiments.named import EXPERIMENTS, TINY
from pipeline.kubeflow_runner import compile_pipeline
from tests.pipeline.conftest import CLUSTER

GOLDEN = Path(__file__).parent / "golden"
STAGES = {
    *("ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"),
    *("FeatureTrainer", "GanTrainer", "GanEvaluator", "ServingValidator", "Pusher"),
}
RESOURCES = (
    "resources.gan_trainer.cpu=8",
    "resources.gan_trainer.memory_gigabytes=30",
    "resources.gan_trainer.accelerator=NVIDIA_TESLA_T4",
    "resources.gan_trainer.image=registry/ganworks-gpu:1",
    "resources.gan_evaluator.cpu=2",
    'resources.beam_args=["--runner=DataflowRunner", "--project=p", "--region=r"]',
)


def read(spec):
    return json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())


def tree(file):
    return yaml.safe_load(file.read_text()) if file.suffix == ".yaml" else json.loads(file.read_text())


def containers(spec):
    executors = spec["deploymentSpec"]["executors"]
    return {name.removesuffix("_executor"): each.get("container") for name, each in executors.items()}


# A file's form depends on the version of the spec, never on the experiment.
FORMS = [("tiny", spec, ".yaml") for spec in ("2.0", "2.1")]


@pytest.mark.parametrize(
    ("name", "spec", "suffix"), [*((name, spec, ".json") for name in EXPERIMENTS for spec in ("2.0", "2.1")), *FORMS]
)
class TestEveryExperiment:
    @pytest.fixture
    def file(self, name, spec, suffix, compiled):
        experiment = EXPERIMENTS[name]
        if experiment.evaluation.extractor in EXTRACTORS:
            # where a cluster reaches them
            experiment = experiment.override(["evaluation.extractor_weights=gs://bucket/weights.pth"])
        return compiled(experiment, spec, suffix)

    @pytest.fixture
    def proto(self, file):
        job = tree(file)
        return read(job.get("pipelineSpec", job))

    def test_has_every_stage_in_our_image(self, proto, name, spec, suffix):
        assert proto.pipeline_info.name == name
        assert proto.schema_version == f"{spec}.0"
        assert set(proto.root.dag.tasks) == STAGES | {"Baseline-model-blessing-resolver", "Baseline-model-resolver"}
        executors = proto.deployment_spec["executors"]
        images = {each["container"]["image"] for each in executors.values() if "container" in each}
        assert images == {"registry/ganworks:1"}

    def test_every_input_comes_from_a_task_that_gives_it(self, proto, name, spec, suffix):
        for task in proto.root.dag.tasks.values():
            for artifact in task.inputs.artifacts.values():
                producer = proto.root.dag.tasks[artifact.task_output_artifact.producer_task]
                outputs = proto.components[producer.component_ref.name].output_definitions.artifacts
                assert artifact.task_output_artifact.output_artifact_key in outputs
            for parameter in task.inputs.parameters.values():
                if parameter.component_input_parameter:
                    assert parameter.component_input_parameter in proto.root.input_definitions.parameters

    def test_the_trainer_gets_the_experiment_whole(self, proto, name, spec, suffix):
        parameter = proto.root.dag.tasks["GanTrainer"].inputs.parameters["experiment"].runtime_value
        text = parameter.constant.string_value if spec == "2.1" else parameter.constant_value.string_value
        assert json.loads(text)["training"]["steps"] == EXPERIMENTS[name].training.steps

    def test_vertex_accepts_it_with_every_default(self, file, name, spec, suffix):
        job = aiplatform.PipelineJob(
            display_name=name,
            template_path=str(file),
            project="project",
            location="us-central1",
            credentials=AnonymousCredentials(),
        )
        config = type(job._gca_resource).to_dict(job._gca_resource)["runtime_config"]
        assert config["gcs_output_directory"] == "gs://bucket/runs/artifacts"
        experiment = EXPERIMENTS[name]
        if spec == "2.0":
            values = {key: next(iter(value.values())) for key, value in config["parameters"].items()}
        elif suffix == ".json":
            values = config["parameter_values"]
        else:
            # a PipelineSpec alone: the service reads them where they are defined
            definitions = tree(file)["root"]["inputDefinitions"]["parameters"]
            values = {key: each["defaultValue"] for key, each in definitions.items()}
        assert values.pop("push_destination") == json.dumps(
            {"filesystem": {"baseDirectory": f"gs://bucket/runs/serving/{name}"}}
        )
        assert json.loads(values.pop("thresholds")).keys() == experiment.evaluation.thresholds.keys()
        assert values.pop("checkpoint_root") == "gs://bucket/runs/checkpoints"
        assert values.pop("measurements_root") == "gs://bucket/runs/measurements"
        assert values.pop("data_source") == experiment.data.source
        assert int(values.pop("training_steps")) == experiment.training.steps
        assert values == {}


@pytest.mark.parametrize("spec", ["2.0", "2.1"])
class TestGolden:
    def test_is_as_it_was(self, spec, compiled, request):
        """`pytest tests/pipeline/test_kubeflow.py --write-golden` writes them anew."""
        job = normal(tree(compiled(TINY.override(RESOURCES), spec)))
        file = GOLDEN / f"tiny-{spec}.json"
        if request.config.getoption("--write-golden"):
            file.write_text(json.dumps(job, indent=1, sort_keys=True) + "\n")
        assert job == json.loads(file.read_text())


def normal(job):
    """Without what other versions and changed code make different, and without TFX's schemas of its artifacts."""
    components = job["pipelineSpec"]["components"]
    for name, container in containers(job["pipelineSpec"]).items():
        for exe in filter(None, (container, (container or {}).get("lifecycle", {}).get("preCacheCheck"))):
            # what 2.1 repeats there as JSON
            repeated = json.dumps(components[name].get("inputDefinitions"), indent=2, sort_keys=True)
            exe["args"] = [each.replace(repeated, "INPUT DEFINITIONS") for each in exe["args"]]
    text = json.dumps(job)
    text = re.sub(r'"instanceSchema": "title: ([\w.]+)\\n[^"]*"', r'"instanceSchema": "\1"', text)
    text = re.sub(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])", "SOURCE", text)
    text = re.sub(r'("sdkVersion": "tfx-|"tfx_version": "|"tfx_py_version": ")[^"]*', r"\1VERSION", text)
    return json.loads(text)


class TestResources:
    def test_each_task_gets_its_own(self, compiled):
        made = containers(tree(compiled(TINY.override(RESOURCES)))["pipelineSpec"])
        assert made["GanTrainer"]["image"] == "registry/ganworks-gpu:1"
        accelerator = {"type": "NVIDIA_TESLA_T4", "count": "1"}
        wanted = {"cpuLimit": 8.0, "memoryLimit": 30.0, "accelerator": accelerator}
        assert made["GanTrainer"]["resources"] == wanted
        assert made["GanEvaluator"]["resources"] == {"cpuLimit": 2.0}
        assert {name for name, each in made.items() if each and "resources" in each} == {"GanTrainer", "GanEvaluator"}

    def test_beam_gets_the_clusters_arguments(self, compiled):
        local = containers(tree(compiled())["pipelineSpec"])
        assert local["StatisticsGen"]["args"][-1].endswith("FnApiRunner")
        cluster = containers(tree(compiled(TINY.override(RESOURCES)))["pipelineSpec"])
        for name in ("ImageExampleGen", "StatisticsGen", "Transform", "GanEvaluator"):
            assert cluster[name]["args"][-3:] == ["--runner=DataflowRunner", "--project=p", "--region=r"]

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("resources.gan_trainer.cpu=0", r"resources\.gan_trainer\.cpu: input should be greater than 0; received 0"),
            (
                "resources.gan_trainer.accelerator_count=2",
                "accelerator_count counts an accelerator; received 2 of none",
            ),
            ("resources.gan_traner.cpu=1", r"resources\.gan_traner is no field of resources; did you mean"),
        ],
    )
    def test_refused(self, setting, message):
        with pytest.raises(ValueError, match=message):
            TINY.override([setting])

    def test_nothing_of_a_run_depends_on_them(self):
        from pipeline.pipeline import JUDGED

        assert TINY.override(RESOURCES).to_json(JUDGED) == TINY.to_json(JUDGED)
        assert Experiment.from_json(TINY.to_json(JUDGED)) == TINY


class TestCompiled:
    @pytest.mark.parametrize("spec", ["2.0", "2.1"])
    def test_the_cache_is_asked_after_a_look_at_the_source(self, spec, compiled):
        made = containers(tree(compiled(TINY, spec))["pipelineSpec"])
        check = made["ImageExampleGen"]["lifecycle"]["preCacheCheck"]
        assert check["command"] == ["python", "-m", "components.example_gen.driver"]
        assert check["args"][:2] == ["--json_serialized_invocation_args", "{{$}}"]
        assert check["args"] == made["ImageExampleGen"]["args"][2:]
        assert [name for name, each in made.items() if each and "lifecycle" in each] == ["ImageExampleGen"]

    def test_all_but_the_push_may_come_from_the_cache(self, compiled):
        tasks = tree(compiled())["pipelineSpec"]["root"]["dag"]["tasks"]
        cached = {name for name, task in tasks.items() if task.get("cachingOptions", {}).get("enableCache")}
        assert cached == STAGES - {"Pusher"}

    def test_fetched_weights_lie_where_the_cluster_reaches_them(self, tmp_path):
        experiment = TINY.override(["evaluation.extractor=efficientnet_lite0"])
        with pytest.raises(ValueError, match=r"a cluster reads the weights of efficientnet_lite0 .*extractor_weights"):
            compile_pipeline(experiment, tmp_path / "pipeline.yaml", **CLUSTER)

    def test_a_new_folder_is_made(self, tmp_path):
        compile_pipeline(TINY, tmp_path / "new" / "pipeline.yaml", **CLUSTER)
        assert tree(tmp_path / "new" / "pipeline.yaml")["defaultPipelineRoot"] == "gs://bucket/runs/artifacts"

    @pytest.mark.parametrize(
        ("name", "changes", "message"),
        [
            ("pipeline.txt", {}, r"a spec is written to a file in \.json, \.yaml, \.yml; received .*pipeline\.txt"),
            ("pipeline.json", {"spec": "1"}, r"a spec's version is 2\.1 or 2\.0; received 1"),
            ("pipeline.json", {"image": " "}, "every task runs in a container image .* received none"),
            ("file/pipeline.json", {}, r"the spec cannot be written to .*pipeline\.json: "),
        ],
    )
    def test_refused(self, name, changes, message, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ValueError, match=message):
            compile_pipeline(TINY, tmp_path / name, **(CLUSTER | changes))
        assert [each.name for each in tmp_path.iterdir()] == ["file"]
