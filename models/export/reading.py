"""Reads what a SavedModel takes and gives, without loading it."""

from collections.abc import Mapping

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from models.export import saved
from models.export.interface import Interface, TensorInfo, derived


def read_interface(directory: str) -> Interface:
    """The interface of a SavedModel: its own, or one that its signatures suggest where it is older or another's.

    Args:
        directory: of the SavedModel, here or in a bucket.

    Raises:
        ValueError: there is no SavedModel, or its interface cannot be read; one line.
    """
    signatures = _signatures(directory)
    text = _text(directory, saved.INTERFACE)
    if not text:
        return derived(signatures, saved.classes_of(_text(directory, saved.EXPERIMENT)))
    try:
        return Interface.from_json(text)
    except ValueError as error:
        raise ValueError(f"{tf.io.gfile.join(directory, saved.INTERFACE)}: {error}") from None


def _signatures(directory: str) -> dict[str, tuple[dict[str, TensorInfo], dict[str, TensorInfo]]]:
    path = tf.io.gfile.join(directory, "saved_model.pb")
    if not tf.io.gfile.exists(path):
        raise ValueError(f"a model is a folder with saved_model.pb; {directory} has none")
    model = saved_model_pb2.SavedModel()
    with tf.io.gfile.GFile(path, "rb") as file:
        model.ParseFromString(file.read())
    return {
        name: (_told(each.inputs), _told(each.outputs))
        for name, each in model.meta_graphs[0].signature_def.items()
        if not name.startswith("__")  # TensorFlow's own beginnings, which have no dtypes
    }


def _told(infos: Mapping[str, meta_graph_pb2.TensorInfo]) -> dict[str, TensorInfo]:
    def shape(info: meta_graph_pb2.TensorInfo) -> tuple[int | None, ...]:
        return tuple(None if dim.size < 0 else int(dim.size) for dim in info.tensor_shape.dim)

    return {name: TensorInfo(tf.as_dtype(info.dtype).name, shape(info)) for name, info in sorted(infos.items())}


def _text(directory: str, name: str) -> str:
    """A text file of a model; empty where it has none."""
    path = tf.io.gfile.join(directory, name)
    if not tf.io.gfile.exists(path):
        return ""
    with tf.io.gfile.GFile(path) as file:
        return str(file.read())
