"""Judges a generator: samples, measures, compares, and says why it may or may not be served."""

import dataclasses
import functools
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.beam import local_pipeline
from components.gan_evaluator import gate, report
from components.gan_evaluator.copies import equal_to
from components.gan_evaluator.history import at_the_end, health, read_history
from components.gan_evaluator.instruments import Instruments, some
from components.gan_evaluator.measuring import Population
from components.gan_evaluator.populations import MakePipeline, Side, look
from components.gan_evaluator.saved_models import Extractor, Generator
from models import catalog
from models.config import Experiment
from models.data import Arrays, read_examples
from models.metrics.estimate import Estimate

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
        html: the report.
    """

    blessed: bool
    reason: str
    lines: dict[str, gate.Line]
    warnings: list[str]
    counts: dict[str, int]
    protocol: dict[str, Any]
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
        }
        return json.dumps(tree, indent=1, allow_nan=False)

    def write(self, directory: str) -> None:
        """Writes `metrics.json` and `report.html`."""
        tf.io.gfile.makedirs(directory)
        texts = {"metrics.json": self.to_json(), "report.html": self.html}
        for name, text in texts.items():
            with tf.io.gfile.GFile(f"{directory}/{name}", "w") as file:
                file.write(text)


def judge(
    *,
    model: str,
    train_examples: Sequence[str],
    eval_examples: Sequence[str],
    feature_model: str,
    experiment: Experiment,
    run_dir: str | None = None,
    baseline: str | None = None,
    make_pipeline: MakePipeline = local_pipeline,
    scratch: str | None = None,
    lineage: Sequence[Mapping[str, Any]] = (),
    ingested: Sequence[Mapping[str, Any]] = (),
) -> Verdict:
    """Judges a generator against held-out examples. Equal inputs give equal figures.

    What depends on the number of examples is compared in parts of equal size: of generated ones, and of training ones
    in their place, which give the noise floor. The labels that are asked for are those of training examples, so that
    classes have their real shares. Held-out examples that stand among the training ones leave the reference.

    Args:
        model: directory of the generator's SavedModel.
        train_examples: file patterns of the transformed training examples.
        eval_examples: file patterns of the transformed held-out examples.
        feature_model: directory of the extractor's SavedModel.
        experiment: `data` and `evaluation` decide; the whole is shown in the report.
        run_dir: directory of the training run with `history.jsonl`, if there is one.
        baseline: directory of the latest blessed generator's SavedModel, measured again with the same seeds.
        make_pipeline: makes the Beam pipelines that draw and look.
        scratch: a directory for these, which all their workers reach; None for one of this machine.
        lineage: of each artifact that is read: its `role`, the `stage` that made it, its `id` and `uri`; shown.
        ingested: what became of each source of examples, as `components.example_gen.notes.ingested` says; shown.

    Raises:
        ValueError: a model cannot be loaded or lacks a signature, examples are not finite, out of range or of the wrong
            size, a class has no held-out example.
    """
    reference = _read(train_examples, eval_examples, experiment)
    generator = Generator(model, experiment)
    instruments = _instruments(reference, experiment, feature_model, make_pipeline, experiment.evaluation.samples)
    seen = instruments.look(instruments.side(generator), scratch)
    history = read_history(run_dir)
    blessed, baseline_state = _measure_baseline(instruments, seen, baseline, scratch)
    lines = _lines(instruments, seen, blessed) | _player_lines(history, experiment)
    protocol = {
        "extractor": Extractor(feature_model).record,
        "baseline": baseline_state,
        "health": health(history),
        "made_by": generator.record,
        "lineage": [dict(each) for each in lineage],
        "ingested": [dict(each) for each in ingested],
    }
    return _verdict(instruments, seen, lines, protocol, reference, history=history, ways=instruments.ways(generator))


def judge_images(
    *,
    images: Arrays,
    train_examples: Sequence[str],
    eval_examples: Sequence[str],
    feature_model: str,
    experiment: Experiment,
    origin: Mapping[str, str],
    warnings: Sequence[str] = (),
    make_pipeline: MakePipeline = local_pipeline,
) -> Verdict:
    """Judges images that another system made, as `judge` does those of a generator.

    As many are judged as evaluation.samples, or as there are images where those are fewer.

    Args:
        images: to judge, with the classes asked for, if there are any, as labels.
        train_examples: as in `judge`; `eval_examples` and `feature_model` likewise.
        eval_examples: see `train_examples`.
        feature_model: see `train_examples`.
        experiment: as in `judge`.
        origin: where the images and the real ones came from, and what was done to them; part of the protocol.
        warnings: what is known of them already; see `Verdict`.
        make_pipeline: as in `judge`.

    Raises:
        ValueError: as in `judge`.
    """
    reference = _read(train_examples, eval_examples, experiment)
    count = min(experiment.evaluation.samples, len(images))
    instruments = _instruments(reference, experiment, feature_model, make_pipeline, count)
    examples, labels = some(images, count, experiment.evaluation.seed)
    seen = instruments.look(Side(count, examples=examples, labels=labels), None)
    # They have no training to tell of; what a threshold asks of one cannot be estimated.
    players = {name: line for name, line in _player_lines([], experiment).items() if line.threshold}
    protocol = {
        "extractor": Extractor(feature_model).record,
        "baseline": "none: another system made these images",
        "health": health([]),
        "made_by": {},
        "lineage": [],
        "origin": dict(origin),
    }
    return _verdict(instruments, seen, _lines(instruments, seen, {}) | players, protocol, reference, warnings=warnings)


class _Reference(NamedTuple):
    """What is compared with: training examples, and held-out ones without the copies of training ones."""

    train: Arrays
    held_out: Arrays
    copies: int


def _read(train: Sequence[str], held_out: Sequence[str], experiment: Experiment) -> _Reference:
    """The training examples and those held out, which have every class."""
    trained_on, kept_back = read_examples(train, experiment.data), read_examples(held_out, experiment.data)
    copied = equal_to(kept_back.target, trained_on.target)
    if copied.all():
        raise ValueError(
            f"held-out examples are none of the training ones; all {len(copied):,} are copies of some: "
            "give other data, or let ganworks split them"
        )
    kept_back = kept_back.rows(~copied)
    _check_classes(kept_back, experiment.data.classes, experiment.evaluation.split)
    return _Reference(trained_on, kept_back, int(copied.sum()))


def _instruments(
    reference: _Reference, experiment: Experiment, feature_model: str, make_pipeline: MakePipeline, generated: int
) -> Instruments:
    """See `Instruments`."""
    beam_look = functools.partial(look, make_pipeline=make_pipeline)
    return Instruments(experiment, feature_model, reference.train, reference.held_out, beam_look, generated)


def _verdict(
    instruments: Instruments,
    seen: dict[str, Population],
    lines: dict[str, gate.Line],
    protocol: dict[str, Any],
    reference: _Reference,
    *,
    warnings: Sequence[str] = (),
    history: Sequence[dict[str, float]] = (),
    ways: np.ndarray | None = None,
) -> Verdict:
    """What all lines together say, with the report."""
    faults = {name: catalog.METRICS[key].fault for name, key in instruments.names.items()}
    allowed, reason = gate.reason_of(lines, faults)
    _log.info("%s", reason)
    counts = {"generated": seen["fake"].count, "real": seen["real"].count, "noise_floor": seen["floor"].count}
    counts |= {"train": len(reference.train), "eval": len(reference.held_out), "held_out_copies": reference.copies}
    counts["equal_to_held_out"] = int(equal_to(seen["fake"].examples, reference.held_out.target).sum())
    warnings = [*warnings, *_warnings(counts, lines)]
    for warning in warnings:
        _log.warning("%s", warning)
    evaluation = instruments.experiment.evaluation
    extractor = protocol["extractor"] | {"name": evaluation.extractor}
    rigour = {"confidence": evaluation.confidence, "standard_errors": evaluation.z}
    evidence = report.Evidence(
        experiment=instruments.experiment,
        blessed=allowed,
        lines=lines,
        warnings=warnings,
        faults=faults,
        counts=counts,
        protocol=protocol | {"seed": evaluation.seed, "split": evaluation.split, "extractor": extractor} | rigour,
        real=seen["real"],
        fake=seen["fake"],
        ways=ways,
        train=reference.train,
        history=list(history),
    )
    return Verdict(allowed, reason, lines, warnings, counts, evidence.protocol, report.render(evidence))


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


def _measure_baseline(
    instruments: Instruments, seen: dict[str, Population], directory: str | None, scratch: str | None
) -> tuple[dict[str, Estimate], str]:
    """The blessed model's estimates and what is to be said of it; one that does not fit the data is no baseline."""
    if directory is None:
        return {}, "no model was blessed before"
    try:
        made = instruments.look_at(instruments.side(Generator(directory, instruments.experiment)), scratch)
    except ValueError as error:
        _log.warning("The latest blessed model is not comparable: %s", error)
        return {}, f"the latest blessed model is not comparable: {error}"
    return instruments.measure(seen | {"baseline": made}, "baseline")[
        0
    ], "measured again with the same noise and labels"


