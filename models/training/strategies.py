"""The tf.distribute strategies by their names, and the cluster that TF_CONFIG describes."""

import functools
import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Annotated, Literal, Self

import tensorflow as tf
from pydantic import BaseModel, Field, ValidationError, model_validator

from models.config import Experiment
from models.config.frozen import one_line

WAIT_SECONDS = 300
"""How long a worker waits for the others to come up."""

EXAMPLE = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'

Role = Literal["chief", "worker"]


def make_strategy(experiment: Experiment) -> tf.distribute.Strategy:
    """The strategy that a configuration names.

    `multi_worker` comes before anything else that TensorFlow does in a process, and waits until all workers are up.

    Raises:
        ValueError: the global batch does not divide over the replicas; TF_CONFIG is missing or wrong, or a worker does
            not come up within WAIT_SECONDS; the TPU cannot be reached.
    """
    strategy = _make(experiment.training.strategy)
    check_divides(experiment, strategy.num_replicas_in_sync)
    return strategy


@functools.cache
def _make(name: str) -> tf.distribute.Strategy:
    # One for all trainings of a process: a second one would number its messages between replicas from 1 again, and
    # TensorFlow takes them for those of the first. Its server, too, lasts as long as the process.
    return MAKERS[name]()


def check_divides(experiment: Experiment, replicas: int) -> None:
    """Raises ValueError where replicas would not have equal shares of the batch, in whole packs and whole groups."""
    discriminator, batch = experiment.scheme.discriminator, experiment.training.batch_size
    factors = {
        "replicas": replicas,
        "pack": discriminator.pack,
        "batch_group": discriminator.group // discriminator.pack,
    }
    if batch % (replicas * discriminator.group):
        named = " x ".join(f"{name} ({count})" for name, count in factors.items() if count > 1)
        raise ValueError(f"training.batch_size is a multiple of {named}; received {batch}")


def _devices() -> list[str]:
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in devices]


def _one_device() -> tf.distribute.Strategy:
    return tf.distribute.OneDeviceStrategy(_devices()[0])


def _mirrored() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(_devices())


def _multi_worker() -> tf.distribute.Strategy:
    cluster = Cluster.from_json(os.environ.get("TF_CONFIG"))
    meet(cluster.own_address, cluster.addresses)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        reason = error.message.partition("\n")[0]
        raise ValueError(f"the workers of TF_CONFIG did not come together: {reason}; start them all again") from error


def _tpu() -> tf.distribute.Strategy:
    name = os.environ.get("TPU_NAME")
    if not name:
        raise ValueError(
            "training.strategy=tpu connects to the TPU that TPU_NAME names (`local` on a TPU VM); it is not set"
        )
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(name)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"the TPU that TPU_NAME names has to be reachable; {name} is not: {reason}") from error
    return tf.distribute.TPUStrategy(resolver)


MAKERS: dict[str, Callable[[], tf.distribute.Strategy]] = {
    "one_device": _one_device,
    "mirrored": _mirrored,
    "multi_worker": _multi_worker,
    "tpu": _tpu,
}


class _Task(BaseModel):
    type: Role
    index: int = Field(ge=0)


class Cluster(BaseModel):
    """What TF_CONFIG says of a cluster and of the place of this process in it. Further keys are TensorFlow's own."""

    cluster: dict[Role, list[Annotated[str, Field(pattern=r"^[^:/]+:\d+$")]]]
    task: _Task

    @model_validator(mode="after")
    def _task_is_in_the_cluster(self) -> Self:
        count = len(self.cluster.get(self.task.type, []))
        if self.task.index >= count:
            raise ValueError(
                f"task.index is below the number of tasks of its type, {count}; received {self.task.index}"
            )
        if len(set(self.addresses)) < len(self.addresses):
            raise ValueError(f"each task has an address of its own; received {', '.join(self.addresses)}")
        return self

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Reads TF_CONFIG.

        Raises:
            ValueError: there is none, it is no JSON, or it describes no cluster with this process in it.
        """
        if not text:
            raise ValueError(f"training.strategy=multi_worker reads TF_CONFIG, which is not set; for example {EXAMPLE}")
        try:
            return cls.model_validate(json.loads(text))
        except json.JSONDecodeError as error:
            raise ValueError(f"TF_CONFIG is JSON; received {text!r}: {error}; for example {EXAMPLE}") from None
        except ValidationError as error:
            raise ValueError(f"TF_CONFIG: {one_line(cls, error)}; for example {EXAMPLE}") from None

    @property
    def addresses(self) -> list[str]:
        """The addresses of all tasks, `host:port`."""
        return [address for role in ("chief", "worker") for address in self.cluster.get(role, [])]

    @property
    def own_address(self) -> str:
        """The address of this process, `host:port`."""
        return self.cluster[self.task.type][self.task.index]


def meet(own: str, everyone: Iterable[str], seconds: float = WAIT_SECONDS) -> None:
    """Waits until all workers are up: each listens at its address until it has reached all others.

    TensorFlow itself would wait for an hour, deaf to Ctrl-C, and not say for whom.

    Args:
        own: `host:port` of this process.
        everyone: of all.
        seconds: to wait.

    Raises:
        ValueError: the own address is taken, or some worker cannot be reached in this time.
    """
    missing = [address for address in everyone if address != own]
    deadline = time.monotonic() + seconds
    try:
        # the host of the address is how others reach this machine, which need not be what it calls itself
        server = socket.create_server(("", _port(own)))
    except OSError as error:
        raise ValueError(f"a worker listens at its address in TF_CONFIG, {own}: {error.strerror}") from error
    with server:
        while missing := [address for address in missing if not _answers(address)]:
            if time.monotonic() > deadline:
                raise ValueError(
                    f"all workers of TF_CONFIG come up within {seconds} s; {', '.join(missing)} did not; start them all"
                )
            time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        socket.create_connection((address.rpartition(":")[0], _port(address)), timeout=1).close()
    except OSError:
        return False
    return True


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
