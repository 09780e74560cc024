"""TF Serving's REST API beside a prediction: what it refuses, classify and regress, states, metadata, operations."""

import json

import pytest

from tests.serving.asking import MANY, REGRESS, THREE, TWO, many

PREDICT_ERRORS = [
    ("", "JSON Parse error: The document is empty"),
    ("  ", "JSON Parse error: The document is empty. at offset: 2"),
    ("instances = [1, 2]", "JSON Parse error: Invalid value. at offset: 0"),
    ('{"instances": [1', "JSON Parse error: Missing a comma or ] after an array element. at offset: 16"),
    ('{"instances": [1 "a"', "JSON Parse error: Missing a comma or ] after an array element. at offset: 17"),
    ('{"instances": 1 "a"', "JSON Parse error: Missing a comma or } after an object member. at offset: 16"),
    ('{"instances" [1]}', "JSON Parse error: Missing a colon after a name of object member. at offset: 13"),
    ("{instances: [1]}", "JSON Parse error: Missing a name for object member. at offset: 1"),
    ('{"instances": "a', "JSON Parse error: Missing a closing quotation mark in string. at offset: 14"),
    ('{"instances": "\\x"}', "JSON Parse error: Invalid escape character in string. at offset: 15"),
    ('{"instances": "\\u00g0"}', "JSON Parse error: Incorrect hex digit after \\u escape in string. at offset: 16"),
    ('{"instances": ["\\ud800"]}', "JSON Parse error: The surrogate pair in string is invalid."),
    (b'{"instances": "\xff"}', "JSON Parse error: Invalid encoding in string. at offset: 15"),
    ('{"instances": [1e400]}', "JSON Parse error: Number too big to be stored in double."),
    (f'{{"instances": [{"9" * 400}]}}', "JSON Parse error: Number too big to be stored in double."),
    (f'{{"instances": [{"9" * 5000}]}}', "JSON Parse error: Number too big to be stored in double."),
    ('{"instances": [1], "nested":' + "[" * 500_000, "JSON Parse error: The document is nested too deeply."),
    ("[1, 2]", "JSON Value: [1, 2] Is not object"),
    ("{}", "Missing 'inputs' or 'instances' key"),
    (
        '{"signature_name": 100}',
        (
            'JSON Value: {\n    "signature_name": 100\n} not formatted correctly. '
            "'signature_name' key must be a string value."
        ),
    ),
    (
        '{"signature_name": "x", "instances": [1]}',
        'Serving signature name: "x" not found in signature def',
    ),
    (
        '{"instances": [1], "inputs": [1]}',
        (
            'JSON Value: {\n    "instances": [1],\n    "inputs": [1]\n} Not formatted correctly expecting only one of '
            "'inputs' or 'instances' keys to exist "
        ),
    ),
    ('{"instances": 1}', "JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array"),
    ('{"instances": []}', "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array"),
    (
        '{"instances": ["x", "y"]}',
        (
            "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: \"x\" "
            "Type: String is "
            "not of expected type: float"
        ),
    ),
    (
        '{"instances": [1, true]}',
        (
            "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: true Type: True is "
            "not of expected type: float"
        ),
    ),
    (
        '{"instances": [null]}',
        (
            "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: null Type: Null is "
            "not of expected type: float"
        ),
    ),
    (
        '{"instances": [[1, 2], [3]]}',
        (
            "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor "
            "size: 2 but got: "
            "1"
        ),
    ),
    (
        '{"instances": [[[1, 2]], [[3], [4]]]}',
        (
            "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [1,2] but got: "
            "[2,1]"
        ),
    ),
    (
        '{"instances": [[[1, 2], [3]]]}',
        (
            "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: Encountered list at unexpected "
            "size: 1 at level: 1 expected size: 2"
        ),
    ),
    (
        '{"instances": [[1, [2]]]}',
        (
            "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: Encountered list at unexpected "
            "level: 1 expected < 1"
        ),
    ),
    (
        '{"instances": [[[1], 2]]}',
        (
            "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 2 found "
            "at incorrect "
            "level: 2 in the JSON DOM. Expected at level: 2"
        ),
    ),
    ('{"instances": [1, {"x": 1}]}', "Expecting value/list but got object at item 1 of input list"),
    ('{"instances": [{"x": 1}, 1]}', "Expecting object but got list at item 1 of input list"),
    (
        '{"instances": [{"y": 1}]}',
        (
            "Failed to process element: 0 key: y of 'instances' list. Error: INVALID_ARGUMENT: JSON object: "
            "does not have "
            "named input: y"
        ),
    ),
    (
        '{"instances": [{"x": "a"}]}',
        (
            "Failed to process element: 0 key: x of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: \"a\" Type: "
            "String is not of expected type: float"
        ),
    ),
    (
        '{"instances": [{}]}',
        "Failed to process element: 0 of 'instances' list. JSON object: {} keys must be equal to: x",
    ),
    ('{"inputs": {"y": [1]}}', "Missing named input: x in 'inputs' object."),
    ('{"inputs": ["a"]}', 'JSON Value: "a" Type: String is not of expected type: float'),
    ('{"inputs": {"b64": "YQ=="}}', 'JSON Value: {\n    "b64": "YQ=="\n} Type: Object is not of expected type: float'),
    ('{"inputs": ' + "[" * 70 + "]" * 70 + "}", "a tensor has at most 64 dimensions; received 70"),
    ('{"inputs": ' + json.dumps([0] * 101) + "}", "Task size 101 is larger than maximum input batch size 100"),
]

