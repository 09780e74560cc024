"""TensorProto and NumPy, both ways, without a copy more than the wire asks for."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.wire.errors import invalid

MAX_RANK = 64
"""Dimensions that a NumPy array can have."""

_PACKED = {np.dtype(np.float32): b"\x2a", np.dtype(np.float64): b"\x32", np.dtype(np.bool_): b"\x5a"}
"""The wire's key of float_val, double_val and bool_val, whose packed form is the array's own memory."""

_FIELDS = {
    **dict.fromkeys(map(np.dtype, (np.int32, np.int16, np.int8, np.uint16, np.uint8)), "int_val"),
    np.dtype(np.int64): "int64_val",
    np.dtype(np.uint32): "uint32_val",
    np.dtype(np.uint64): "uint64_val",
    np.dtype(object): "string_val",
}


def decode(proto: tensor_pb2.TensorProto, alias: str, max_bytes: int) -> np.ndarray:
    """The array that a TensorProto describes, in any of the encodings that TensorFlow reads.

    Args:
        proto: of any shape; a field with fewer values than elements repeats its last one.
        alias: the input's name, for the error.
        max_bytes: of the array. A proto of 30 bytes can ask for terabytes.

    Returns:
        A read-only view of the proto's content where that is possible; strings are an array of bytes objects.

    Raises:
        ServingError: INVALID_ARGUMENT, the proto is not a tensor or a larger one than allowed.
    """
    try:
        dtype = np.dtype(tf.dtypes.as_dtype(proto.dtype).as_numpy_dtype)
        shape = [dim.size for dim in proto.tensor_shape.dim]
        size = math.prod(shape)
        known = not proto.tensor_shape.unknown_rank and len(shape) <= MAX_RANK and min(shape, default=0) >= 0
        if not known or proto.dtype == types_pb2.DT_RESOURCE or max(size, 1) * dtype.itemsize > max_bytes:
            raise ValueError
        if proto.dtype == types_pb2.DT_STRING:
            return _strings(list(proto.string_val), size, max_bytes).reshape(shape)
        if proto.tensor_content:
            return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, OverflowError, KeyError):
        raise invalid(f"tensor parsing error: {alias}") from None


def _strings(values: list[bytes], size: int, max_bytes: int) -> np.ndarray:
    last = values[-1] if values else b""
    missing = size - len(values)
    if missing < 0 or sum(map(len, values)) + missing * len(last) > max_bytes:
        raise ValueError
    array = np.empty(size, object)
    array[:] = values + [last] * missing
    return array


def encode(array: np.ndarray, proto: tensor_pb2.TensorProto, *, as_content: bool = False) -> None:
    """Writes an array into an empty TensorProto.

    Args:
        array: what a model gave; strings are bytes objects.
        proto: receives it.
        as_content: as `tensor_content` instead of the typed field that TF Serving uses by default, and that clients
            such as its own tutorial's read. The typed fields of floats cost no more here.
    """
    proto.dtype = tf.dtypes.as_dtype(array.dtype).as_datatype_enum
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    key, field = _PACKED.get(array.dtype), _FIELDS.get(array.dtype)
    if array.dtype == object:
        proto.string_val.extend(array.ravel().tolist())
    elif as_content or not (key or field):
        proto.tensor_content = array.tobytes()
    elif key:
        content = array.tobytes()
        proto.MergeFromString(b"".join((key, _varint(len(content)), content)))
    else:
        getattr(proto, str(field)).extend(array.ravel().tolist())


def _varint(number: int) -> bytes:
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
