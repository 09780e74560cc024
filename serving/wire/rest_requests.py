"""The JSON of a REST request as arrays.

What fits is converted by whole columns. What does not is walked again element by element, for the text that says
where it goes wrong.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from serving.servable import Arrays
from serving.wire.errors import Code, ServingError, invalid
from serving.wire.rest_errors import describe, from_decoder, kind, parse_error
from serving.wire.tensors import MAX_RANK

FLOATS = {types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE}
INTEGERS = {getattr(types_pb2, f"DT_{sign}INT{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)} - {
    types_pb2.DT_UINT16
}
"""What TF Serving reads; of UINT16 and the half-sized floats it makes nothing."""

Types = Mapping[str, int]
"""The inputs of a signature: alias -> DataType."""


class _Unfit(Exception):
    """A value is no tensor of its type; the element-wise walk tells why."""


def parse(body: bytes) -> dict[str, Any]:
    """The object that a body holds; what follows it is not looked at, as in TF Serving.

    Raises:
        ServingError: INVALID_ARGUMENT, it is not JSON, not an object, or nested deeper than the interpreter's own limit
            of about 900.
    """
    return _parse(body, json.JSONDecoder())


def _parse(body: bytes, decoder: json.JSONDecoder) -> dict[str, Any]:
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        text = body.decode("utf-8-sig")
        start = len(text) - len(text.lstrip(" \t\r\n"))
        document, _ = decoder.raw_decode(text, start)
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise from_decoder(error) from None
    except UnicodeDecodeError as error:
        raise parse_error("Invalid encoding in string.", error.start) from None
    except UnicodeEncodeError:
        raise parse_error("The surrogate pair in string is invalid.") from None
    except RecursionError:
        raise parse_error("The document is nested too deeply.") from None
    except ValueError:
        # the one other refusal of the decoder: an integer of more than 4,300 digits
        raise parse_error("Number too big to be stored in double.") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {describe(document)} Is not object")
    return document


def signature_name(document: Mapping[str, Any]) -> str:
    """The signature asked for; an empty string for the default. Raises ServingError where it is no string."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {describe(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def predict_inputs(document: Mapping[str, Any], types: Types, body: bytes) -> tuple[Arrays, bool]:
    """The tensors of a predict request.

    Args:
        document: the body, parsed.
        types: the signature's inputs.
        body: read again where a number may have been larger than a double.

    Returns:
        The arrays, and whether the request is in the row format.

    Raises:
        ServingError: INVALID_ARGUMENT, neither format fits.
    """
    rows, columns = "instances" in document, "inputs" in document
    if rows and columns:
        raise unfit(document, "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ")
    if rows:
        arrays = _from_instances(document, types)
    elif columns:
        arrays = _from_inputs(document["inputs"], types)
    else:
        raise invalid("Missing 'inputs' or 'instances' key")
    if any(array.dtype.kind == "f" and np.isinf(array).any() for array in arrays.values()):
        # 1e400 and Infinity are the same to the decoder; only the second is a number here
        _parse(body, json.JSONDecoder(parse_float=_finite))
    return arrays, rows


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise parse_error("Number too big to be stored in double.")
    return number


def unfit(document: Any, text: str) -> ServingError:
    """INVALID_ARGUMENT: the beginning of a document, and what is wrong with it."""
    return invalid(f"JSON Value: {describe(document)} {text}")


def _from_instances(document: Mapping[str, Any], types: Types) -> Arrays:
    instances = document["instances"]
    if not isinstance(instances, list):
        raise unfit(document, "Expecting 'instances' to be an list/array")
    if not instances:
        raise unfit(document, "No values in 'instances' array")
    if not isinstance(instances[0], dict) and len(types) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    try:
        if not _is_object(instances[0]):
            return {name: tensor(instances, dtype) for name, dtype in types.items()}
        if all(isinstance(row, dict) and row.keys() == types.keys() for row in instances):
            return {name: tensor([row[name] for row in instances], dtype) for name, dtype in types.items()}
    except _Unfit:
        pass
    _explain_instances(instances, types)
    raise invalid("'instances' list is not formatted correctly")


