"""From measurements to a verdict: nothing is drawn, looked at or measured here."""

import dataclasses
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from components.gan_evaluator import gate, report
from components.gan_evaluator.history import at_the_end, health
from components.gan_evaluator.measuring.measurements import Measurements
from models import catalog
from models.config import Experiment
from models.metrics.bounds import refusing_errors

CHANCE = 0.01
"""A share of examples that may be equal to held-out ones, such as empty pictures."""

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The outcome of a judgement.

    Attributes:
        blessed: whether every threshold holds.
        reason: why, in words.
        lines: each metric.
        warnings: what to know before the figures are believed, a sentence each.
        counts: examples of each kind.
        protocol: what else decides the figures, and where they come from: seed, extractor, health of the training,
            what made the model, the artifacts that were read.
        measured: what was measured for this verdict; nothing where all of it was measured before.
        html: the report.
    """

    blessed: bool
    reason: str
    lines: dict[str, gate.Line]
    warnings: list[str]
    counts: dict[str, int]
    protocol: dict[str, Any]
    measured: list[str]
    html: str

    def to_json(self) -> str:
        """All but the report, as `metrics.json` has it."""
        tree = {
            "blessed": self.blessed,
            "reason": self.reason,
            "metrics": {name: line.to_json() for name, line in self.lines.items()},
            "warnings": self.warnings,
            "counts": self.counts,
            "protocol": self.protocol,
            "measured": self.measured,
        }
        return json.dumps(tree, indent=1, allow_nan=False)

    def write(self, directory: str) -> None:
        """Writes `metrics.json` and `report.html`."""
        tf.io.gfile.makedirs(directory)
        texts = {"metrics.json": self.to_json(), "report.html": self.html}
        for name, text in texts.items():
            with tf.io.gfile.GFile(f"{directory}/{name}", "w") as file:
                file.write(text)


class Measured(NamedTuple):
    """What a verdict stands on.

    Attributes:
        judged: the generator's, or those of images of another system.
        floor: of training examples in the place of generated ones.
        baseline: of the latest blessed model; None without one.
        now: see `Verdict.measured`.
    """

    judged: Measurements
    floor: Measurements
    baseline: Measurements | None
    now: list[str]


def decide(
    measured: Measured,
    experiment: Experiment,
    protocol: Mapping[str, Any],
    *,
    history: Sequence[dict[str, float]] | None,
    warnings: Sequence[str] = (),
) -> Verdict:
    """Holds measurements against the thresholds of an experiment. Equal arguments give equal verdicts.

    Args:
        measured: the figures, and what is shown.
        experiment: its `evaluation` decides; the whole is shown in the report.
        protocol: `extractor`, `baseline`, and what else `Verdict.protocol` is to hold.
        history: of the training; None for images that have none, of which only what a threshold asks is listed.
        warnings: what is known already; see `Verdict`.

    Raises:
        ValueError: there are no pictures of what is judged.
    """
    if measured.judged.pictures is None:
        raise ValueError("a report shows what is judged; received measurements without pictures")
    lines = _lines(measured, experiment) | _player_lines(history, experiment)
    faults = {name: catalog.METRICS[key].fault for name, key in _names(experiment).items()}
    blessed, reason = gate.reason_of(lines, faults)
    _log.info("%s", reason)
    counts = _counts(measured)
    told = [*warnings, *_warnings(counts, lines)]
    for warning in told:
        _log.warning("%s", warning)
    evaluation = experiment.evaluation
    rest = {
        "health": health(list(history or [])),
        "seed": evaluation.seed,
        "split": evaluation.split,
        "extractor": protocol["extractor"] | {"name": evaluation.extractor},
        "confidence": evaluation.confidence,
        "standard_errors": refusing_errors(evaluation),
    }
    evidence = report.Evidence(
        experiment=experiment,
        blessed=blessed,
        lines=lines,
        warnings=told,
        faults=faults,
        counts=counts,
        protocol={**protocol, **rest},
        pictures=measured.judged.pictures,
        history=list(history or []),
    )
    return Verdict(blessed, reason, lines, told, counts, evidence.protocol, measured.now, report.render(evidence))


def _names(experiment: Experiment) -> dict[str, str]:
    """See `catalog.metric_names`; those of this kind of data."""
    return catalog.metric_names(experiment.evaluation.extractor, experiment.data.kind, experiment.scheme.task)


def _counts(measured: Measured) -> dict[str, int]:
    """Examples of each kind."""
    found = measured.judged.counts | measured.floor.counts
    first = ("generated", "real", "noise_floor")
    return {name: found[name] for name in (*first, *(each for each in found if each not in first))}


def _warnings(counts: Mapping[str, int], lines: Mapping[str, gate.Line]) -> Iterator[str]:
    """What the figures do not say of themselves."""
    if copies := counts["held_out_copies"]:
        of = copies + counts["eval"]
        yield f"{copies:,} of {of:,} held-out examples are copies of training ones and were left out of the reference"
    equal, generated = counts["equal_to_held_out"], counts["generated"]
    if equal > CHANCE * generated:
        yield (
            f"{equal:,} of {generated:,} generated examples are equal to held-out ones: who made them has seen what "
            "judges them, and the figures flatter"
        )
    for name, line in lines.items():
        if line.blunt:
            yield f"the bound of {name} is blunt: {line.blunt}"


def _lines(measured: Measured, experiment: Experiment) -> dict[str, gate.Line]:
    """Every metric of the catalog, held against its threshold."""
    judged, floor, baseline = measured.judged, measured.floor.estimates, measured.baseline
    return {
        name: gate.judge_metric(
            judged.estimates.get(name),
            experiment.evaluation.thresholds.get(name),
            evaluation=experiment.evaluation,
            floor=floor.get(name),
            baseline=baseline.estimates.get(name) if baseline else None,
            better=catalog.METRICS[key].better,
            measures=catalog.METRICS[key].measures,
            missing=judged.missing.get(name, ""),
            untouched=judged.untouched.get(name),
        )
        for name, key in _names(experiment).items()
    }


def _player_lines(history: Sequence[dict[str, float]] | None, experiment: Experiment) -> dict[str, gate.Line]:
    """The discriminator's accuracies as metrics; neither direction is good."""
    lines = {
        name: gate.judge_metric(
            at_the_end(list(history or []), name),
            experiment.evaluation.thresholds.get(name),
            evaluation=experiment.evaluation,
            floor=None,
            baseline=None,
            better=None,
            measures=measures,
            missing="the training did not log it",
        )
        for name, measures in catalog.PLAYERS.items()
    }
    # images of another system have no training to tell of; what a threshold asks of one cannot be estimated
    return {name: line for name, line in lines.items() if history is not None or line.threshold}
