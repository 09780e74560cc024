"""TF Serving's gRPC beside Predict: examples, several inferences at once, metadata, states and reloads."""

import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    regression_pb2,
)

from serving import model_config
from tests.serving import saved
from tests.serving.asking import CLASSIFY, REGRESS, Code, predict_request, refused, x


class TestExamples:
    def test_classify(self, client):
        request = classification_pb2.ClassificationRequest()
        request.model_spec.name, request.model_spec.signature_name = "half_plus_two", "classify_x_to_y"
        request.input.example_list.examples.extend([x(1.0), x(2.0)])
        response = client.prediction.Classify(request)
        scores = [[each.score for each in row.classes] for row in response.result.classifications]
        assert scores == [[2.5], [3.0]]
        assert (response.model_spec.version.value, response.model_spec.signature_name) == (1, "classify_x_to_y")

    def test_regress_with_a_context(self, client):
        request = regression_pb2.RegressionRequest()
        request.model_spec.name, request.model_spec.signature_name = "half_plus_two", REGRESS
        request.input.example_list_with_context.context.CopyFrom(x(4.0))
        request.input.example_list_with_context.examples.extend([tf.train.Example()] * 2)
        response = client.prediction.Regress(request)
        assert [each.value for each in response.result.regressions] == [4.0, 4.0]

    def test_without_examples(self, client):
        request = regression_pb2.RegressionRequest()
        request.model_spec.name, request.model_spec.signature_name = "half_plus_two", REGRESS
        assert refused(client.prediction.Regress, request) == (Code.INVALID_ARGUMENT, "Input is empty.")

    def test_a_signature_of_another_kind(self, client):
        request = classification_pb2.ClassificationRequest()
        request.model_spec.name = "many"
        assert refused(client.prediction.Classify, request) == (Code.UNIMPLEMENTED, "Expected one input Tensor.")


class TestMultiInference:
    def ask(self, *tasks: tuple[str, str, str]) -> inference_pb2.MultiInferenceRequest:
        request = inference_pb2.MultiInferenceRequest()
        for name, signature, method in tasks:
            task = request.tasks.add(method_name=method)
            task.model_spec.name, task.model_spec.signature_name = name, signature
        request.input.example_list.examples.append(x(2.0))
        return request

    def test_answers_each_task(self, client):
        request = self.ask(("half_plus_two", REGRESS, REGRESS), ("half_plus_two", "classify_x_to_y", CLASSIFY))
        first, second = client.prediction.MultiInference(request).results
        assert first.regression_result.regressions[0].value == 3.0
        assert second.classification_result.classifications[0].classes[0].score == 3.0
        assert second.model_spec.version.value == 1

    @pytest.mark.parametrize(
        ("tasks", "code", "text"),
        [
            ([], Code.INVALID_ARGUMENT, "ModelSpec has no name specified."),
            ([("m", REGRESS, REGRESS)], Code.NOT_FOUND, "Servable not found for request: Latest(m)"),
            (
                [("half_plus_two", REGRESS, REGRESS), ("", REGRESS, REGRESS)],
                Code.INVALID_ARGUMENT,
                "Found ModelSpec with an empty model name.",
            ),
            (
                [("half_plus_two", REGRESS, REGRESS), ("many", REGRESS, REGRESS)],
                Code.INVALID_ARGUMENT,
                "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
            ),
            (
                [("half_plus_two", REGRESS, REGRESS)] * 2,
                Code.INVALID_ARGUMENT,
                f"Duplicate evaluation of signature: {REGRESS}",
            ),
            (
                [("half_plus_two", "x", REGRESS)],
                Code.INVALID_ARGUMENT,
                "Requested signature not found in model graph: x",
            ),
            (
                [("half_plus_two", REGRESS, "tensorflow/serving/predict")],
                Code.UNIMPLEMENTED,
                "Unsupported signature method_name: tensorflow/serving/predict",
            ),
        ],
    )
    def test_refusals(self, client, tasks, code, text):
        assert refused(client.prediction.MultiInference, self.ask(*tasks)) == (code, text)


