"""One device, two mirrored devices and two worker processes: images a second, and how far their weights differ.

Run by `ganworks bench scaling`. All train the DCGAN of 28 pixels on the same batches by SGD in float32, from the same
weights. The cores of this machine are what there is to scale over: one device has one half of them, and then all; two
workers have a half each and talk over loopback, so that a second worker is worth what a second machine would be on a
network as fast as that.
"""

import contextlib
import json
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import reporting
from models.config import Experiment, Images, Optimizer, Training

SEED = 0
BATCH = 64
STEPS_PER_CALL = 10
CALLS = 6
"""The first compiles and is not timed."""

MOST_DIFFERENCE = 1e-5
SECONDS = 1_800


class Way(NamedTuple):
    """A row of the table.

    Attributes:
        name: in the table.
        strategy: of the training.
        replicas: that share a batch.
        halves: of the cores that each process has, one number a process.
    """

    name: str
    strategy: str
    replicas: int
    halves: tuple[int, ...]


WAYS = (
    Way("one device, half the cores", "one_device", 1, (1,)),
    Way("one device, all cores", "one_device", 1, (2,)),
    Way("two mirrored devices, all cores", "mirrored", 2, (2,)),
    Way("two workers, half the cores each", "multi_worker", 2, (1, 1)),
)


def main() -> int:
    """Measures and reports; see `benchmarks.reporting.finish`.

    Returns:
        0 where every mark holds, else 4.

    Raises:
        ValueError: this process may use one core alone, or a training failed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    began = time.monotonic()
    rows = measure(CALLS)
    return reporting.finish("scaling", began=began, rows=rows, marks=judge(rows), seed=SEED)


def measure(calls: int) -> list[dict[str, Any]]:
    """A row for each of WAYS, after so many calls of the compiled loop."""
    with tempfile.TemporaryDirectory() as folder:
        for number, way in enumerate(WAYS):
            train_by(way, calls, Path(folder, str(number)))
        return [row(way, Path(folder, str(number)), Path(folder, "0")) for number, way in enumerate(WAYS)]


def train_by(way: Way, calls: int, folder: Path) -> None:
    """Trains in processes of their own; the first one's weights and rates are left in a folder."""
    configs: Sequence[str | None] = loopback(len(way.halves)) if len(way.halves) > 1 else [None]
    halves = cores()
    context = multiprocessing.get_context("spawn")
    processes = []
    for index, (count, tf_config) in enumerate(zip(way.halves, configs, strict=True)):
        own = halves[0] | halves[1] if count == 2 else halves[index]
        arguments = (way, calls, folder / str(index), own, tf_config)
        processes.append(context.Process(target=train_in_this_process, args=arguments, daemon=True))
        processes[-1].start()
    end = time.monotonic() + SECONDS
    for process in processes:
        process.join(max(0, end - time.monotonic()))
    if any(process.exitcode != 0 for process in processes):
        raise ValueError(f"{way.name}: the training failed; its words are above")


def train_in_this_process(way: Way, calls: int, folder: Path, own: set[int], tf_config: str | None) -> None:
    """Trains on these cores, as a worker where there is a TF_CONFIG."""
    # before TensorFlow counts them
    os.sched_setaffinity(0, own)
    if tf_config:
        os.environ["TF_CONFIG"] = tf_config
    if way.strategy == "mirrored":
        split_processor(way.replicas)
    import numpy as np

    from models.examples.arrays import Arrays
    from models.training.loop import make_loop

    config = experiment(way.strategy, calls)
    random = np.random.default_rng(SEED)
    arrays = Arrays.aligned(random.integers(0, 256, [4_096, *config.data.shape], np.uint8))
    folder.mkdir(parents=True)
    loop = make_loop(config, arrays, folder / "checkpoints", folder)
    save_weights(loop.gan, folder / "first.npz")
    loop.run()
    if loop.gan.replicas != way.replicas:
        raise ValueError(f"{way.name} has {way.replicas} replicas; received {loop.gan.replicas}")
    save_weights(loop.gan, folder / "last.npz")
    rates = [each["images_per_second"] for each in loop.history.rows]
    (folder / "rates.json").write_text(json.dumps(rates))


def experiment(strategy: str, calls: int) -> Experiment:
    """The DCGAN of 28 pixels, by SGD: what is scaled wrongly shows in its weights, and not in those of Adam.

    The rate is low: at 0.01 this GAN multiplies a difference in the last digit, such as another order of the same sum
    makes, by ten thousand within ten steps, so that one device on other cores ends elsewhere too.
    """
    sgd = Optimizer(name="sgd", learning_rate=1e-4)
    steps = calls * STEPS_PER_CALL
    training = Training(
        steps=steps,
        batch_size=BATCH,
        steps_per_call=STEPS_PER_CALL,
        checkpoint_every_steps=steps,
        sample_every_steps=steps,
        health={"check_every_steps": steps},
        generator_optimizer=sgd,
        discriminator_optimizer=sgd,
        precision="float32",
        strategy=strategy,
        keep="last",
        seed=SEED,
    )
    return Experiment(name="scaling", data=Images(resolution=28), training=training)


def row(way: Way, folder: Path, reference: Path) -> dict[str, Any]:
    """A line of the table: rates, how far the weights moved, and how far they ended from those of a reference."""
    rate, base = (rate_of(each) for each in (folder, reference))
    last = folder / "0/last.npz"
    return {
        "training": way.name,
        "images_per_second": round(rate),
        "speedup": round(rate / base, 2),
        "largest_weight_change": distance(last, folder / "0/first.npz"),
        "largest_weight_difference": distance(last, reference / "0/last.npz"),
    }


def save_weights(gan: Any, file: Path) -> None:
    """Writes the weights of all networks."""
    import numpy as np

    weights = {
        f"{name}/{number}": variable.numpy()
        for name, network in gan.networks.items()
        for number, variable in enumerate(network.trainable_variables)
    }
    np.savez(file, **weights)


def distance(left: Path, right: Path) -> float:
    """The largest difference of two sets of weights, two digits."""
    import numpy as np

    with np.load(left) as ours, np.load(right) as theirs:
        return float(f"{max(float(np.abs(ours[name] - theirs[name]).max()) for name in theirs.files):.1e}")


def rate_of(folder: Path) -> float:
    """Median images a second of the calls after the first, on the chief."""
    return statistics.median(json.loads((folder / "0/rates.json").read_text())[1:])


def judge(rows: Sequence[dict[str, Any]]) -> list[reporting.Mark]:
    """Holds every way's weights against those of one device."""
    return [
        reporting.at_most(each["training"], each["largest_weight_difference"], MOST_DIFFERENCE) for each in rows[1:]
    ]


def cores() -> tuple[set[int], set[int]]:
    """The cores of this process in two halves.

    Raises:
        ValueError: there is one alone.
    """
    own = sorted(os.sched_getaffinity(0))
    if len(own) < 2:
        raise ValueError("bench scaling divides the cores of this process; it needs at least 2, received 1")
    half = len(own) // 2
    return set(own[:half]), set(own[half : 2 * half])


def split_processor(count: int) -> None:
    """Makes so many devices of the processor; before TensorFlow has looked for devices."""
    import tensorflow as tf

    shares = [tf.config.LogicalDeviceConfiguration()] * count
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], shares)


def loopback(workers: int) -> list[str]:
    """TF_CONFIG of each worker of a cluster on free ports of this machine."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(workers)]
        addresses = [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]
    tasks = [{"type": "worker", "index": index} for index in range(workers)]
    return [json.dumps({"cluster": {"worker": addresses}, "task": task}) for task in tasks]