MANY_ERRORS = [
    (
        {"instances": [1]},
        (
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        ),
    ),
    (
        {"inputs": [1]},
        (
            "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
            "tensorinfo_map"
        ),
    ),
    (
        {"instances": [{"tag": "a"}]},
        (
            'Failed to process element: 0 of \'instances\' list. JSON object: {\n    "tag": "a"\n} keys '
            "must be equal to: "
            "sensor,signal,tag"
        ),
    ),
    (many("look_up", inputs=[1.0]), "JSON Value: 1.0 Type: Number is not of expected type: int64"),
    (many("look_up", inputs=[2**63]), f"JSON Value: {2**63} Type: Number is not of expected type: int64"),
    (many("bytes", inputs=[{"b64": "?"}]), "Unable to base64 decode"),
    (
        many("bytes", inputs=[{"b65": "YQ=="}]),
        'JSON Value: {\n    "b65": "YQ=="\n} not formatted correctly for base64 data',
    ),
    (many("bytes", inputs=[1]), "JSON Value: 1 Type: Number is not of expected type: string"),
    (many("half", inputs=[1]), "Failed to write JSON value for tensor type: float16"),
    (many("total", instances=[1]), "Tensor name: y has no shape information "),
    (many("bytes", inputs=[{"b64": "/w=="}]), "Failed to write JSON value for tensor type: string"),
    (many("__saved_model_init_op", inputs={}), "Failed to get input map for signature: __saved_model_init_op"),
]


