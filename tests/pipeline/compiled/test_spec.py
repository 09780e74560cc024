"""What is read of a compiled pipeline, and what is refused before anything runs."""

import json

import pytest
import yaml

from pipeline.compiled.execute import prepare
from pipeline.compiled.spec import load
from pipeline.experiments.named import TINY


@pytest.fixture(scope="module")
def files(compiled):
    """Compiled in both versions, as JSON and as YAML."""
    return {
        (spec, suffix): compiled(spec=spec, suffix=suffix) for spec in ("2.0", "2.1") for suffix in (".json", ".yaml")
    }


@pytest.fixture
def changed(files, tmp_path):
    """Writes a copy of the compiled job, changed."""

    def change(edit, spec="2.1"):
        job = json.loads(files[spec, ".json"].read_text())
        edit(job["pipelineSpec"], job)
        (tmp_path / "spec.json").write_text(json.dumps(job))
        return tmp_path / "spec.json"

    return change


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
@pytest.mark.parametrize("version", ["2.0", "2.1"])
class TestLoad:
    def test_the_graph(self, files, version, suffix):
        spec = load(files[version, suffix])
        assert (spec.name, spec.version) == ("tiny", version)
        assert spec.tasks["GanTrainer"].upstream == {"Transform"}
        assert spec.tasks["GanEvaluator"].upstream == {
            *("ImageExampleGen", "Transform", "FeatureTrainer", "GanTrainer"),
            "Baseline-model-resolver",
        }
        assert spec.tasks["Baseline-model-resolver"].kind == "resolver"

    def test_every_runtime_parameter_has_its_default_in_its_type(self, files, version, suffix):
        values = load(files[version, suffix]).values({})
        assert values["training_steps"] == 20
        assert isinstance(values["training_steps"], int)
        assert values["data_source"] == "digits"
        assert values["checkpoint_root"] == "gs://bucket/runs/checkpoints"

    def test_the_experiment_is_the_one_that_was_compiled(self, files, version, suffix, tmp_path):
        experiment, values = prepare(load(files[version, suffix]), {}, tmp_path)
        assert experiment == TINY
        assert values["checkpoint_root"] == str(tmp_path / "checkpoints")
        assert values["measurements_root"] == str(tmp_path / "measurements")
        assert json.loads(values["push_destination"]) == {
            "filesystem": {"baseDirectory": str(tmp_path / "serving" / "tiny")}
        }


class TestParameters:
    def test_are_read_in_their_types_and_judged_at_once(self, files, tmp_path):
        spec = load(files["2.1", ".json"])
        experiment, values = prepare(spec, {"training_steps": "7", "push_destination": "{}"}, tmp_path)
        assert (experiment.training.steps, values["training_steps"], values["push_destination"]) == (7, 7, "{}")
        with pytest.raises(ValueError, match=r"training\.steps: input should be greater than 0; received 0"):
            prepare(spec, {"training_steps": "0"}, tmp_path)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"training_stps": "7"}, "training_stps is no runtime parameter of tiny; did you mean training_steps"),
            ({"training_steps": "seven"}, "the runtime parameter training_steps is a whole number; received 'seven'"),
            ({"training_steps": "2.5"}, "is a whole number; received '2.5'"),
        ],
    )
    def test_refused(self, files, given, message):
        with pytest.raises(ValueError, match=message):
            load(files["2.1", ".json"]).values(given)

    def test_one_without_a_value_names_the_task_that_reads_it(self, changed):
        def edit(spec, job):
            del spec["root"]["inputDefinitions"]["parameters"]["training_steps"]["defaultValue"]
            del job["runtimeConfig"]["parameterValues"]["training_steps"]

        message = "task GanEvaluator reads the runtime parameter training_steps, which has no value: give it by --param"
        with pytest.raises(ValueError, match=message):
            load(changed(edit)).values({})


def put(*path_and_value):
    """Puts a value into a PipelineSpec; None takes away what is there."""
    *path, key, value = path_and_value

    def edit(spec, job):
        for each in path:
            spec = spec[each]
        if value is None:
            del spec[key]
        else:
            spec[key] = value

    return edit


EXECUTORS, TASKS = ("deploymentSpec", "executors"), ("root", "dag", "tasks")
NESTED = ("components", "Transform", {"dag": {"tasks": {}}})
DATAFLOW = (*EXECUTORS, "Transform_executor", "container", "args", -1, "--runner=DataflowRunner")
ON_FAILURE = (*TASKS, "Pusher", "triggerPolicy", {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"})
EDITS = [
    (("sdkVersion", "kfp-2.16.1"), r"a spec is one that `ganworks compile` wrote; .* is by kfp-2\.16\.1"),
    (("sdkVersion", None), r"a spec is one that `ganworks compile` wrote; .* is by another tool"),
    (("schemaVersion", "3.0.0"), r"a spec's version is 2\.0 or 2\.1; .* has 3\.0: compile it anew"),
    (
        (*EXECUTORS, "Transform_executor", "container", "image", None),
        "task Transform names no container image: compile",
    ),
    ((*EXECUTORS, "Transform_executor", None), "task Transform has no container, importer or resolver: compile"),
    (DATAFLOW, "task Transform runs Beam by --runner=DataflowRunner, which is not on this machine: compile it"),
    (NESTED, "task Transform is a pipeline within the pipeline, which cannot be run here"),
    (
        (*TASKS, "Transform", "parameterIterator", {"itemInput": "x"}),
        "task Transform is a loop, which cannot be run here",
    ),
    (ON_FAILURE, "task Pusher is to run after a failure, which cannot be done here"),
    (
        (*TASKS, "Pusher", "dependentTasks", ["Nobody"]),
        "task Pusher waits for task Nobody, which the spec does not have",
    ),
    ((*TASKS, "Pusher", "color", "red"), r"is no spec of version 2\.1: .*color"),
]
"""What can be wrong with a spec, and what is said of it."""


class TestBadInput:
    @pytest.mark.parametrize(("edit", "message"), EDITS)
    def test_what_cannot_run_is_named_in_one_line(self, edit, message, changed):
        with pytest.raises(ValueError, match=message) as caught:
            load(changed(put(*edit)))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("spec.json", None, r"the spec .*spec\.json cannot be read: No such file"),
            ("spec.json", "{", r"a spec is JSON or YAML; .*spec\.json is neither: "),
            ("spec.yaml", "a: [", r"a spec is JSON or YAML; .*spec\.yaml is neither: "),
            ("spec.yaml", "just words", "wrote; .* holds no pipeline"),
            ("spec.json", "[]", "wrote; .* holds no pipeline"),
        ],
    )
    def test_no_spec_at_all(self, name, text, message, tmp_path):
        if text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=message) as caught:
            load(tmp_path / name)
        assert "\n" not in str(caught.value)

    def test_another_pipeline_of_tfx_is_no_experiment(self, changed, tmp_path):
        def edit(spec, job):
            for task in ("GanEvaluator", "ServingValidator", "Pusher"):
                del spec["root"]["dag"]["tasks"][task]

        with pytest.raises(ValueError, match="the pipeline tiny is of no experiment of ganworks: it has no task GanEv"):
            prepare(load(changed(edit)), {}, tmp_path)


def test_what_the_tasks_run_is_known_beforehand(files):
    modules = load(files["2.1", ".yaml"]).modules()
    assert {
        "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor",
        "components.example_gen.driver",
        "components.gan_trainer.executor",
        "tfx.components.pusher.executor",
    } <= modules
    assert yaml.safe_load(files["2.1", ".yaml"].read_text())["schemaVersion"] == "2.1.0"
