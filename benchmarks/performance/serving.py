"""What serving costs: requests a second and their times by gRPC and REST, beside the model called without a server.

Run by `ganworks bench serving`. The model is that of `digits-cgan` with fresh weights, as fast as trained ones. The
server is `ganworks serve --embedded` in a process of its own; the callers are coroutines of this one. Server, model and
callers share the machine's cores, where clients of TF Serving have machines of their own. An empty gRPC server, which
has one answer of the same size for all, tells what Python's gRPC takes by itself.
"""

import asyncio
import concurrent.futures
import contextlib
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import grpc
import httpx
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from benchmarks import reporting
from models.catalog import lookup
from models.export import saving
from pipeline.experiments.named import DIGITS_CGAN

SEED = 0
CONCURRENCIES = (1, 8, 32)
ROWS = (1, 32)
"""Examples of a request: one, which the server joins with others to a batch, and a batch of its own."""

SECONDS = 8
"""How long a measurement lasts, after one that does not count."""

ENDURANCE = 100_000
WARM = 10_000
"""Requests that are all answered, and those after which memory shall stay what it is."""

BATCHING = """max_batch_size { value: 32 }
batch_timeout_micros { value: 0 }
max_enqueued_batches { value: 1000 }
num_batch_threads { value: 2 }
allowed_batch_sizes: [1, 2, 4, 8, 16, 32]
"""
"""A batch is what waits when a core is free."""

LEAST_OF_IN_PROCESS = 0.7
MOST_OF_MODELS_TIME = 3
MOST_GROWTH_MIB = 20

NAME = DIGITS_CGAN.name
Call = Callable[[], Awaitable[None]]


class Times(NamedTuple):
    """Requests a second, and the times of single ones in milliseconds."""

    rate: float
    p50: float
    p99: float


class Ports(NamedTuple):
    """Where a server listens, on loopback, and its process."""

    grpc: int
    rest: int
    process: int


def main() -> int:
    """Measures and reports; see `benchmarks.reporting.finish`.

    Returns:
        0 where every mark holds, else 4.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ganworks-") as scratch:
        model = Path(scratch, NAME, "1")
        saving.save(lookup("scheme", DIGITS_CGAN.scheme.name)(DIGITS_CGAN), str(model))
        times: dict[tuple[str, int, int], Times] = {}
        for rows in ROWS:
            for callers in CONCURRENCIES:
                times["in the process", rows, callers] = in_process(model, rows, callers)
        with served(model.parent) as ports:
            for rows in ROWS:
                for callers in CONCURRENCIES:
                    times["gRPC", rows, callers] = asyncio.run(measured(by_grpc(ports.grpc, rows), callers))
                    times["REST", rows, callers] = asyncio.run(measured(by_rest(ports.rest, rows), callers))
            failed, growth = asyncio.run(endure(ports))
    for rows in ROWS:
        with empty(rows) as port:
            for callers in CONCURRENCIES:
                times["empty gRPC server", rows, callers] = asyncio.run(measured(by_grpc(port, rows), callers))
    return reporting.finish("serving", began=began, rows=table(times), marks=judge(times, failed, growth), seed=SEED)


def inputs(rows: int) -> dict[str, np.ndarray]:
    """What `serving_default` takes."""
    z = np.random.default_rng(SEED).standard_normal([rows, DIGITS_CGAN.scheme.generator.latent.size])
    return {"z": z.astype(np.float32), "label": np.arange(rows) % DIGITS_CGAN.data.classes}


def in_process(model: Path, rows: int, callers: int) -> Times:
    """The loaded SavedModel's signature, called by threads."""
    loaded = tf.saved_model.load(str(model))
    signature, given = loaded.signatures["serving_default"], inputs(rows)
    counts = time.perf_counter() + 1

    def caller(_: int) -> list[float]:
        took = []
        while (now := time.perf_counter()) < counts + SECONDS:
            answer = signature(**{name: tf.constant(value) for name, value in given.items()})
            for value in answer.values():
                value.numpy()
            if now > counts:
                took.append(time.perf_counter() - now)
        return took

    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        return summary([each for took in pool.map(caller, range(callers)) for each in took])


