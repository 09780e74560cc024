"""What Vertex AI and Kubeflow Pipelines have in common: a pipeline is handed over, and looked at until it ends."""

import abc
import dataclasses
import re
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console

MOST_LOOKS = 5
"""Failures to reach the cluster, one after the other, before waiting is given up."""


@dataclasses.dataclass(frozen=True)
class Order:
    """What is to run.

    Attributes:
        spec: a PipelineSpec of version 2.1, as plain values; it says where the runs' files go.
        name: of the pipeline.
        parameters: runtime parameter -> value, typed as the spec types them.
        service_account: that the tasks run as; None for the cluster's default.
        schedule: cron expression of a recurring run; None for one run now.
    """

    spec: Mapping[str, Any]
    name: str
    parameters: Mapping[str, Any]
    service_account: str | None = None
    schedule: str | None = None


@dataclasses.dataclass(frozen=True)
class Submitted:
    """What a cluster has taken on.

    Attributes:
        name: by which it knows the run, or the recurring run.
        page: where people look at it.
    """

    name: str
    page: str


@dataclasses.dataclass(frozen=True)
class State:
    """How a run stands.

    Attributes:
        name: the cluster's word in lower case: `running`, `succeeded`, `failed`.
        ended: whether it will not change any more.
        failures: task -> what it says.
    """

    name: str
    ended: bool
    failures: Mapping[str, str]


class Refused(ValueError):
    """A cluster did not take what was sent, or could not be reached; one line."""


class Cluster(abc.ABC):
    """Where pipelines are submitted."""

    @abc.abstractmethod
    def submit(self, order: Order) -> Submitted:
        """Hands an order over. Raises Refused."""

    @abc.abstractmethod
    def state(self, run: Submitted) -> State:
        """Asks for the state of a run. Raises Refused."""


def wait(cluster: Cluster, run: Submitted, console: Console, *, seconds: float) -> None:
    """Looks at a run until it ends, and tells each change.

    Args:
        cluster: that has it.
        run: of `Cluster.submit`, no recurring one.
        console: receives a line a change.
        seconds: between looks, > 0.

    Raises:
        ValueError: it ended otherwise than well; the message names the task that failed, and its words.
        Refused: the cluster cannot be reached, MOST_LOOKS times in turn.
    """
    told, missed = "", 0
    while True:
        try:
            state, missed = cluster.state(run), 0
        except Refused:
            missed += 1
            if missed == MOST_LOOKS:
                raise
        else:
            if state.name != told:
                told = state.name
                console.print(f"{time.strftime('%H:%M:%S')}  {told}")
            if state.ended:
                break
        time.sleep(seconds)
    if state.name != "succeeded":
        tasks = [f"task {task}: {words}" for task, words in state.failures.items()] or ["no task says why"]
        raise ValueError(f"the run {state.name}; {'; '.join(tasks)}; see {run.page}")


def one_line(words: object) -> str:
    """What a cluster or a task says, without what would look like a credential, cut where it grows long."""
    text = " ".join(str(words).split())
    text = re.sub(r"(?i)(bearer|token|authorization)([\"'\s:=]+)(?:bearer\s+)?[^\s\"',}]+", r"\1\2***", text)
    return text if len(text) <= 500 else f"{text[:500]}..."