class TestMetadata:
    def ask(self, *fields: str) -> get_model_metadata_pb2.GetModelMetadataRequest:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
        request.model_spec.name = "half_plus_two"
        return request

    def test_the_signatures_are_packed(self, client):
        response = client.prediction.GetModelMetadata(self.ask("signature_def"))
        assert (response.model_spec.name, response.model_spec.version.value) == ("half_plus_two", 1)
        packed = response.metadata["signature_def"]
        assert packed.type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
        signatures = get_model_metadata_pb2.SignatureDefMap.FromString(packed.value).signature_def
        assert signatures["serving_default"].inputs["x"].name == "x:0"
        assert signatures["classify_x_to_y"].method_name == CLASSIFY

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ([], "GetModelMetadataRequest must specify at least one metadata_field"),
            (["signature_def", "more"], "Metadata field more is not supported"),
        ],
    )
    def test_refusals(self, client, fields, text):
        answer = refused(client.prediction.GetModelMetadata, self.ask(*fields))
        assert answer == (Code.INVALID_ARGUMENT, text)


class TestModelService:
    def test_status(self, client):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "half_plus_three"
        states = client.models.GetModelStatus(request).model_version_status
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        assert [(each.version, each.state, each.status.error_code) for each in states] == [
            (124, available, 0),
            (123, available, 0),
        ]

    def test_status_of_an_unknown_model(self, client):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "m"
        assert refused(client.models.GetModelStatus, request) == (
            Code.NOT_FOUND,
            "Could not find any versions of model m",
        )

    def test_reload_adds_and_drops_models(self, toys):
        configs = {each.name: each for each in toys.model_config_list.config}

        def only(*names: str) -> model_config.ModelServerConfig:
            config = model_config.ModelServerConfig()
            config.model_config_list.config.extend(configs[name] for name in names)
            return config

        with saved.serving(only("half_plus_two")) as client:
            request = model_management_pb2.ReloadConfigRequest(config=only("half_plus_three"))
            assert client.models.HandleReloadConfigRequest(request).status.error_code == 0
            answer = client.prediction.Predict(predict_request("half_plus_three", x=[1.0]))
            assert list(answer.outputs["y"].float_val) == [4.0]
            gone = refused(client.prediction.Predict, predict_request("half_plus_two", x=[1.0]))
            assert gone == (Code.NOT_FOUND, "Servable not found for request: Latest(half_plus_two)")

    @pytest.mark.parametrize(
        ("change", "code", "text"),
        [
            (
                lambda config: config.model_config_list.config.extend(list(config.model_config_list.config)),
                Code.INVALID_ARGUMENT,
                "Illegal to list model half_plus_two multiple times in config list",
            ),
            (
                lambda config: setattr(config.model_config_list.config[0], "base_path", "models/x"),
                Code.INVALID_ARGUMENT,
                "Expected model half_plus_two to have an absolute path or URI; got base_path()=models/x",
            ),
            (
                lambda config: setattr(config.model_config_list.config[0], "model_platform", ""),
                Code.INVALID_ARGUMENT,
                (
                    "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
                    "ModelServerConfig::model_platform, model name is half_plus_two"
                ),
            ),
            (
                lambda config: setattr(config.model_config_list.config[0], "model_platform", "pytorch"),
                Code.INVALID_ARGUMENT,
                "Model half_plus_two requests unsupported platform pytorch",
            ),
            (
                lambda config: config.model_config_list.config[0].version_labels.update({"stable": 9}),
                Code.FAILED_PRECONDITION,
                (
                    "Request to assign label to version 9 of model half_plus_two, which is not currently available for "
                    "inference"
                ),
            ),
            (
                lambda config: config.Clear(),
                Code.INVALID_ARGUMENT,
                (
                    "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is "
                    "currently "
                    "supported"
                ),
            ),
        ],
    )
    def test_a_reload_that_is_refused_changes_nothing(self, client, toys, change, code, text):
        config = model_config.ModelServerConfig()
        config.CopyFrom(toys)
        change(config)
        request = model_management_pb2.ReloadConfigRequest(config=config)
        assert refused(client.models.HandleReloadConfigRequest, request) == (code, text)
        assert client.prediction.Predict(predict_request("half_plus_two", x=[1.0])).outputs["y"].float_val == [2.5]
        request = predict_request("half_plus_three", x=[1.0])
        request.model_spec.version_label = "stable"
        assert client.prediction.Predict(request).outputs["y"].float_val == [3.5]
