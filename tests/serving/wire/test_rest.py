"""TF Serving's REST API: statuses, texts and formats as its documentation and its own tests have them."""

import json
import math

import numpy as np
import pytest
import requests

from tests.serving.asking import MANY, REGRESS, THREE, TWO, many


class TestDocumentedExamples:
    """Those of TF Serving's REST page, sent by `requests`."""

    @pytest.fixture
    def url(self, client):
        return f"http://127.0.0.1:{client.server.rest_port}/v1/models/half_plus_three/versions/123"

    def test_status(self, url):
        answer = requests.get(url, timeout=10)
        assert answer.json() == {
            "model_version_status": [
                {"version": "123", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
            ]
        }

    def test_predict(self, url):
        answer = requests.post(f"{url}:predict", data='{"instances": [1.0,2.0,5.0]}', timeout=10)
        assert answer.json() == {"predictions": [3.5, 4.0, 5.5]}

    def test_regress(self, url):
        body = {"signature_name": REGRESS, "examples": [{"x": 1.0}, {"x": 2.0}]}
        assert requests.post(f"{url}:regress", json=body, timeout=10).json() == {"results": [3.5, 4.0]}

    def test_an_unknown_model(self, client):
        url = f"http://127.0.0.1:{client.server.rest_port}/v1/models/half:predict"
        answer = requests.post(url, data='{"instances": [1.0,5.0]}', timeout=10)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"error": "Servable not found for request: Latest(half)"}

    def test_three_named_inputs_in_rows(self, client):
        instances = [
            {"tag": "foo", "signal": [1, 2, 3], "sensor": [[1, 2], [3, 4]]},
            {"tag": "bar", "signal": [3, 4, 1], "sensor": [[4, 5], [6, 8]]},
        ]
        assert client.post(f"{MANY}:predict", {"instances": instances}).json() == {
            "predictions": [{"tag": "foo", "total": 6.0, "trace": 5}, {"tag": "bar", "total": 8.0, "trace": 12}]
        }

    def test_three_named_inputs_in_columns(self, client):
        inputs = {
            "tag": ["foo", "bar"],
            "signal": [[1, 2, 3], [3, 4, 1]],
            "sensor": [[[1, 2], [3, 4]], [[4, 5], [6, 8]]],
        }
        assert client.post(f"{MANY}:predict", {"inputs": inputs}).json() == {
            "outputs": {"tag": ["foo", "bar"], "total": [6.0, 8.0], "trace": [5, 12]}
        }


class TestPredict:
    @pytest.mark.parametrize(
        ("path", "added"),
        [
            (f"{TWO}", 2),
            (f"{TWO}/versions/1", 2),
            (f"{THREE}", 3.5),
            (f"{THREE}/versions/123", 3),
            (f"{THREE}/versions/000124", 3.5),
            (f"{THREE}/labels/stable", 3),
            (f"{THREE}/labels/canary", 3.5),
        ],
    )
    def test_finds_the_version(self, client, path, added):
        assert client.post(f"{path}:predict", {"instances": [1.0]}).json() == {"predictions": [0.5 + added]}

    @pytest.mark.parametrize(
        ("body", "answer"),
        [
            ({"instances": [[1.0, 2.0], [3.0, 4.0]]}, {"predictions": [[2.5, 3.0], [3.5, 4.0]]}),
            ({"inputs": [3.0, 4.0]}, {"outputs": [3.5, 4.0]}),
            ({"inputs": 3.0}, {"outputs": 3.5}),
            ({"inputs": {"x": [3.0]}}, {"outputs": [3.5]}),
            ({"instances": [{"x": 1}, {"x": [2]}][:1]}, {"predictions": [2.5]}),
            ({"instances": [{"x": [1]}, {"x": [2]}]}, {"predictions": [[2.5], [3.0]]}),
            ({"signature_name": "serving_default", "instances": [0]}, {"predictions": [2.0]}),
            ({"inputs": []}, {"outputs": []}),
            ({"inputs": [], "something": {"else": [1]}}, {"outputs": []}),
        ],
    )
    def test_formats(self, client, body, answer):
        response = client.post(f"{TWO}:predict", body)
        assert (response.status_code, response.json()) == (200, answer)

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
    def test_tokens_of_floats_go_in_and_out(self, client, number):
        answer = client.post(f"{TWO}:predict", f'{{"instances": [{number}, 1e38]}}')
        assert f'"predictions": [{number}, ' in answer.text
        np.testing.assert_equal(json.loads(answer.text)["predictions"][0], float(number))

    def test_what_follows_the_object_is_not_looked_at(self, client):
        assert client.post(f"{TWO}:predict", '{"instances": [1]}X').json() == {"predictions": [2.5]}

    def test_a_byte_order_mark_is_skipped(self, client):
        assert client.post(f"{TWO}:predict", b'\xef\xbb\xbf {"instances": [1]}').json() == {"predictions": [2.5]}

    def test_a_double_too_large_for_a_float_is_infinite(self, client):
        assert client.post(f"{TWO}:predict", '{"instances": [1e300]}').json() == {"predictions": [math.inf]}

    def test_floats_are_written_as_shortly_as_they_can_be(self, client):
        x = [0.1, 1 / 3, 1e-7, 123456.789, 3.4e38, -2.5e-12]
        text = client.post(f"{MANY}:predict", many("any_shape", instances=x)).text
        expected = [np.float32(each) + np.float32(1) for each in x]
        written = text.removeprefix('{"predictions": [').removesuffix("]}").split(", ")
        assert [np.float32(each) for each in written] == expected
        assert written[0] == "1.1"
        assert all(len(each) <= 13 for each in written if "e" not in each)

    def test_every_type_comes_back(self, client):
        row = {
            "int8": -128,
            "int16": 32767,
            "int32": -(2**31),
            "int64": 2**63 - 1,
            "uint8": 255,
            "uint32": 2**32 - 1,
            "uint64": 2**64 - 1,
            "float": 0.5,
            "double": 0.1,
            "bool": True,
            "string": "é\u0000",
        }
        answer = client.post(f"{MANY}:predict", many("types", instances=[row]))
        assert answer.json() == {"predictions": [row]}

    def test_bytes_in_and_out(self, client):
        body = many("bytes", instances=[{"b64": "YWJj"}, "d", {"b64": "Zg"}])
        assert client.post(f"{MANY}:predict", body).json()["predictions"] == [
            {"upper": "ABC", "upper_bytes": {"b64": "QUJD"}},
            {"upper": "D", "upper_bytes": {"b64": "RA=="}},
            {"upper": "F", "upper_bytes": {"b64": "Rg=="}},
        ]

    def test_bytes_alone_in_columns(self, client):
        body = many("bytes", inputs={"b64": "YWJj"})
        assert client.post(f"{MANY}:predict", body).json()["outputs"]["upper"] == "ABC"
