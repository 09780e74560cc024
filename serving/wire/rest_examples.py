"""The JSON of a classify or regress request as tf.Examples."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from serving.wire.errors import invalid
from serving.wire.rest_errors import kind
from serving.wire.rest_requests import decoded, is_base64, unfit


def examples(document: Mapping[str, Any]) -> input_pb2.Input:
    """The tf.Examples of a classify or regress request.

    Raises:
        ServingError: INVALID_ARGUMENT, there are none, or a value is no feature.
    """
    given = input_pb2.Input()
    rows = given.example_list.examples
    if "context" in document:
        _fill(document["context"], given.example_list_with_context.context)
        rows = given.example_list_with_context.examples
    if "examples" not in document:
        raise unfit(document, "When method is classify, key 'examples' is expected and was not found")
    if not isinstance(document["examples"], list):
        raise unfit(document, "Expecting 'examples' value to be an list/array")
    if not document["examples"]:
        raise unfit(document, "'examples' value is an empty array")
    for each in document["examples"]:
        _fill(each, rows.add())
    return given


def _fill(value: Any, example: tf.train.Example) -> None:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {kind(value)}")
    for name, content in value.items():
        feature = example.features.feature[name]
        for each in content if isinstance(content, list) else [content]:
            _add(feature, name, each)


def _add(feature: tf.train.Feature, name: str, value: Any) -> None:
    item: Any
    if isinstance(value, str) or is_base64(value):
        field, item = "bytes_list", value.encode() if isinstance(value, str) else decoded(value)
    elif isinstance(value, bool | int):
        field, item = "int64_list", int(value)
    elif isinstance(value, float):
        field, item = "float_list", value
    else:
        raise invalid(f"Feature: {name} has element with unexpected JSON type: {kind(value)}")
    holds = feature.WhichOneof("kind")
    if holds not in (None, field):
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {holds.removesuffix('_list')}")
    if field == "int64_list" and not -(2**63) <= item < 2**63:
        raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
    getattr(feature, field).value.append(item)
