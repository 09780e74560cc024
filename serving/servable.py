"""One version of a model in memory: its signatures, and the fastest way through its graph."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef as Signature

from serving.batching import Batcher, batch_rows, too_large
from serving.metrics import Metrics
from serving.wire import example_methods, tensors
from serving.wire.errors import Code, ServingError, from_tensorflow, invalid

DEFAULT_SIGNATURE = "serving_default"

Arrays = dict[str, np.ndarray]


class Servable:
    """A SavedModel, loaded as TF Serving loads it: one session, whose graph its signatures feed and fetch.

    A session's callable takes and gives NumPy arrays without Python in between, which is several times as fast as
    calling the functions of `tf.saved_model.load`, and reads models of TensorFlow 1 as well.

    Args:
        name: of the model.
        version: its number.
        path: the SavedModel's directory.
        max_rows: of a request.
        metrics: receives the time that requests spend in the model.
        batcher: joins requests into batches; None runs each alone.

    Raises:
        OSError: there is no SavedModel.
        tf.errors.OpError, RuntimeError, ValueError: it cannot be loaded.
    """

    def __init__(
        self, name: str, version: int, path: str, *, max_rows: int, metrics: Metrics, batcher: Batcher | None = None
    ):
        self.name, self.version, self.path = name, version, path
        self._max_rows, self._metrics, self._batcher = max_rows, metrics, batcher
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        self._callables: dict[tuple[str, ...], Callable[..., list[np.ndarray]]] = {}
        self._lock = threading.Lock()
        try:
            meta = tf.compat.v1.saved_model.load(self._session, [tf.saved_model.SERVING], path)
        except BaseException:
            self._session.close()
            raise
        self.signatures: dict[str, Signature] = dict(meta.signature_def)

    def close(self) -> None:
        """Frees the model's memory; nothing may run any more."""
        self._callables.clear()
        self._session.close()

    def predict(self, signature_name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()) -> Arrays:
        """Runs a signature.

        Args:
            signature_name: one of `signatures`.
            inputs: alias -> array, those of the signature.
            outputs: aliases to fetch; none for all.

        Returns:
            Alias -> array.

        Raises:
            ServingError: FAILED_PRECONDITION, no such signature; INVALID_ARGUMENT, aliases or rows do not fit; what the
                model itself raised.
        """
        signature = self.signatures.get(signature_name)
        if signature is None:
            raise ServingError(Code.FAILED_PRECONDITION, f'Serving signature key "{signature_name}" not found.')
        fed = _fed(signature, inputs)
        return self._run("Predict", signature, fed, _fetched(signature, outputs))

    def classify(self, signature: Signature, examples: np.ndarray) -> example_methods.ClassificationResult:
        """Classes and scores of serialized examples, [rows] of bytes; the signature has the form for it."""
        fetched = sorted({example_methods.CLASSES, example_methods.SCORES} & set(signature.outputs))
        outputs = self._run("Classify", signature, {example_methods.INPUTS: examples}, fetched)
        return example_methods.classification(outputs, len(examples))

    def regress(self, signature: Signature, examples: np.ndarray) -> example_methods.RegressionResult:
        """Values of serialized examples, [rows] of bytes; the signature has the form for it."""
        outputs = self._run("Regress", signature, {example_methods.INPUTS: examples}, [example_methods.OUTPUTS])
        return example_methods.regression(outputs[example_methods.OUTPUTS], len(examples))

    def _run(self, api: str, signature: Signature, inputs: Arrays, outputs: Sequence[str]) -> Arrays:
        largest = max((array.shape[0] for array in inputs.values() if array.ndim), default=0)
        if largest > self._max_rows:
            raise invalid(too_large(largest, self._max_rows))
        feeds = [signature.inputs[alias].name for alias in inputs]
        fetches = [signature.outputs[alias].name for alias in outputs]
        call = self._callable(feeds, fetches)

        def run(arrays: Arrays) -> Arrays:
            try:
                return {alias: _array(value) for alias, value in zip(outputs, call(*arrays.values()), strict=True)}
            except tf.errors.OpError as error:
                raise from_tensorflow(error) from None

        started = time.perf_counter()
        # no rows make no batch: padding needs one to repeat
        if self._batcher and batch_rows(inputs):
            given = self._batcher.submit((self.name, self.version, *feeds, "->", *fetches), inputs, run)
        else:
            given = run(inputs)
        self._metrics.ran(self.name, api, time.perf_counter() - started)
        return given

    def _callable(self, feeds: Sequence[str], fetches: Sequence[str]) -> Callable[..., list[np.ndarray]]:
        key = (*feeds, "->", *fetches)
        with self._lock:
            made = self._callables.get(key)
            if made is None:
                options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
                try:
                    # the public make_callable goes through Session.run, at seven times the cost
                    made = self._session._make_callable_from_options(options)
                except tf.errors.OpError as error:
                    raise invalid(error.message) from None
                self._callables[key] = made
            return made


def _array(value: Any) -> np.ndarray:
    # a session gives scalars, and a scalar string as bytes
    return value if isinstance(value, np.ndarray) else np.array(value, object if isinstance(value, bytes) else None)


def _fed(signature: Signature, inputs: Mapping[str, np.ndarray]) -> Arrays:
    """The arrays in the signature's order, its defaults filled in."""
    sent, taken = sorted(inputs), sorted(signature.inputs)
    if len(sent) > len(taken) or (len(sent) < len(taken) and not signature.defaults):
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(taken)} len({_set(sent)}) != len({_set(taken)}). "
            f"Sent extra: {_set(sorted(set(sent) - set(taken)))}. "
            f"Missing but required: {_set(sorted(set(taken) - set(sent)))}."
        )
    fed = {}
    for alias in taken:
        if alias in inputs:
            fed[alias] = inputs[alias]
        elif alias in signature.defaults:
            fed[alias] = tensors.decode(signature.defaults[alias], alias, max_bytes=2**31)
        else:
            raise invalid(
                f"Signature input alias: {alias}(feed name: {signature.inputs[alias].name}) not found in request and "
                f"no default value provided. Inputs expected to be in the request {_set(sent)}, or default input "
                f"alias set: {','.join(sorted(signature.defaults))}"
            )
    if extra := set(sent) - set(taken):
        used = ",".join(sorted(set(sent) - extra))
        raise invalid(f"Inputs contains invalid name. Used request inputs: {used}, request input: {','.join(sent)}")
    return fed


def _fetched(signature: Signature, wanted: Sequence[str]) -> list[str]:
    """The outputs to fetch, in one order, so that requests for the same ones share a batch."""
    for place, alias in enumerate(wanted):
        if alias not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set "
                f"{_set(sorted(signature.outputs))}."
            )
        if alias in wanted[:place]:
            raise invalid(f"duplicate output tensor alias: {alias}")
    return sorted(wanted or signature.outputs)


def _set(names: Iterable[str]) -> str:
    return "{" + ",".join(names) + "}"
