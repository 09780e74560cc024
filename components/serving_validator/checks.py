"""What a served model has to do: answer as the saved model does, by both APIs, alike each time, and in time."""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.serving_validator.requests import Request
from models.export.interface import Interface, Shape, Signature, Tensor
from serving.client import Client, ServingError

TIMES = 20
"""Calls whose median is the latency."""

TOLERANCE = 1e-4
"""How far floats may differ, between a batch and its rows alone, and between processes: kernels differ in their last
digits."""


def faults(
    grpc: Client,
    rest: Client,
    asked: Sequence[Request],
    expected: Sequence[Mapping[str, np.ndarray]],
    interface: Interface,
) -> Iterator[str]:
    """What is wrong with the answers, a line each.

    Args:
        grpc: asks the server by gRPC; `rest` by REST.
        rest: see `grpc`.
        asked: the requests.
        expected: what the SavedModel answers to each in this process.
        interface: what the answers have to look like.
    """
    for request, right in zip(asked, expected, strict=True):
        rows = len(next(iter(request.inputs.values())))
        where = f"{request.signature} of {rows}"
        try:
            first, again = (grpc.predict(request.inputs, request.signature) for _ in range(2))
            by_rest = rest.predict(request.inputs, request.signature)
            alone = grpc.predict(request.row(rows - 1).inputs, request.signature)
        except ServingError as error:
            yield f"{where}: the server answers {error}"
            continue
        signature = interface.signatures[request.signature]
        yield from (f"{where}: {line}" for line in wrong(first, rows, signature))
        last = {name: value[rows - 1 :] for name, value in first.items()}
        for what, one, other, exact in (
            ("gRPC answers otherwise than the saved model", first, right, False),
            ("the same request has two answers", first, again, True),
            ("REST and gRPC differ", first, by_rest, False),
            ("a row's answer depends on the rows beside it", last, alone, False),
        ):
            if not _alike(one, other, signature, exact=exact):
                yield f"{where}: {what}"


def latency(client: Client, request: Request) -> float:
    """Milliseconds of a request, the median of TIMES after one that does not count. Raises ServingError."""
    client.predict(request.inputs, request.signature)
    took = []
    for _ in range(TIMES):
        began = time.monotonic()
        client.predict(request.inputs, request.signature)
        took.append(1_000 * (time.monotonic() - began))
    return statistics.median(took)


def answer(signature: Any, request: Request) -> dict[str, np.ndarray]:
    """What a loaded SavedModel's signature answers in this process."""
    inputs = {name: tf.constant(value) for name, value in request.inputs.items()}
    return {name: value.numpy() for name, value in signature(**inputs).items()}


def wrong(outputs: Mapping[str, np.ndarray], rows: int, signature: Signature) -> Iterator[str]:
    """What is wrong with an answer by itself."""
    for name in signature.outputs.keys() - outputs.keys():
        yield f"{name} is missing"
    for name, value in outputs.items():
        tensor = signature.outputs.get(name)
        if tensor is None:
            yield f"{name} is in no interface"
        elif len(value) != rows:
            yield f"{name} has {len(value)} rows"
        elif tensor.is_file:
            shapes = {tuple(tf.io.decode_png(each).shape) for each in value.flat}
            if not all(_fits(shape, tensor.pixels) for shape in shapes):
                yield f"images are {_sizes(tensor.pixels)}; received {sorted(shapes)}"
        elif tensor.dtype != "string":
            yield from _wrong_numbers(name, value, tensor)


def _wrong_numbers(name: str, value: np.ndarray, tensor: Tensor) -> Iterator[str]:
    if not np.isfinite(value).all():
        yield f"{name} holds NaN or infinity"
    elif not _fits(value.shape, tensor.shape):
        yield f"{name} is {_sizes(tensor.shape)}; received {list(value.shape)}"
    elif tensor.range and not (value.min() >= tensor.range[0] and value.max() <= tensor.range[1]):
        low, high = tensor.range
        yield f"{name} lies in [{low:g}, {high:g}]; received {value.min():.3g} to {value.max():.3g}"


def _fits(shape: Sequence[int], wanted: Shape | None) -> bool:
    """True where an array has a shape, whose None stand for any size."""
    if wanted is None:
        return True
    return len(shape) == len(wanted) and all(size in (None, each) for size, each in zip(wanted, shape, strict=True))


def _sizes(shape: Shape | None) -> str:
    return str([size or "any" for size in shape or ()]).replace("'", "")


def _alike(
    one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray], signature: Signature, *, exact: bool
) -> bool:
    if {name: value.shape for name, value in one.items()} != {name: value.shape for name, value in other.items()}:
        return False
    return all(
        _equal(value, other[name], exact=exact, is_file=name in signature.outputs and signature.outputs[name].is_file)
        for name, value in one.items()
    )


def _equal(one: np.ndarray, other: np.ndarray, *, exact: bool, is_file: bool) -> bool:
    """True where two outputs of one shape are the same, or nearly so where that is all that is asked."""
    if not exact and is_file:
        return _same_pictures(one, other)
    if not exact and one.dtype.kind == "f":
        return np.allclose(one, other, TOLERANCE, TOLERANCE)
    return bool((one == other).all())


def _same_pictures(one: np.ndarray, other: np.ndarray) -> bool:
    """True where PNG files differ by the rounding of a pixel at most."""
    pairs = zip(one.flat, other.flat, strict=True)
    decoded = ((tf.io.decode_png(a).numpy().astype(int), tf.io.decode_png(b).numpy().astype(int)) for a, b in pairs)
    return all(a.shape == b.shape and np.abs(a - b).max() <= 1 for a, b in decoded)