def _lines(instruments: Instruments, seen: dict[str, Population], blessed: dict[str, Estimate]) -> dict[str, gate.Line]:
    """Every metric of the catalog, held against its threshold."""
    (estimates, missing), (floor, _) = (instruments.measure(seen, side) for side in ("fake", "floor"))
    return {
        name: gate.judge_metric(
            estimates.get(name),
            instruments.threshold(name),
            evaluation=instruments.experiment.evaluation,
            floor=floor.get(name),
            baseline=blessed.get(name),
            better=catalog.METRICS[key].better,
            measures=catalog.METRICS[key].measures,
            missing=missing.get(name, ""),
        )
        for name, key in instruments.names.items()
    }


def _player_lines(history: list[dict[str, float]], experiment: Experiment) -> dict[str, gate.Line]:
    """The discriminator's accuracies as metrics; neither direction is good."""
    return {
        name: gate.judge_metric(
            at_the_end(history, name),
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


def _check_classes(held_out: Arrays, labels: int, split: str) -> None:
    if held_out.label is None:
        return
    absent = np.setdiff1d(np.arange(labels), held_out.label)
    if len(absent):
        raise ValueError(
            f"each of the {labels} classes needs images in the {split} split; there are none of class "
            + ", ".join(map(str, absent[:20]))
        )
