"""Prometheus metrics, under TF Serving's names where it has them."""

import threading
from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import Metric, UntypedMetricFamily
from prometheus_client.registry import Collector

PATH = "/monitoring/prometheus/metrics"

_MICROSECONDS = [10 * 1.8**power for power in range(33)]
"""TF Serving's buckets: 10 microseconds to about 20 minutes."""


class _RequestCount(Collector):
    """A count whose name is TF Serving's own; the library would append `_total`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, model: str, status: str) -> None:
        with self._lock:
            self._counts[model, status] += 1

    def collect(self) -> Iterator[Metric]:
        family = UntypedMetricFamily(
            ":tensorflow:serving:request_count", "The total number of requests.", labels=["model_name", "status"]
        )
        with self._lock:
            for labels, count in self._counts.items():
                family.add_metric(labels, count)
        yield family


class Metrics:
    """The counts and times of one server; each has its own registry, so that a process may hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = _RequestCount()
        self.registry.register(self._requests)
        self._latency = self._histogram(
            "request_latency", "Wall time of a request, in microseconds.", "model_name", "API", "entrypoint"
        )
        self._runtime = self._histogram(
            "runtime_latency", "Wall time of the model, in microseconds.", "model_name", "API", "runtime"
        )
        self._warmup = self._histogram(
            "model_warmup_latency", "Wall time of warming a model, in microseconds.", "model_path", "status"
        )
        self._queuing = self._histogram("batching_session:queuing_latency", "Microseconds in a batching queue.")
        self._batch_size = Histogram(
            ":tensorflow:serving:batching_session:processed_batch_size",
            "Rows of a batch, with its padding.",
            buckets=[2**power for power in range(15)],
            registry=self.registry,
        )
        self._available = Gauge(
            "ganworks:serving:model_available",
            "1 for each version that answers.",
            ["model_name", "version"],
            registry=self.registry,
        )

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f":tensorflow:serving:{name}", text, labels, buckets=_MICROSECONDS, registry=self.registry)

    def request(self, model: str, api: str, entrypoint: str, status: str, seconds: float) -> None:
        """Counts a request; as in TF Serving, the time of one that was refused is not kept."""
        self._requests.add(model, status)
        if status == "OK":
            self._latency.labels(model, api, entrypoint).observe(seconds * 1e6)

    def ran(self, model: str, api: str, seconds: float) -> None:
        """Keeps the time that a request spent in its model, waiting for a batch included."""
        self._runtime.labels(model, api, "TF1").observe(seconds * 1e6)

    def warmed(self, path: str, status: str, seconds: float) -> None:
        """Keeps the time of a warm-up."""
        self._warmup.labels(path, status).observe(seconds * 1e6)

    def batch(self, rows: int, queued_seconds: list[float]) -> None:
        """Keeps the size of a batch and what each of its requests waited."""
        self._batch_size.observe(rows)
        for seconds in queued_seconds:
            self._queuing.observe(seconds * 1e6)

    def available(self, model: str, version: int, answers: bool) -> None:
        """Says whether a version answers."""
        if answers:
            self._available.labels(model, str(version)).set(1)
        else:
            self._available.remove(model, str(version))

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)
