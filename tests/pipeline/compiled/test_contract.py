"""What a task is handed, checked by TFX's own reader of it, and what is taken from its answer."""

import json

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as entry
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, String

from pipeline.compiled import contract
from pipeline.compiled.conditions import holds
from pipeline.compiled.resolvers import latest
from pipeline.compiled.spec import load


@pytest.fixture(scope="module", params=["2.0", "2.1"])
def spec(request, compiled):
    return load(compiled(spec=request.param))


def artifact(kind, name, uri="/nowhere", **properties):
    made = kind()
    made.mlmd_artifact.name, made.uri = name, str(uri)
    for key, value in properties.items():
        contract.set_property(made, key, value)
    return made


@pytest.fixture
def message(spec, tmp_path):
    """The trainer's ExecutorInput."""
    examples = artifact(Examples, "examples/3", "/examples", note="mine", share=0.5, count=3.0)
    examples.split_names = '["train", "eval"]'
    examples.mlmd_artifact.id = 3
    return contract.executor_input(
        spec.tasks["GanTrainer"],
        spec.version,
        inputs={"examples": [examples]},
        parameters={"training_steps": 20, "experiment": "{}", "rate": 0.5},
        outputs={"model": [artifact(Model, "model/4", "/model")]},
        output_file=tmp_path / "4" / "executor_output.json",
    )


class TestExecutorInput:
    def test_tfx_reads_typed_artifacts(self, message):
        (examples,) = entry.parse_raw_artifact_dict(message.inputs.artifacts, {})["examples"]
        assert isinstance(examples, Examples)
        assert (examples.uri, examples.split_names) == ("/examples", '["train", "eval"]')
        assert examples.get_string_custom_property("note") == "mine"
        assert examples.get_float_custom_property("share") == 0.5
        assert examples.get_int_custom_property("count") == 3
        (model,) = entry.parse_raw_artifact_dict(message.outputs.artifacts, {})["model"]
        assert isinstance(model, Model)

    def test_tfx_reads_parameters_in_the_form_of_the_version(self, message, spec):
        definitions = spec.tasks["GanTrainer"].component.input_definitions if spec.version == "2.1" else None
        inputs = message.inputs
        read = entry.parse_execution_properties(inputs.parameter_values, inputs.parameters, definitions)
        assert read == {"training_steps": 20, "experiment": "{}", "rate": 0.5}
        assert isinstance(read["training_steps"], int)
        assert bool(inputs.parameters) == (spec.version == "2.0")


class TestPlaceholders:
    def test_the_whole_message(self, message):
        read = json_format.Parse(contract.resolve("{{$}}", "Task", message), pipeline_spec_pb2.ExecutorInput())
        assert read == message

    @pytest.mark.parametrize(
        ("text", "result"),
        [
            ("{{$.inputs.artifacts['examples'].uri}}/x", "/examples/x"),
            ("{{$.inputs.artifacts['examples'].metadata['note']}}", "mine"),
            ("{{$.outputs.artifacts['model'].uri}}", "/model"),
            ("--steps={{$.inputs.parameters['training_steps']}}", "--steps=20"),
            ("none", "none"),
        ],
    )
    def test_parts_of_it(self, message, text, result):
        assert contract.resolve(text, "Task", message).replace("20.0", "20") == result

    def test_a_value(self, spec, tmp_path):
        value = String()
        value.uri = str(tmp_path / "value")
        value.write("text")
        kind = spec.tasks["GanTrainer"].component.input_definitions.artifacts["examples"].artifact_type
        message = pipeline_spec_pb2.ExecutorInput()
        message.inputs.artifacts["s"].artifacts.append(contract.runtime_artifact(value, kind))
        assert contract.resolve("{{$.inputs.artifacts['s'].value}}", "Task", message) == "text"

    def test_what_the_task_does_not_have(self, message):
        with pytest.raises(
            ValueError, match=r"task Task asks for \{\{\$\.inputs\.artifacts\['other'\]\.uri\}\}, which"
        ):
            contract.resolve("{{$.inputs.artifacts['other'].uri}}", "Task", message)


class TestAnswer:
    def test_outputs_get_their_types_and_whole_numbers_back(self, spec):
        task = spec.tasks["GanEvaluator"]
        outputs = {
            key: [contract.new_output(each.artifact_type)]
            for key, each in task.component.output_definitions.artifacts.items()
        }
        metadata = {"blessed": 1.0, "score": 0.5, "current_model_id": "tiny/GanTrainer/model/7"}
        answer = {"artifacts": {"blessing": {"artifacts": [{"uri": "/b", "metadata": metadata}]}}}
        contract.fill(task, outputs, json_format.ParseDict(answer, pipeline_spec_pb2.ExecutorOutput()))
        (blessing,) = outputs["blessing"]
        assert isinstance(blessing, ModelBlessing)
        assert blessing.mlmd_artifact.custom_properties["blessed"].int_value == 1
        assert blessing.get_float_custom_property("score") == 0.5
        assert blessing.get_string_custom_property("current_model_id") == "tiny/GanTrainer/model/7"

    def test_parameters_of_either_form(self):
        answer = {"parameters": {"a": {"stringValue": "x"}}, "parameterValues": {"b": 2}}
        read = json_format.ParseDict(answer, pipeline_spec_pb2.ExecutorOutput())
        assert contract.plain_parameters(read) == {"a": "x", "b": 2}


