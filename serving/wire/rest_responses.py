"""Arrays and answers as the JSON of a REST response."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2

from serving.wire.errors import invalid
from serving.wire.example_methods import ClassificationResult, RegressionResult

BYTES_SUFFIX = "_bytes"
"""The end of the name of an output whose strings are bytes, which are sent in base64."""

_KINDS = {np.dtype(kind) for kind in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u4", "u8", "?", "O")}
_POWERS = np.array([float(f"1e{power}") for power in range(23)])
"""The powers of ten that a double holds exactly."""


def predictions(outputs: Mapping[str, np.ndarray], *, rows: bool) -> bytes:
    """The outputs of a model.

    Args:
        outputs: alias -> array.
        rows: under `predictions`, one element a row, instead of under `outputs`, one an alias.

    Raises:
        ServingError: INVALID_ARGUMENT, an output cannot be sent as JSON, or in the row format not by rows.
    """
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    if rows:
        _check_rows(outputs)
    lists = {name: _listed(name, array) for name, array in outputs.items()}
    if len(lists) == 1:
        (value,) = lists.values()
    elif rows:
        value = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    else:
        value = lists
    return dump({"predictions" if rows else "outputs": value})


def _check_rows(outputs: Mapping[str, np.ndarray]) -> None:
    size = None
    for name, array in outputs.items():
        if not array.ndim:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if size not in (None, array.shape[0]):
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {array.shape[0]} expecting: {size}")
        size = array.shape[0]


def _listed(name: str, array: np.ndarray) -> Any:
    if array.dtype not in _KINDS:
        raise _unwritable(array)
    if array.dtype == object:
        written = np.empty(array.shape, object)
        write: Callable[[bytes], Any] = _base64 if name.endswith(BYTES_SUFFIX) else _text
        try:
            written.ravel()[:] = [write(each) for each in array.ravel()]
        except UnicodeDecodeError:
            raise _unwritable(array) from None
        return written.tolist()
    return (short_float32(array) if array.dtype == np.float32 else array).tolist()


def _unwritable(array: np.ndarray) -> Exception:
    name = tf.dtypes.as_dtype(array.dtype).name
    return invalid(f"Failed to write JSON value for tensor type: {name}")


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _text(value: bytes) -> str:
    return value.decode()


def short_float32(array: np.ndarray) -> np.ndarray:
    """float32 as the float64 that is written as shortly: 0.1 and not 0.10000000149011612.

    Six digits where they tell the number from its neighbours, else nine, as TF Serving writes it; numbers below 1e-14
    keep their long form.
    """
    exact = array.astype(np.float64)
    short = exact.copy()
    with np.errstate(all="ignore"):
        magnitude = np.nan_to_num(np.floor(np.log10(np.abs(exact))), posinf=0, neginf=0)
        for digits in (9, 6):
            scale = _POWERS[np.clip(digits - 1 - magnitude, 0, len(_POWERS) - 1).astype(int)]
            rounded = np.round(exact * scale) / scale
            short = np.where(rounded.astype(np.float32) == array, rounded, short)
    return short


def classification(result: ClassificationResult) -> bytes:
    """Labels and scores, a list of pairs for each example."""
    return dump(
        {
            "results": [
                [[each.label, _short(each.score)] for each in classes.classes] for classes in result.classifications
            ]
        }
    )


def regression(result: RegressionResult) -> bytes:
    """One value for each example."""
    return dump({"results": [_short(each.value) for each in result.regressions]})


def _short(value: float) -> float:
    return float(short_float32(np.array([value], np.float32))[0])


def status(response: get_model_status_pb2.GetModelStatusResponse) -> bytes:
    """The states of a model's versions."""
    return json_format.MessageToJson(response, always_print_fields_with_no_presence=True, indent=1).encode()


def metadata(spec: model_pb2.ModelSpec, signatures: get_model_metadata_pb2.SignatureDefMap) -> bytes:
    """A model's name, version and signatures."""
    spec_json, signatures_json = (
        json_format.MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        for message in (spec, signatures)
    )
    return dump({"model_spec": spec_json, "metadata": {"signature_def": signatures_json}}, indent=1)


def error(message: str) -> bytes:
    """What every refused request is answered."""
    return dump({"error": message})


def dump(value: Any, indent: int | None = None) -> bytes:
    """JSON, with the tokens NaN, Infinity and -Infinity where floats are these."""
    return json.dumps(value, indent=indent).encode()