@contextlib.asynccontextmanager
async def by_grpc(port: int, rows: int) -> AsyncIterator[Call]:
    """A request by gRPC, on one channel for all callers."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = NAME
    for name, value in inputs(rows).items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict

        async def call() -> None:
            await predict(request)

        yield call


@contextlib.asynccontextmanager
async def by_rest(port: int, rows: int) -> AsyncIterator[Call]:
    """A request by REST in the column format, on a connection for each caller."""
    body = json.dumps({"inputs": {name: value.tolist() for name, value in inputs(rows).items()}}).encode()
    url = f"http://127.0.0.1:{port}/v1/models/{NAME}:predict"
    connector = aiohttp.TCPConnector(limit=max(CONCURRENCIES))
    async with aiohttp.ClientSession(connector=connector, raise_for_status=True) as session:

        async def call() -> None:
            async with session.post(url, data=body) as answer:
                await answer.read()

        yield call


async def measured(way: contextlib.AbstractAsyncContextManager[Call], callers: int) -> Times:
    """So many callers, each of which asks again when it was answered."""
    took: list[float] = []
    async with way as call:
        counts = time.perf_counter() + 1

        async def caller() -> None:
            while (now := time.perf_counter()) < counts + SECONDS:
                await call()
                if now > counts:
                    took.append(time.perf_counter() - now)

        await asyncio.gather(*(caller() for _ in range(callers)))
    return summary(took)


async def endure(ports: Ports) -> tuple[int, float]:
    """ENDURANCE requests, half by gRPC and half by REST: those that failed, and MiB that the server grew after WARM."""
    left, failed, before = ENDURANCE, 0, 0.0
    async with by_grpc(ports.grpc, 1) as grpc_call, by_rest(ports.rest, 1) as rest_call:

        async def caller(call: Call) -> None:
            nonlocal left, failed, before
            while left > 0:
                left -= 1
                if left == ENDURANCE - WARM:
                    before = resident_mib(ports.process)
                try:
                    await call()
                except (grpc.RpcError, aiohttp.ClientError) as error:
                    failed += 1
                    sys.stderr.write(f"{error}\n")

        await asyncio.gather(*(caller(call) for call in (grpc_call, rest_call) for _ in range(4)))
    return failed, resident_mib(ports.process) - before


def resident_mib(process: int) -> float:
    """Memory of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.contextmanager
def served(directory: Path) -> Iterator[Ports]:
    """`ganworks serve` of a folder of versions, in a process of its own."""
    batching, log = directory.parent / "batching.config", directory.parent / "log"
    batching.write_text(BATCHING)
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = one.getsockname()[1], other.getsockname()[1]
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "serve", str(directory), "--embedded"]
    command += ["--grpc-port", str(ports[0]), "--rest-port", str(ports[1])]
    with log.open("w") as file:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, "--batching-parameters-file", str(batching)], stdout=file, stderr=subprocess.STDOUT
        )
    try:
        while not _answers(f"http://127.0.0.1:{ports[1]}/readyz"):
            if process.poll() is not None:
                raise ValueError(f"the server ended before it answered:\n{log.read_text()}")
            time.sleep(0.1)
        yield Ports(*ports, process.pid)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def empty(rows: int) -> Iterator[int]:
    """The port of a gRPC server, in a process of its own, that gives the same answer to all."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=answer_alike, args=(theirs, rows), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def answer_alike(parent: Connection, rows: int) -> None:
    """In the process: serves until it is killed."""
    response = predict_pb2.PredictResponse()
    image = np.zeros([rows, *DIGITS_CGAN.data.shape], np.float32)
    response.outputs["image"].CopyFrom(tf.make_tensor_proto(image))

    class Same(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request: Any, context: Any) -> predict_pb2.PredictResponse:  # noqa: N802 - the stub's name
            return response

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max(CONCURRENCIES)))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Same(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    parent.send(port)
    server.wait_for_termination()


def summary(took: list[float]) -> Times:
    """Percentiles of the seconds that requests took."""
    p50, p99 = 1_000 * np.quantile(took, [0.5, 0.99])
    return Times(len(took) / SECONDS, float(p50), float(p99))


def table(times: dict[tuple[str, int, int], Times]) -> list[dict[str, Any]]:
    """A row of each measurement."""
    return [
        {
            "by": by,
            "rows": rows,
            "callers": callers,
            "requests_per_second": round(each.rate),
            "images_per_second": round(each.rate * rows),
            "p50_ms": round(each.p50, 2),
            "p99_ms": round(each.p99, 2),
        }
        for (by, rows, callers), each in sorted(times.items(), key=lambda item: item[0][1:])
    ]


def judge(times: dict[tuple[str, int, int], Times], failed: int, growth: float) -> list[reporting.Mark]:
    """Holds gRPC against the model alone, and the server against itself.

    Of the first mark, both have the callers that suit them best; the model's own time is what one caller waits for.
    """
    best = {
        by: max(times[by, ROWS[-1], callers].rate for callers in CONCURRENCIES) for by in ("gRPC", "in the process")
    }
    waited = times["gRPC", 1, 8].p99 / times["in the process", 1, 1].p50
    return [
        reporting.at_least(
            "batched_grpc_of_in_process", round(best["gRPC"] / best["in the process"], 2), LEAST_OF_IN_PROCESS
        ),
        reporting.at_most("p99_of_8_callers_in_model_times", round(waited, 1), MOST_OF_MODELS_TIME),
        reporting.at_most(f"failed_of_{ENDURANCE}", failed, 0),
        reporting.at_most("growth_mib", round(growth, 1), MOST_GROWTH_MIB),
    ]


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
