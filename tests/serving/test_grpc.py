"""TF Serving's gRPC services over the stubs of tensorflow-serving-api."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from serving import model_config
from tests.serving import saved

Code = grpc.StatusCode
CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def predict_request(name: str, signature: str = "", **inputs) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    for alias, value in inputs.items():
        proto = value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
        request.inputs[alias].CopyFrom(proto)
    return request


def x(*values: float) -> tf.train.Example:
    return tf.train.Example(
        features=tf.train.Features(feature={"x": tf.train.Feature(float_list=tf.train.FloatList(value=values))})
    )


def refused(call, request) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=30)
    return caught.value.code(), caught.value.details()


class TestPredict:
    def test_answers_in_the_typed_field_and_echoes_the_spec(self, client):
        response = client.prediction.Predict(predict_request("half_plus_three", x=[1.0, 2.0, 5.0]))
        assert list(response.outputs["y"].float_val) == [4.0, 4.5, 6.0]
        assert response.outputs["y"].tensor_shape.dim[0].size == 3
        spec = response.model_spec
        assert (spec.name, spec.version.value, spec.signature_name) == ("half_plus_three", 124, "serving_default")

    def test_a_version_or_its_label(self, client):
        request = predict_request("half_plus_three", x=[1.0])
        request.model_spec.version.value = 123
        by_number = client.prediction.Predict(request)
        request.model_spec.version_label = "stable"
        by_label = client.prediction.Predict(request)
        assert by_number == by_label
        assert by_label.model_spec.version.value == 123
        assert by_label.model_spec.WhichOneof("version_choice") == "version"

    def test_the_output_filter(self, client):
        request = predict_request(
            "many", tag=[b"a"], signal=np.ones([1, 3], np.float32), sensor=np.ones([1, 2, 2], np.int32)
        )
        assert set(client.prediction.Predict(request).outputs) == {"tag", "total", "trace"}
        request.output_filter.extend(["trace", "tag"])
        response = client.prediction.Predict(request)
        assert set(response.outputs) == {"tag", "trace"}
        assert list(response.outputs["trace"].int_val) == [2]
        assert list(response.outputs["tag"].string_val) == [b"a"]

    def test_every_type_comes_back(self, client):
        inputs = {name: np.array([1, 0], kind.as_numpy_dtype) for name, kind in saved.TYPES.items() if name != "string"}
        inputs["string"] = np.array([b"\xff\x00", b""], object)
        response = client.prediction.Predict(predict_request("many", "types", **inputs))
        for name, sent in inputs.items():
            assert response.outputs[name].dtype == saved.TYPES[name].as_datatype_enum
            np.testing.assert_array_equal(tf.make_ndarray(response.outputs[name]), sent)

    @pytest.mark.parametrize(
        "proto",
        [
            tensor_pb2.TensorProto(dtype=1, float_val=[1.0, 2.0], tensor_shape={"dim": [{"size": 2}]}),
            tensor_pb2.TensorProto(
                dtype=1, tensor_content=np.array([1, 2], "f").tobytes(), tensor_shape={"dim": [{"size": 2}]}
            ),
        ],
    )
    def test_reads_either_encoding(self, client, proto):
        response = client.prediction.Predict(predict_request("half_plus_two", x=proto))
        assert list(response.outputs["y"].float_val) == [2.5, 3.0]

    def test_one_value_fills_a_tensor(self, client):
        proto = tensor_pb2.TensorProto(dtype=1, float_val=[1.0], tensor_shape={"dim": [{"size": 3}]})
        response = client.prediction.Predict(predict_request("half_plus_two", x=proto))
        assert list(response.outputs["y"].float_val) == [2.5] * 3

    def test_a_half_float_comes_as_content(self, client):
        response = client.prediction.Predict(predict_request("many", "half", x=[1.5]))
        np.testing.assert_array_equal(tf.make_ndarray(response.outputs["y"]), np.array([1.5], np.float16))

    def test_a_scalar(self, client):
        response = client.prediction.Predict(predict_request("many", "total", x=[1.5, 2.0]))
        assert tf.make_ndarray(response.outputs["y"]) == 3.5

    def test_tensor_content_where_it_is_wanted(self, toys):
        with saved.serving(toys, limits={"tensor_content": True}) as client:
            response = client.prediction.Predict(predict_request("half_plus_two", x=[1.0]))
        assert response.outputs["y"].tensor_content == np.array([2.5], np.float32).tobytes()

    @pytest.mark.parametrize(
        ("request_", "code", "text"),
        [
            (predict_pb2.PredictRequest(), Code.INVALID_ARGUMENT, "Missing ModelSpec"),
            (predict_request("", x=[1.0]), Code.INVALID_ARGUMENT, "ModelSpec has no name specified."),
            (predict_request("m", x=[1.0]), Code.NOT_FOUND, "Servable not found for request: Latest(m)"),
            (
                predict_request("half_plus_two", "x", x=[1.0]),
                Code.FAILED_PRECONDITION,
                'Serving signature key "x" not found.',
            ),
            (
                predict_request("half_plus_two", x=[1.0], z=[1.0]),
                Code.INVALID_ARGUMENT,
                (
                    "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but "
                    "required: {}."
                ),
            ),
            (
                predict_request("half_plus_two"),
                Code.INVALID_ARGUMENT,
                (
                    "input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. Missing but "
                    "required: "
                    "{x}."
                ),
            ),
            (
                predict_request("half_plus_two", z=[1.0]),
                Code.INVALID_ARGUMENT,
                (
                    "Signature input alias: x(feed name: x:0) not found in request and no default value provided. "
                    "Inputs "
                    "expected to be in the request {z}, or default input alias set: "
                ),
            ),
            (
                predict_request("half_plus_two", x=tensor_pb2.TensorProto(dtype=1, tensor_content=b"abc")),
                Code.INVALID_ARGUMENT,
                "tensor parsing error: x",
            ),
            (
                predict_request("half_plus_two", x=tensor_pb2.TensorProto()),
                Code.INVALID_ARGUMENT,
                "tensor parsing error: x",
            ),
            (
                predict_request("half_plus_two", x=tensor_pb2.TensorProto(dtype=types_pb2.DT_VARIANT)),
                Code.INVALID_ARGUMENT,
                "tensor parsing error: x",
            ),
            (
                predict_request("half_plus_two", x=np.zeros(101, np.float32)),
                Code.INVALID_ARGUMENT,
                "Task size 101 is larger than maximum input batch size 100",
            ),
        ],
    )
    def test_refusals(self, client, request_, code, text):
        assert refused(client.prediction.Predict, request_) == (code, text)

    @pytest.mark.parametrize(
        "sizes", [[10**12], [2**62, 4], [-1], [1] * 300, [0, 2**62, 2**62], [2**63 - 1, 2**63 - 1]]
    )
    def test_a_shape_without_its_values(self, client, sizes):
        proto = tensor_pb2.TensorProto(dtype=1, tensor_shape={"dim": [{"size": size} for size in sizes]})
        request = predict_request("half_plus_two", x=proto)
        assert refused(client.prediction.Predict, request) == (Code.INVALID_ARGUMENT, "tensor parsing error: x")

    def test_a_string_that_is_to_be_repeated_beyond_the_limit(self, client):
        proto = tensor_pb2.TensorProto(
            dtype=types_pb2.DT_STRING, string_val=[b"a", b"b" * 1000], tensor_shape={"dim": [{"size": 90}]}
        )
        sent = predict_request("many", "bytes", text=proto)
        upper = client.prediction.Predict(sent).outputs["upper"].string_val
        assert list(upper) == [b"A"] + [b"B" * 1000] * 89
        proto.tensor_shape.dim.add().size = 100
        sent = predict_request("many", "bytes", text=proto)
        assert refused(client.prediction.Predict, sent) == (Code.INVALID_ARGUMENT, "tensor parsing error: text")

    def test_a_wrong_type(self, client):
        request = predict_request("half_plus_two", x=np.array([1.0], np.float64))
        code, text = refused(client.prediction.Predict, request)
        assert code == Code.INVALID_ARGUMENT
        assert "double" in text

    def test_output_filters_that_do_not_fit(self, client):
        request = predict_request("half_plus_two", x=[1.0])
        request.output_filter.append("z")
        assert refused(client.prediction.Predict, request) == (
            Code.INVALID_ARGUMENT,
            "output tensor alias not found in signature: z Outputs expected to be in the set {y}.",
        )
        request.output_filter[:] = ["y", "y"]
        assert refused(client.prediction.Predict, request)[1] == "duplicate output tensor alias: y"

    def test_a_message_over_the_limit(self, client):
        request = predict_request("half_plus_two", x=np.zeros(300_000, np.float32))
        assert refused(client.prediction.Predict, request)[0] == Code.RESOURCE_EXHAUSTED

    def test_a_long_message_is_cut(self, client):
        request = predict_request("half_plus_two", "s" * 3000, x=[1.0])
        text = refused(client.prediction.Predict, request)[1]
        assert text.endswith("...TRUNCATED")
        assert len(text) == 1024 + len("...TRUNCATED")


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
