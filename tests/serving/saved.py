"""Small SavedModels, and what starts a real server on them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving import model_config
from serving.options import ServerOptions
from serving.server import EmbeddedServer
from serving.wire.answers import Limits


def half_plus(directory: Path, addend: float) -> None:
    """y = x / 2 + addend, as TF Serving's toy models of TensorFlow 1: predict, and regress and classify of examples."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        half, added = tf.Variable(0.5, name="a"), tf.Variable(float(addend), name="b")
        serialized = v1.placeholder(tf.string, [None], name="tf_example")
        features = tf.io.parse_example(serialized, {"x": tf.io.FixedLenFeature([1], tf.float32)})
        x = tf.identity(features["x"], name="x")
        y = tf.add(tf.multiply(half, x), added, name="y")
        info, build = v1.saved_model.utils.build_tensor_info, v1.saved_model.signature_def_utils.build_signature_def
        signatures = {
            "serving_default": build({"x": info(x)}, {"y": info(y)}, "tensorflow/serving/predict"),
            "tensorflow/serving/regress": build(
                {"inputs": info(serialized)}, {"outputs": info(y)}, "tensorflow/serving/regress"
            ),
            "classify_x_to_y": build({"inputs": info(serialized)}, {"scores": info(y)}, "tensorflow/serving/classify"),
        }
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(directory))
        builder.add_meta_graph_and_variables(session, ["serve"], signatures)
        builder.save()


class Many(tf.Module):
    """Several inputs and outputs, of the types that JSON has."""

    def signatures(self) -> dict:
        spec = tf.TensorSpec
        return {
            "serving_default": tf.function(self.several).get_concrete_function(
                tag=spec([None], tf.string, "tag"),
                signal=spec([None, 3], tf.float32, "signal"),
                sensor=spec([None, 2, 2], tf.int32, "sensor"),
            ),
            "types": tf.function(self.types).get_concrete_function(
                **{name: spec([None], kind, name) for name, kind in TYPES.items()}
            ),
            "look_up": tf.function(self.look_up).get_concrete_function(label=spec([None], tf.int64, "label")),
            "bytes": tf.function(self.bytes).get_concrete_function(text=spec([None], tf.string, "text")),
            "half": tf.function(self.half).get_concrete_function(x=spec([None], tf.float32, "x")),
            "total": tf.function(self.total).get_concrete_function(x=spec([None], tf.float32, "x")),
            "spin": tf.function(self.spin).get_concrete_function(turns=spec([None], tf.int64, "turns")),
            "any_shape": tf.function(self.any_shape).get_concrete_function(x=spec(None, tf.float32, "x")),
            "classes": tf.function(self.classes).get_concrete_function(inputs=spec([None], tf.string, "inputs")),
        }

    def several(self, tag, signal, sensor):
        return {"tag": tag, "total": tf.reduce_sum(signal, 1), "trace": tf.linalg.trace(sensor)}

    def types(self, **inputs):
        return inputs

    def look_up(self, label):
        # the CPU kernel refuses a label that is out of range
        return {"value": tf.gather(tf.constant([10.0, 20.0, 30.0]), label)}

    def bytes(self, text):
        return {"upper": tf.strings.upper(text), "upper_bytes": tf.strings.upper(text)}

    def half(self, x):
        return {"y": tf.cast(x, tf.float16)}

    def total(self, x):
        return {"y": tf.reduce_sum(x)}

    def any_shape(self, x):
        return {"y": x + 1}

    def spin(self, turns):
        """Counts to the largest of `turns`, which takes a while."""
        counted = tf.while_loop(lambda n: n < tf.reduce_max(turns), lambda n: n + 1, [tf.constant(0, tf.int64)])[0]
        return {"counted": tf.zeros_like(turns) + counted}

    def classes(self, inputs):
        rows = tf.shape(inputs)[0]
        labels = tf.tile(tf.constant([[b"cat", b"dog"]]), [rows, 1])
        return {"classes": labels, "scores": tf.tile(tf.constant([[0.25, 0.75]]), [rows, 1])}


TYPES = {
    "int8": tf.int8,
    "int16": tf.int16,
    "int32": tf.int32,
    "int64": tf.int64,
    "uint8": tf.uint8,
    "uint32": tf.uint32,
    "uint64": tf.uint64,
    "float": tf.float32,
    "double": tf.float64,
    "bool": tf.bool,
    "string": tf.string,
}


def many(directory: Path) -> None:
    module = Many()
    tf.saved_model.save(module, str(directory), signatures=module.signatures())


def constant(directory: Path, value: float) -> None:
    """A model that answers x + value: which version it was can be read from the answer."""
    module = tf.Module()
    module.value = tf.Variable(float(value))
    add = tf.function(lambda x: {"y": x + module.value})
    signature = add.get_concrete_function(tf.TensorSpec([None], tf.float32, "x"))
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    tf.saved_model.save(module, str(unfinished), signatures=signature)
    unfinished.rename(directory)


def listing(**models: Path) -> model_config.ModelServerConfig:
    """The configuration of several models by name."""
    config = model_config.ModelServerConfig()
    for name, path in models.items():
        config.model_config_list.config.add(name=name, base_path=str(path), model_platform="tensorflow")
    return config


class Client:
    """Both stubs and an HTTP client of a running server."""

    def __init__(self, server: EmbeddedServer, channel: grpc.Channel, http: httpx.Client):
        self.server, self.http, self.channel = server, http, channel
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(channel)

    def post(self, path: str, body, **kwargs) -> httpx.Response:
        content = {"content": body} if isinstance(body, bytes | str) else {"json": body}
        return self.http.post(path, **content, **kwargs)


@contextlib.contextmanager
def serving(models: model_config.ModelServerConfig, **options) -> Iterator[Client]:
    """A server on free ports of the loopback, and clients of it."""
    limits = Limits(**options.pop("limits", {}))
    chosen = ServerOptions(models=models, limits=limits, **{"grpc_port": 0, "rest_port": 0} | options)
    with (
        EmbeddedServer(chosen) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
        httpx.Client(base_url=f"http://127.0.0.1:{server.rest_port}", timeout=30) as http,
    ):
        yield Client(server, channel, http)
