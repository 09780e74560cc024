"""TF Serving's gRPC services over the stubs of tensorflow-serving-api."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    predict_pb2,
)

from tests.serving import saved
from tests.serving.asking import Code, predict_request, refused


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
