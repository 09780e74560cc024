"""Requests that a model has to answer: one of each signature and size, made of what the signature takes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

from components.serving_validator.real import Real
from models.export.interface import Interface, Signature, Tensor

ROWS = (1, 5)
"""Batch sizes: alone, and beside others."""


class Request(NamedTuple):
    """What a client sends.

    Attributes:
        signature: that is asked.
        inputs: name -> array, the batch first; strings as objects.
    """

    signature: str
    inputs: dict[str, np.ndarray]

    def row(self, number: int) -> "Request":
        """One row of it alone."""
        return Request(self.signature, {name: value[number : number + 1] for name, value in self.inputs.items()})


def requests(interface: Interface, real: Real) -> list[Request]:
    """A request of each of ROWS for each signature, made of real examples where it takes any.

    Args:
        interface: of the model.
        real: examples and labels, as they occur.

    Raises:
        ValueError: a signature takes something that no request can be made of.
    """
    return [
        Request(name, {key: _value(key, each, rows, name, signature, real) for key, each in signature.inputs.items()})
        for name, signature in interface.signatures.items()
        for rows in ROWS
    ]


def write_warm_up(made: Iterable[Request], model: str, path: str) -> None:
    """Writes requests as TF Serving replays them before it serves a model: a TFRecord of PredictionLogs.

    Args:
        made: at most 1,000, which is what TF Serving reads.
        model: the name that it is served as.
        path: of the file, whose folder is there.
    """
    with tf.io.TFRecordWriter(path) as writer:
        for request in made:
            spec = model_pb2.ModelSpec(name=model, signature_name=request.signature)
            sent = predict_pb2.PredictRequest(model_spec=spec)
            for name, value in request.inputs.items():
                sent.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=sent)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())


def _value(name: str, tensor: Tensor, rows: int, asked: str, signature: Signature, real: Real) -> np.ndarray:
    """Rows of an input, by its role."""
    random = np.random.default_rng(rows)
    shape = [rows, *(size or 0 for size in tensor.shape[1:])]
    labels = _rows(real.label if real.label is not None else np.zeros(1, np.int64), rows)
    seeds = [key for key, each in signature.inputs.items() if each.role == "seed"]
    makers: dict[str, Callable[[], Any]] = {
        "seed": lambda: np.arange(rows) + 1_000 * seeds.index(name),
        "share": lambda: np.linspace(0, 1, rows),
        "truncation": lambda: np.linspace(0.5, 2, rows),
        "label": lambda: labels,
        "noise": lambda: random.standard_normal(shape),
        "code": lambda: _code(shape, tensor.categories, random),
        "example": lambda: [_example(seed, int(label)) for seed, label in enumerate(labels)],
        "target": lambda: _sent(real.target, tensor, rows),
        "row": lambda: np.zeros(rows),
    }
    makers |= {role: lambda: _sent(real.inputs[tensor.role], tensor, rows) for role in real.inputs}
    if tensor.role not in makers:
        raise ValueError(
            f"a request is made of {', '.join(makers)}, as far as there are real ones; {asked} takes {name}, which is "
            f"{tensor.role}"
        )
    return np.asarray(makers[tensor.role](), object if tensor.dtype == "string" else tensor.dtype)


def _rows(values: np.ndarray, rows: int) -> np.ndarray:
    """Takes so many rows from the first on, over and over where there are fewer."""
    return values[np.arange(rows) % len(values)]


def _sent(examples: np.ndarray, tensor: Tensor, rows: int) -> Any:
    """Examples as an input takes them: numbers, or files."""
    sent = _rows(examples, rows)
    if not tensor.is_file:
        return sent
    return [tf.io.encode_png(np.rint(each * 255).astype(np.uint8)).numpy() for each in sent]


def _code(shape: Sequence[int], categories: int, random: np.random.Generator) -> np.ndarray:
    code = random.uniform(-1, 1, shape)
    if categories:
        code[:, :categories] = np.eye(categories)[np.arange(shape[0]) % categories]
    return code


def _example(seed: int, label: int) -> bytes:
    features = {"seed": seed, "label": label}
    numbers = {name: tf.train.Int64List(value=[value]) for name, value in features.items()}
    feature = {name: tf.train.Feature(int64_list=value) for name, value in numbers.items()}
    return bytes(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
