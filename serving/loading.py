"""Bringing a version into memory, ready to answer: load, warm, and what its files were when that failed."""

import contextlib
import logging
import time

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from serving.batching import Batcher
from serving.metrics import Metrics
from serving.servable import Servable
from serving.wire import answers
from serving.wire.answers import Limits
from serving.wire.errors import ServingError, invalid

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_WARMUP_RECORDS = 1000

log = logging.getLogger(__name__)


class Loader:
    """Loads and warms versions, for one server.

    Args:
        limits: of requests.
        metrics: receives the time of warm-ups.
        batcher: joins requests into batches; None for none.
    """

    def __init__(self, limits: Limits, metrics: Metrics, batcher: Batcher | None):
        self._limits, self._metrics, self._batcher = limits, metrics, batcher

    def load(self, name: str, version: int, path: str) -> Servable:
        """A version that has answered its warm-up requests.

        Raises:
            Exception: whatever TensorFlow raises for a broken model; ServingError, a warm-up request fails.
        """
        servable = Servable(
            name,
            version,
            path,
            max_rows=self._limits.max_batch_rows,
            metrics=self._metrics,
            batcher=self._batcher,
        )
        try:
            self._warm(servable)
        except BaseException:
            servable.close()
            raise
        return servable

    def _warm(self, servable: Servable) -> None:
        file = tf.io.gfile.join(servable.path, WARMUP_FILE)
        if not tf.io.gfile.exists(file):
            return
        started, status, records = time.perf_counter(), "OK", 0
        try:
            for record in tf.data.TFRecordDataset(file).as_numpy_iterator():
                records += 1
                if records > MAX_WARMUP_RECORDS:
                    raise invalid(f"Number of warmup records exceeds the maximum ({MAX_WARMUP_RECORDS}) at {file}")
                answers.replay(servable, _parsed(record, file), self._limits)
        except ServingError as error:
            status = error.code.name
            raise
        except tf.errors.OpError:
            status = "DATA_LOSS"
            raise
        finally:
            seconds = time.perf_counter() - started
            self._metrics.warmed(servable.path, status, seconds)
        log.info("warmed", extra={"fields": {"model": servable.name, "version": servable.version, "records": records}})


def _parsed(record: bytes, file: str) -> prediction_log_pb2.PredictionLog:
    try:
        return prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError:
        raise invalid(f"Failed to parse warmup record from {file}") from None


def fingerprint(path: str) -> tuple[tuple[str, int, int], ...]:
    """The files below a directory with their times and sizes: whether a broken version has changed."""
    seen = []
    for folder, _, files in tf.io.gfile.walk(path):
        for file in files:
            name = tf.io.gfile.join(folder, file)
            # a file may go away while we look
            with contextlib.suppress(tf.errors.OpError, OSError):
                stat = tf.io.gfile.stat(name)
                seen.append((name, stat.mtime_nsec, stat.length))
    return tuple(sorted(seen))
