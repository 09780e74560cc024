"""Images a second of our training loop, beside bare TensorFlow and eager PyTorch, on one DCGAN of 28 pixels.

Run by `ganworks bench throughput`. All contenders of a batch size are processes that stay, and take turns: what else
the machine does, and what its clock does, meets them all. Medians over the turns are reported.
"""

import importlib.util
import math
import multiprocessing
import os
import statistics
import time
from typing import Any, NamedTuple

from benchmarks import reporting
from benchmarks.performance import contenders

BATCHES = (64, 256)
PRECISIONS = ("float32", "bfloat16")
PYTORCH_PRECISIONS = ("float32", "float32, channels_last", "bfloat16", "bfloat16, channels_last")
TURNS = 9
IMAGES_A_TURN = 1_280

LEAST_OF_TENSORFLOW = 0.97
LEAST_OF_PYTORCH = 2


class Contender(NamedTuple):
    """Who trains, and how."""

    name: str
    precision: str


def main() -> int:
    """Measures and reports; see `benchmarks.reporting.finish`.

    Returns:
        0 where every mark holds, else 4.

    Raises:
        ValueError: PyTorch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise ValueError("bench throughput compares with PyTorch, which is not installed: pip install 'torch>=2.13,<3'")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    began = time.monotonic()
    peak = isolated(measure_peak)
    rates = {batch: measure(batch) for batch in BATCHES}
    flops = isolated(count_flops)
    rows = [row(batch, each, images, peak, flops) for batch in BATCHES for each, images in rates[batch].items()]
    return reporting.finish("throughput", began=began, rows=rows, marks=judge(rates))


def field() -> list[Contender]:
    """All that a batch size is measured for."""
    ours = [Contender(name, precision) for name in ("ganworks", "tensorflow") for precision in PRECISIONS]
    return ours + [Contender("pytorch", precision) for precision in PYTORCH_PRECISIONS]


def measure(batch: int) -> dict[Contender, list[float]]:
    """Images a second of each contender in each of its turns."""
    steps = max(1, IMAGES_A_TURN // batch)
    running = {each: Running(each, batch, steps) for each in field()}
    # the first turn compiles
    turns = [{each: process.turn() for each, process in running.items()} for _ in range(1 + TURNS)][1:]
    for process in running.values():
        process.stop()
    return {each: [turn[each] for turn in turns] for each in running}


class Running:
    """The process of a contender: takes `True` for a turn and answers after it, and `False` at the end."""

    def __init__(self, contender: Contender, batch: int, steps: int):
        self.contender, self.images = contender, steps * batch
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        arguments = (theirs, contender.name, batch, contender.precision, steps)
        self.process = context.Process(target=contenders.serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def turn(self) -> float:
        """Images a second of a turn."""
        began = time.monotonic()
        self.pipe.send(True)
        try:
            self.pipe.recv()
        except (EOFError, OSError):
            raise ValueError(
                f"{self.contender.name} in {self.contender.precision} failed; its words are above"
            ) from None
        return self.images / (time.monotonic() - began)

    def stop(self) -> None:
        """Ends the process."""
        self.pipe.send(False)
        self.process.join()


def isolated(function: Any) -> Any:
    """The result of a function that is called in a process of its own, whose threads end with it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function)


def measure_peak(size: int = 2_048, seconds: float = 5) -> float:
    """GFLOP/s of the best of many bfloat16 matrix products: what the machine's matrix units give at most."""
    import tensorflow as tf

    matrix = tf.cast(tf.random.normal([size, size]), tf.bfloat16)
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    best, end = float("inf"), time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best / 1e9


def count_flops() -> float:
    """GFLOP of a step for one image: the multiplications and additions of dense and convolutional layers.

    The generator runs twice and is differentiated once, the discriminator runs three times and is differentiated twice
    for its weights; the generator's update asks it for the gradient of its input. A gradient, of inputs or of weights,
    takes as many as the value; that of a network's input is not needed for its own update.
    """
    generator, discriminator = (layer_flops(network) for network in contenders.keras_networks())
    once = 2 * sum(generator) + 2 * sum(generator) - generator[0]
    judged = 3 * sum(discriminator) + 2 * (2 * sum(discriminator) - discriminator[0]) + sum(discriminator)
    return (once + judged) / 1e9


def layer_flops(network: Any) -> list[int]:
    """Multiplications and additions of each layer with a kernel, for one example."""
    flops = []
    for layer in network.layers:
        if hasattr(layer, "kernel"):
            places = layer.input if "transpose" in layer.name else layer.output
            flops.append(2 * math.prod(layer.kernel.shape) * math.prod(places.shape[1:-1]))
    return flops


def row(batch: int, contender: Contender, images: list[float], peak: float, flops: float) -> dict[str, Any]:
    """A line of the table."""
    median = statistics.median(images)
    return {
        "batch": batch,
        "training": contender.name,
        "precision": contender.precision,
        "images_per_second": round(median),
        "lowest": round(min(images)),
        "highest": round(max(images)),
        "gflops_per_second": round(median * flops),
        "share_of_bfloat16_peak": round(median * flops / peak, 3),
    }


def judge(rates: dict[int, dict[Contender, list[float]]]) -> list[reporting.Mark]:
    """Holds ours against theirs, turn by turn."""
    marks = []
    for batch, of in rates.items():
        for precision in PRECISIONS:
            ratio = _ratio(of[Contender("ganworks", precision)], of[Contender("tensorflow", precision)])
            marks.append(reporting.at_least(f"of_tensorflow_{precision}_{batch}", ratio, LEAST_OF_TENSORFLOW))
        best = {name: _best(of, name) for name in ("ganworks", "pytorch")}
        ratio = _ratio(of[best["ganworks"]], of[best["pytorch"]])
        marks.append(reporting.at_least(f"of_pytorch_{batch}", ratio, LEAST_OF_PYTORCH))
    return marks


def _best(rates: dict[Contender, list[float]], name: str) -> Contender:
    return max((each for each in rates if each.name == name), key=lambda each: statistics.median(rates[each]))


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(one / other for one, other in zip(ours, theirs, strict=True)), 2)