class TestRefusals:
    @pytest.mark.parametrize(("body", "text"), PREDICT_ERRORS, ids=lambda each: str(each)[:40])
    def test_predict(self, client, body, text):
        answer = client.post(f"{TWO}:predict", body)
        assert (answer.status_code, answer.json()) == (400, {"error": text})

    @pytest.mark.parametrize(("body", "text"), MANY_ERRORS, ids=lambda each: str(each)[:40])
    def test_predict_of_many_types(self, client, body, text):
        answer = client.post(f"{MANY}:predict", body)
        assert (answer.status_code, answer.json()) == (400, {"error": text})

    def test_a_long_value_is_cut(self, client):
        text = client.post(f"{TWO}:predict", {"instances": "a" * 10_000}).json()["error"]
        assert text.startswith('JSON Value: {\n    "instances": "aaa')
        assert len(text) < 400

    def test_the_model_refuses(self, client):
        answer = client.post(f"{MANY}:predict", many("look_up", instances=[7]))
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("indices[0] = 7 is not in [0, 3)")

    @pytest.mark.parametrize(
        ("method", "path", "status", "text"),
        [
            ("POST", f"{TWO}/versions/2:predict", 404, "Servable not found for request: Specific(half_plus_two, 2)"),
            ("POST", f"{TWO}/labels/stable:predict", 400, "Unrecognized servable version label: stable"),
            ("POST", f"{TWO}/versions/a:predict", 400, f"Malformed request: POST {TWO}/versions/a:predict"),
            ("POST", f"{TWO}:guess", 400, f"Malformed request: POST {TWO}:guess"),
            ("POST", TWO, 400, f"Malformed request: POST {TWO}"),
            ("GET", f"{TWO}:predict", 400, f"Malformed request: GET {TWO}:predict"),
            ("PUT", f"{TWO}:predict", 400, f"Malformed request: PUT {TWO}:predict"),
            ("GET", f"{TWO}/", 400, f"Malformed request: GET {TWO}/"),
            ("GET", f"{TWO}/metadata/x", 400, f"Malformed request: GET {TWO}/metadata/x"),
            ("GET", "/v1/nothing", 400, "Malformed request: GET /v1/nothing"),
            ("GET", "/v1/models", 400, "Missing model name in request."),
            ("GET", f"{TWO}/versions/{2**63}", 400, f"Failed to convert version: {2**63} to numeric."),
            ("GET", "/v1/models/none", 404, "Could not find any versions of model none"),
            ("GET", f"{TWO}/versions/9", 404, "Could not find version 9 of model half_plus_two"),
            ("GET", f"{TWO}/labels/x", 400, "Unrecognized servable version label: x"),
            ("GET", "/v1/models/none/metadata", 404, "Servable not found for request: Latest(none)"),
            ("GET", "/elsewhere", 404, "Not Found"),
            ("POST", "/healthz", 405, "Method Not Allowed"),
        ],
    )
    def test_paths(self, client, method, path, status, text):
        answer = client.http.request(method, path, content=b'{"instances": [1]}' if method == "POST" else None)
        assert (answer.status_code, answer.json()) == (status, {"error": text})

    @pytest.mark.parametrize(
        "name", ["..", "../../etc/passwd", "..%2F..%2Fetc%2Fpasswd", "%2e%2e%2fmany", "many/../../x", "%00", "é"]
    )
    def test_a_name_is_never_a_path(self, client, name):
        for path in (f"/v1/models/{name}:predict", f"/v1/models/{name}/versions/1:predict"):
            answer = client.post(path, {"instances": [1]})
            assert answer.status_code in (400, 404)
            assert "root:" not in answer.text


class TestClassifyAndRegress:
    def test_classify(self, client):
        body = {"signature_name": "classify_x_to_y", "examples": [{"x": 20.0}, {"x": [1.0]}]}
        assert client.post(f"{TWO}:classify", body).json() == {"results": [[["", 12.0]], [["", 2.5]]]}

    def test_labels_and_scores_of_a_model_of_tensorflow_2(self, client):
        body = many("classes", examples=[{"x": 1}])
        assert client.post(f"{MANY}:classify", body).json() == {"results": [[["cat", 0.25], ["dog", 0.75]]]}

    def test_a_context_is_shared(self, client):
        body = {"signature_name": REGRESS, "context": {"x": 2.0}, "examples": [{}, {}]}
        assert client.post(f"{TWO}:regress", body).json() == {"results": [3.0, 3.0]}

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ({}, "JSON Value: {} When method is classify, key 'examples' is expected and was not found"),
            (
                {"examples": 1},
                "JSON Value: {\n    \"examples\": 1\n} Expecting 'examples' value to be an list/array",
            ),
            ({"examples": []}, "JSON Value: {\n    \"examples\": []\n} 'examples' value is an empty array"),
            ({"examples": [1]}, "Example must be JSON object but got JSON Number"),
            ({"context": [], "examples": [{}]}, "Example must be JSON object but got JSON Array"),
            ({"examples": [{"n": None}]}, "Feature: n has element with unexpected JSON type: Null"),
            ({"examples": [{"n": [[1]]}]}, "Feature: n has element with unexpected JSON type: Array"),
            ({"examples": [{"n": {"a": 1}}]}, "Feature: n has element with unexpected JSON type: Object"),
            ({"examples": [{"n": [1, "a"]}]}, "Unexpected element type in feature: n expecting type: int64"),
            ({"examples": [{"n": ["a", 1.5]}]}, "Unexpected element type in feature: n expecting type: bytes"),
            ({"examples": [{"n": [1.5, True]}]}, "Unexpected element type in feature: n expecting type: float"),
            ({"examples": [{"n": 2**64 - 1}]}, "Feature: n has uint64_t element. Only int64_t is supported."),
            (many("x", examples=[{}]), "No signature was found with the name: x"),
        ],
    )
    def test_refusals(self, client, body, text):
        for api in ("classify", "regress"):
            answer = client.post(f"{TWO}:{api}", body)
            assert (answer.status_code, answer.json()) == (400, {"error": text})

    @pytest.mark.parametrize(
        ("path", "signature", "text"),
        [
            (f"{TWO}:classify", "serving_default", "No classification inputs found in SignatureDef: "),
            (f"{TWO}:regress", "serving_default", "No regression inputs found in SignatureDef: "),
            (f"{TWO}:regress", "classify_x_to_y", "No regression outputs found in SignatureDef: "),
            (f"{TWO}:classify", REGRESS, "Expected classification signature outputs to contain at least one of "),
            (f"{MANY}:classify", "serving_default", "Expected one input Tensor."),
            (f"{MANY}:regress", "classes", "Expected one output Tensor."),
        ],
    )
    def test_a_signature_of_another_kind(self, client, path, signature, text):
        answer = client.post(path, many(signature, examples=[{"x": 1.0}]))
        assert answer.status_code == 501
        assert answer.json()["error"].startswith(text)


