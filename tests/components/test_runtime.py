"""What a compiled pipeline is told when it starts, and what its check before the cache finds."""

import json

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from components.example_gen import driver
from components.example_gen.sources.source import fingerprint
from components.runtime import data_of, experiment_of
from models.config import Images, Unpaired
from pipeline.experiments.named import TINY
from tests.components.images import write_classes


class TestExperiment:
    def of(self, **properties):
        return experiment_of({"experiment": TINY.to_json(), **properties})

    def test_without_any_it_is_what_was_compiled(self):
        assert self.of() == TINY

    @pytest.mark.parametrize("steps", [7, 7.0, "7"])
    def test_steps_in_any_form_that_a_cluster_gives(self, steps):
        assert self.of(training_steps=steps).training.steps == 7

    def test_thresholds_replace_all_that_were_there(self):
        found = self.of(thresholds='{"recall": {"at_least": 0.5}}').evaluation.thresholds
        assert {name: each.at_least for name, each in found.items()} == {"recall": 0.5}

    def test_a_source_is_a_text_though_it_reads_as_json(self):
        assert self.of(data_source="7").data.source == "7"

    @pytest.mark.parametrize(
        ("properties", "message"),
        [
            ({"training_steps": 0}, "training.steps: input should be greater than 0; received 0"),
            ({"training_steps": 2.5}, "training.steps: .*received 2.5"),
            ({"thresholds": "none"}, "evaluation.thresholds: .*received 'none'"),
            ({"thresholds": '{"recal": {"at_least": 1}}'}, "recal"),
        ],
    )
    def test_refused_in_one_line(self, properties, message):
        with pytest.raises(ValueError, match=message) as caught:
            self.of(**properties)
        assert "\n" not in str(caught.value)


class TestData:
    DATA = json.dumps({"source": "digits", "eval_share": 0.3})

    def test_the_source_alone_is_replaced(self):
        data = data_of({"data": self.DATA, "data_source": "idx:somewhere"})
        assert (data.source, data.eval_share) == ("idx:somewhere", 0.3)
        assert data_of({"data": self.DATA}).source == "digits"

    def test_of_two_domains_it_is_that_of_the_first(self):
        data = Unpaired(input=Images(source="idx:a"), target=Images(source="idx:b"))
        found = data_of({"data": json.dumps(data.essential()), "data_source": "idx:c"})
        assert found.sources == ("idx:c", "idx:b")

    def test_another_kind_is_refused(self):
        with pytest.raises(
            ValueError, match=r"compiled for digits takes .* mixture:ring is for data\.name=points, .*; compile it anew"
        ):
            data_of({"data": self.DATA, "data_source": "mixture:ring"})

    def test_a_source_that_is_none_is_refused_in_one_line(self):
        with pytest.raises(ValueError, match="source: rng is no mixture") as caught:
            data_of({"data": '{"name": "points"}', "data_source": "mixture:rng"})
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["2.0", "2.1"])
class TestDriver:
    def look(self, source, tmp_path, spec):
        """Runs it as a cluster does; what it wrote."""
        given = {"data": json.dumps({"source": "digits"}), "data_source": source, "fingerprint": "", "source": "code"}
        task = pipeline_spec_pb2.ExecutorInput()
        task.outputs.output_file = str(tmp_path / "task" / "executor_output.json")
        inputs = pipeline_spec_pb2.ComponentInputsSpec()
        for name, value in given.items():
            parameters = task.inputs.parameter_values if spec == "2.1" else task.inputs.parameters
            parameters[name].string_value = value
            inputs.parameters[name].parameter_type = pipeline_spec_pb2.ParameterType.STRING
        arguments = ["driver", "--json_serialized_invocation_args", json_format.MessageToJson(task)]
        if spec == "2.1":
            arguments += ["--json_serialized_inputs_spec_args", json_format.MessageToJson(inputs)]
        driver.main(driver._parse_flags(arguments))
        text = (tmp_path / "task" / "executor_output.json").read_text()
        output = json_format.Parse(text, pipeline_spec_pb2.ExecutorOutput())
        found = output.parameter_values if spec == "2.1" else output.parameters
        return {name: value.string_value for name, value in found.items()}

    def test_finds_the_fingerprint_of_the_source_that_the_run_was_given(self, spec, tmp_path):
        write_classes(tmp_path / "images", {"a": 3, "b": 2})
        source = f"folder:{tmp_path / 'images'}"
        before = self.look(source, tmp_path, spec)
        assert before == {"fingerprint": fingerprint(source)}
        next((tmp_path / "images" / "a").iterdir()).unlink()
        after = self.look(source, tmp_path, spec)
        assert after == {"fingerprint": fingerprint(source)}
        assert after != before

    def test_a_source_that_is_missing_is_refused(self, spec, tmp_path):
        with pytest.raises(ValueError, match="nowhere"):
            self.look(f"folder:{tmp_path / 'nowhere'}", tmp_path, spec)
