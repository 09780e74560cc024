"""Requests that a model has to answer: one of each signature and size, made of what the signature takes."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

from models.config import Experiment

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


def requests(signatures: Mapping[str, Any], experiment: Experiment) -> list[Request]:
    """A request of each of ROWS for each signature.

    Args:
        signatures: of a loaded SavedModel.
        experiment: that made it: says which labels and codes there are.

    Raises:
        ValueError: a signature takes something that no request can be made of.
    """
    made = []
    for name, signature in signatures.items():
        specs = signature.structured_input_signature[1]
        for rows in ROWS:
            random = np.random.default_rng(rows)
            inputs = {key: _input(key, spec, rows, experiment, random) for key, spec in specs.items()}
            made.append(Request(name, inputs))
    return made


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


def _input(
    name: str, spec: tf.TensorSpec, rows: int, experiment: Experiment, random: np.random.Generator
) -> np.ndarray:
    labels = np.arange(rows) % max(experiment.data.classes, 1)
    shape = [rows, *spec.shape[1:]]
    if name == "examples":
        return np.array([_example(seed, int(label)) for seed, label in enumerate(labels)], dtype=object)
    if name == "code":
        code = random.uniform(-1, 1, shape)
        if categories := experiment.latent.categorical_codes:
            code[:, :categories] = np.eye(categories)[np.arange(rows) % categories]
        return code.astype(np.float32)
    makers = {
        "seed": lambda: np.arange(rows),
        "other_seed": lambda: np.arange(rows) + 1_000,
        "share": lambda: np.linspace(0, 1, rows),
        "truncation": lambda: np.linspace(0.5, 2, rows),
        "label": lambda: labels,
        "z": lambda: random.standard_normal(shape),
        "image": lambda: random.random(shape),
        "point": lambda: random.standard_normal(shape),
    }
    if name not in makers:
        raise ValueError(f"a request is made of {', '.join(makers)}, code and examples; a signature takes {name}")
    return np.asarray(makers[name](), spec.dtype.as_numpy_dtype)


def _example(seed: int, label: int) -> bytes:
    features = {"seed": seed, "label": label}
    numbers = {name: tf.train.Int64List(value=[value]) for name, value in features.items()}
    feature = {name: tf.train.Feature(int64_list=value) for name, value in numbers.items()}
    return bytes(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