class TestStatusAndMetadata:
    def test_all_versions_the_newest_first(self, client):
        versions = client.http.get(THREE).json()["model_version_status"]
        assert [each["version"] for each in versions] == ["124", "123"]

    def test_the_version_of_a_label(self, client):
        versions = client.http.get(f"{THREE}/labels/stable").json()["model_version_status"]
        assert [each["version"] for each in versions] == ["123"]

    @pytest.mark.parametrize("path", [TWO, f"{TWO}/versions/1"])
    def test_metadata(self, client, path):
        answer = client.http.get(f"{path}/metadata").json()
        assert answer["model_spec"] == {"name": "half_plus_two", "signature_name": "", "version": "1"}
        signatures = answer["metadata"]["signature_def"]["signature_def"]
        shape = {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": False}
        assert signatures["serving_default"] == {
            "inputs": {"x": {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": "x:0"}},
            "outputs": {"y": {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": "y:0"}},
            "method_name": "tensorflow/serving/predict",
            "defaults": {},
        }
        assert set(signatures) == {"serving_default", REGRESS, "classify_x_to_y"}


class TestOperations:
    def test_health(self, client):
        assert client.http.get("/healthz").json() == {"status": "alive"}
        assert client.http.get("/readyz").json() == {"status": "ready"}

    def test_metrics_have_the_original_names(self, client):
        client.post(f"{TWO}:predict", {"instances": [1]})
        text = client.http.get("/monitoring/prometheus/metrics").text
        for name in (
            ':tensorflow:serving:request_count{model_name="half_plus_two",status="OK"} ',
            ':tensorflow:serving:request_latency_bucket{API="predict",entrypoint="REST",le="10.0",',
            ':tensorflow:serving:runtime_latency_count{API="Predict",model_name="half_plus_two",runtime="TF1"} ',
            'ganworks:serving:model_available{model_name="half_plus_three",version="124"} 1.0',
        ):
            assert f"\n{name}" in text

    def test_a_name_that_nobody_configured_makes_no_time_series(self, client):
        client.post("/v1/models/invented_by_a_client:predict", {"instances": [1]})
        assert "invented_by_a_client" not in client.http.get("/monitoring/prometheus/metrics").text

    def test_the_openapi_names_every_route(self, client):
        paths = client.http.get("/openapi.json").json()["paths"]
        assert list(paths["/monitoring/prometheus/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
        for place in ("", "/versions/{version}", "/labels/{label}"):
            for route in (":predict", ":classify", ":regress", "", "/metadata"):
                operations = paths[f"/v1/models/{{model}}{place}{route}"]
                (operation,) = operations.values()
                assert ("requestBody" in operation) == route.startswith(":")