def _explain_instances(instances: list[Any], types: Types) -> None:
    """Raises the error of the first element that does not fit."""
    objects = _is_object(instances[0])
    shapes: dict[str, list[int]] = {}
    for place, element in enumerate(instances):
        if objects != _is_object(element):
            wanted, got = ("object", "list") if objects else ("value/list", "object")
            raise invalid(f"Expecting {wanted} but got {got} at item {place} of input list")
        items = element.items() if objects else [(next(iter(types)), element)]
        for name, item in items:
            try:
                if name not in types:
                    raise invalid(f"JSON object: does not have named input: {name}")
                explain(item, types[name])
                shape = _shape(item)
                first = shapes.setdefault(name, shape)
                if math.prod(first) != math.prod(shape):
                    raise invalid(f"Expecting tensor size: {math.prod(first)} but got: {math.prod(shape)}")
                if first != shape:
                    raise invalid(f"Expecting shape {_brackets(first)} but got: {_brackets(shape)}")
            except ServingError as error:
                key = f" key: {name}" if objects else ""
                raise invalid(f"Failed to process element: {place}{key} of 'instances' list. Error: {error}") from None
        if objects and element.keys() != types.keys():
            raise invalid(
                f"Failed to process element: {place} of 'instances' list. JSON object: {describe(element)} keys must "
                f"be equal to: {','.join(sorted(types))}"
            )


def _from_inputs(inputs: Any, types: Types) -> Arrays:
    named = inputs if _is_object(inputs) else None
    if named is None and len(types) > 1:
        raise invalid(
            "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
            "tensorinfo_map"
        )
    arrays = {}
    for name, dtype in types.items():
        if named is not None and name not in named:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        value = inputs if named is None else named[name]
        try:
            arrays[name] = tensor(value, dtype)
        except _Unfit:
            explain(value, dtype)
            raise invalid(f"JSON Value: {describe(value)} is not a tensor of the input {name}") from None
    return arrays


def tensor(value: Any, dtype: int) -> np.ndarray:
    """A number, string or nested list as an array. Raises _Unfit where it is not one of this type."""
    shape, leaves = _shape(value), [value]
    for size in shape:
        if set(map(type, leaves)) != {list} or set(map(len, leaves)) != {size}:
            raise _Unfit
        leaves = list(chain.from_iterable(leaves))
    return _leaves(leaves, dtype).reshape(shape)


def _shape(value: Any) -> list[int]:
    """The sizes of the first lists at each level, which all others must have too."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    if len(shape) > MAX_RANK:
        raise invalid(f"a tensor has at most {MAX_RANK} dimensions; received {len(shape)}")
    return shape


def _leaves(leaves: Sequence[Any], dtype: int) -> np.ndarray:
    kinds = set(map(type, leaves))
    target = tf.dtypes.as_dtype(dtype).as_numpy_dtype
    try:
        if dtype == types_pb2.DT_STRING and kinds <= {str, dict}:
            array = np.empty(len(leaves), object)
            array[:] = [each.encode() if isinstance(each, str) else decoded(each) for each in leaves]
            return array
        if dtype in FLOATS and kinds <= {int, float}:
            with np.errstate(over="ignore"):
                return np.array(leaves, np.float64).astype(target)
        if (dtype in INTEGERS and kinds <= {int}) or (dtype == types_pb2.DT_BOOL and kinds <= {bool}):
            return np.array(leaves, target)
    except OverflowError:
        if dtype in FLOATS:
            raise parse_error("Number too big to be stored in double.") from None
    raise _Unfit


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


def is_base64(value: Any) -> bool:
    """True where a parsed value is `{"b64": "..."}`."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def decoded(value: Any) -> bytes:
    """The bytes of `{"b64": "..."}`. Raises ServingError where it is something else."""
    if not is_base64(value):
        raise invalid(f"JSON Value: {describe(value)} not formatted correctly for base64 data")
    text = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise invalid("Unable to base64 decode") from None


def explain(value: Any, dtype: int) -> None:
    """Raises ServingError with the first reason why a value is no tensor of a type; returns where there is none."""
    _explain(value, dtype, _shape(value), 0)


def _explain(value: Any, dtype: int, shape: list[int], level: int) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {describe(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at "
                f"level: {len(shape)}"
            )
        _explain_leaf(value, dtype)
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for each in value:
        _explain(each, dtype, shape, level + 1)


def _explain_leaf(value: Any, dtype: int) -> None:
    name = tf.dtypes.as_dtype(dtype).name.replace("float32", "float").replace("float64", "double")
    if dtype not in FLOATS | INTEGERS | {types_pb2.DT_STRING, types_pb2.DT_BOOL}:
        raise ServingError(Code.UNIMPLEMENTED, f"Conversion of JSON Value: {describe(value)} to type: {name}")
    try:
        _leaves([value], dtype)
    except _Unfit:
        raise invalid(f"JSON Value: {describe(value)} Type: {kind(value)} is not of expected type: {name}") from None


def _brackets(shape: list[int]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"
