"""Validates a model by serving it: what is pushed has answered, in a fresh process, before anybody asks it."""

import dataclasses
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tfx.utils import io_utils

from components.serving_validator import checks, process
from components.serving_validator.real import Real
from components.serving_validator.requests import Request, requests, write_warm_up
from models.config import Experiment
from models.export.card import card
from models.export.interface import MAIN, Interface
from models.export.reading import read_interface
from models.export.saved import CARD, WARM_UP
from serving.client import Client, ServingError

VERSION = "1"
SHOWN_FAULTS = 3


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a validation.

    Attributes:
        blessed: whether the model may be pushed.
        reason: why, in words.
        latency: milliseconds of one example by the main signature, the median of some calls by gRPC; None if none came.
    """

    blessed: bool
    reason: str
    latency: float | None = None


def validate(
    model: str, experiment: Experiment, real: Real, *, judged: Mapping[str, Any] | None, output: str
) -> Outcome:
    """Serves a model in a fresh process, asks all its signatures by gRPC and REST, and holds it to its latency budget.

    Args:
        model: directory of the SavedModel.
        experiment: `name` is served, `serving` says what is required.
        real: examples to ask with.
        judged: the evaluator's figures, for the card.
        output: receives the model as it was served, with its card and the requests as warm-up; nothing where it fails.

    Raises:
        ValueError: the model is none of ours, or a signature takes what no request can be made of.
    """
    with tempfile.TemporaryDirectory(prefix="ganworks-") as scratch:
        candidate = Path(scratch, experiment.name, VERSION)
        io_utils.copy_dir(model, str(candidate))
        (candidate / CARD).write_text(card(str(candidate), judged))
        loaded, interface = tf.saved_model.load(str(candidate)), read_interface(str(candidate))
        asked = requests(interface, real)
        (candidate / WARM_UP).parent.mkdir(exist_ok=True)
        write_warm_up(asked, experiment.name, str(candidate / WARM_UP))
        expected = [checks.answer(loaded.signatures[request.signature], request) for request in asked]
        try:
            with process.serving(candidate.parent) as ports:
                outcome = _ask(ports, experiment, interface, asked, expected)
        except (ValueError, ServingError) as error:
            outcome = Outcome(False, f"refused: it cannot be served: {' '.join(str(error).split())}")
        if outcome.blessed:
            io_utils.copy_dir(str(candidate), output)
    return outcome


def judgement(evaluation: str) -> dict[str, Any]:
    """The figures in an evaluator's folder."""
    with tf.io.gfile.GFile(f"{evaluation}/metrics.json") as file:
        return dict(json.loads(file.read()))


def _ask(
    ports: process.Ports,
    experiment: Experiment,
    interface: Interface,
    asked: Sequence[Request],
    expected: Sequence[Mapping[str, np.ndarray]],
) -> Outcome:
    name, budget = experiment.name, experiment.serving.latency_milliseconds
    with Client(f"127.0.0.1:{ports.grpc}", name) as grpc, Client(f"127.0.0.1:{ports.rest}", name, api="rest") as rest:
        found = list(checks.faults(grpc, rest, asked, expected, interface))
        if found:
            more = f"; and {len(found) - SHOWN_FAULTS} more" if len(found) > SHOWN_FAULTS else ""
            return Outcome(False, f"refused: served, {'; '.join(found[:SHOWN_FAULTS])}{more}")
        drawing = interface.drawing() or MAIN
        main = next((each for each in asked if each.signature == drawing), asked[0])
        latency = checks.latency(grpc, main.row(0))
    told = f"{main.signature} takes {latency:.1f} ms"
    if latency > budget:
        return Outcome(False, f"refused: {told}, at most {budget:g} ms are allowed", latency)
    return Outcome(True, f"served: {len(asked)} requests by gRPC and REST had the right answers; {told}", latency)