class TestCacheKey:
    def key(self, task, *, name="examples/3", **parameters):
        return contract.cache_key(task, {"examples": [artifact(Examples, name)]}, {"training_steps": 20, **parameters})

    def test_knows_inputs_parameters_image_and_command(self, spec):
        task = spec.tasks["GanTrainer"]
        before = self.key(task)
        assert self.key(task) == before
        changed = [self.key(task, name="examples/4"), self.key(task, training_steps=21), self.key(task, source="x")]
        for edit in ("image", "args"):
            copy = type(task)(task.name, task.spec, task.component, type(task.executor)())
            copy.executor.CopyFrom(task.executor)
            if edit == "image":
                copy.executor.container.image = "other"
            else:
                copy.executor.container.args.append("--more")
            changed.append(self.key(copy))
        assert len({before, *changed}) == 1 + len(changed)

    def test_a_larger_machine_makes_the_same(self, spec):
        task = spec.tasks["GanTrainer"]
        before = self.key(task)
        copy = type(task)(task.name, task.spec, task.component, type(task.executor)())
        copy.executor.CopyFrom(task.executor)
        copy.executor.container.resources.cpu_limit = 8
        assert self.key(copy) == before


class TestResolvers:
    BLESSED = 'schema_title="tfx.ModelBlessing" AND state=LIVE AND metadata.blessed.number_value=1'
    NAMED = 'schema_title="tfx.Model" AND state=LIVE AND name="{}"'

    def found(self, query, artifacts, this_run=()):
        return [each.mlmd_artifact.name for each in latest(query, artifacts, this_run=set(this_run))]

    def store(self, *blessed):
        """Models m1, m2, ... with their blessings b1, b2, ..., newest first."""
        models = [artifact(Model, f"m{number}") for number, _ in enumerate(blessed, 1)]
        blessings = [
            artifact(ModelBlessing, f"b{number}", blessed=float(each), current_model_id=f"m{number}")
            for number, each in enumerate(blessed, 1)
        ]
        return [each for pair in zip(models, blessings, strict=True) for each in pair][::-1]

    def test_the_queries_that_tfx_compiles(self, spec):
        blessing = spec.tasks["Baseline-model-blessing-resolver"].executor.resolver.output_artifact_queries
        model = spec.tasks["Baseline-model-resolver"].executor.resolver.output_artifact_queries
        assert blessing["model_blessing"].filter == self.BLESSED
        placeholder = "{{$.inputs.artifacts['input'].metadata['current_model_id']}}"
        assert model["model"].filter == self.NAMED.format(placeholder)

    def test_the_latest_blessed(self):
        assert self.found(self.BLESSED, self.store(1, 1, 0)) == ["b2"]
        assert self.found(self.NAMED.format("m2"), self.store(1, 1, 0)) == ["m2"]

    def test_none(self):
        assert self.found(self.BLESSED, []) == []
        assert self.found(self.BLESSED, self.store(0, 0)) == []

    def test_a_model_of_this_run_is_no_baseline_though_an_earlier_run_has_blessed_it(self):
        assert self.found(self.BLESSED, self.store(1, 1), this_run=["m2"]) == ["b1"]

    def test_one_that_was_deleted_is_passed_over(self):
        left = [each for each in self.store(1, 1) if each.mlmd_artifact.name != "m2"]
        assert self.found(self.BLESSED, left) == ["b1"]

    def test_the_latest_of_a_type(self):
        query = 'schema_title="tfx.Model" AND state=LIVE'
        assert self.found(query, self.store(0, 0)) == ["m2"]
        assert self.found(query, self.store(0, 0), this_run=["m2"]) == ["m1"]

    def test_another_question_is_refused(self):
        with pytest.raises(ValueError, match="a resolver asks for a type, a state, a name or metadata; received uri="):
            latest('uri="x"', [], this_run=set())


class TestConditions:
    def decide(self, condition, message, spec):
        task = spec.tasks["GanTrainer"]
        changed = type(task)(task.name, type(task.spec)(), task.component, task.executor)
        changed.spec.trigger_policy.condition = condition
        return holds(changed, message)

    @pytest.mark.parametrize(
        ("condition", "result"),
        [
            ("", True),
            ("(inputs.artifacts['examples'].artifacts[0].metadata['share'] == 0.5)", True),
            ("(inputs.artifacts['examples'].artifacts[0].metadata['count'] == 2.0)", False),
            ("!((inputs.artifacts['examples'].artifacts[0].uri == '/other'))", True),
            ("(inputs.artifacts['examples'].artifacts[0].metadata['count'] > 2.0) && (1.0 < 0.0)", False),
        ],
    )
    def test_what_tfx_compiles(self, message, spec, condition, result):
        assert self.decide(condition, message, spec) is result

    @pytest.mark.parametrize(
        "condition", ["inputs.artifacts['other'].artifacts[0].uri == ''", "1.0 +", "'text'", "inputs.artifacts"]
    )
    def test_what_cannot_be_decided_names_the_task(self, message, spec, condition):
        with pytest.raises(ValueError, match="task GanTrainer has the condition ") as caught:
            self.decide(condition, message, spec)
        assert "\n" not in str(caught.value)


def test_metadata_survives_json(message):
    assert json.loads(json_format.MessageToJson(message))["outputs"]["outputFile"].endswith("executor_output.json")
