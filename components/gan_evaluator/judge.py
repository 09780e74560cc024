"""Judges a generator: samples, measures, compares, and says why it may or may not be served."""

import dataclasses
import functools
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.beam import local_pipeline
from components.gan_evaluator import gate, report
from components.gan_evaluator.bench import Bench, some
from components.gan_evaluator.history import at_the_end, health, read_history
from components.gan_evaluator.measuring import Population
from components.gan_evaluator.populations import MakePipeline, Side, look
from components.gan_evaluator.saved_models import Extractor, Generator
from models import catalog
from models.config import Experiment
from models.data import Arrays, read_examples
from models.metrics.estimate import Estimate

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The outcome of a judgement.

    Attributes:
        blessed: whether every threshold holds.
        reason: why, in words.
        lines: each metric.
        counts: examples of each kind.
        protocol: what else decides the figures, and where they come from: seed, extractor, health of the training,
            what made the model, the artifacts that were read.
        html: the report.
    """

    blessed: bool
    reason: str
    lines: dict[str, gate.Line]
    counts: dict[str, int]
    protocol: dict[str, Any]
    html: str

    def to_json(self) -> str:
        """All but the report, as `metrics.json` has it."""
        tree = {
            "blessed": self.blessed,
            "reason": self.reason,
            "metrics": {name: line.to_json() for name, line in self.lines.items()},
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
) -> Verdict:
    """Judges a generator against held-out examples. Equal inputs give equal figures.

    Generated ones are as many as evaluation.samples, or as there are training examples where those are fewer: training
    examples in their place give the noise floor, which compares only under equal counts. Their labels are those of
    these training examples, so that classes have their real shares.

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

    Raises:
        ValueError: a model cannot be loaded or lacks a signature, examples are not finite, out of range or of the wrong
            size, a class has no held-out example.
    """
    train, held_out = _read(train_examples, eval_examples, experiment)
    generator = Generator(model, experiment)
    bench = Bench(experiment, feature_model, train, held_out, functools.partial(look, make_pipeline=make_pipeline))
    seen = bench.look(bench.side(generator), scratch)
    history = read_history(run_dir)
    blessed, baseline_state = _measure_baseline(bench, seen, baseline, scratch)
    lines = _lines(bench, seen, blessed) | _player_lines(history, experiment)
    protocol = {
        "extractor": Extractor(feature_model).record,
        "baseline": baseline_state,
        "health": health(history),
        "made_by": generator.record,
        "lineage": [dict(each) for each in lineage],
    }
    return _verdict(bench, seen, lines, protocol, train, len(held_out), history, bench.ways(generator))


def judge_images(
    *,
    images: Arrays,
    train_examples: Sequence[str],
    eval_examples: Sequence[str],
    feature_model: str,
    experiment: Experiment,
    origin: Mapping[str, str],
    make_pipeline: MakePipeline = local_pipeline,
) -> Verdict:
    """Judges images that another system made, as `judge` does those of a generator.

    As many are judged as evaluation.samples, or as there are images or training examples where those are fewer.

    Args:
        images: to judge, with the classes asked for, if there are any, as labels.
        train_examples: as in `judge`; `eval_examples` and `feature_model` likewise.
        eval_examples: see `train_examples`.
        feature_model: see `train_examples`.
        experiment: as in `judge`.
        origin: where the images and the real ones came from; part of the protocol.
        make_pipeline: as in `judge`.

    Raises:
        ValueError: as in `judge`.
    """
    train, held_out = _read(train_examples, eval_examples, experiment)
    evaluation = experiment.evaluation
    count = min(evaluation.samples, len(images), len(train))
    settings = evaluation.model_copy(update={"samples": count})
    equal = experiment.model_copy(update={"evaluation": settings})
    bench = Bench(equal, feature_model, train, held_out, functools.partial(look, make_pipeline=make_pipeline))
    examples, labels = some(images, count, evaluation.seed)
    seen = bench.look(Side(count, examples=examples, labels=labels), None)
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
    return _verdict(bench, seen, _lines(bench, seen, {}) | players, protocol, train, len(held_out), [])


def _read(train: Sequence[str], held_out: Sequence[str], experiment: Experiment) -> tuple[Arrays, Arrays]:
    """The training examples and those held out, which have every class."""
    read = read_examples(train, experiment.data), read_examples(held_out, experiment.data)
    _check_classes(read[1], experiment.data.labels, experiment.evaluation.split)
    return read


def _verdict(
    bench: Bench,
    seen: dict[str, Population],
    lines: dict[str, gate.Line],
    protocol: dict[str, Any],
    train: Arrays,
    held_out: int,
    history: list[dict[str, float]],
    ways: np.ndarray | None = None,
) -> Verdict:
    """What all lines together say, with the report."""
    faults = {name: catalog.METRICS[key].fault for name, key in bench.names.items()}
    allowed, reason = gate.reason_of(lines, faults)
    _log.info("%s", reason)
    counts = {"generated": seen["fake"].count, "real": seen["real"].count, "noise_floor": seen["floor"].count}
    counts |= {"train": len(train), "eval": held_out}
    evaluation = bench.experiment.evaluation
    extractor = protocol["extractor"] | {"name": evaluation.extractor}
    evidence = report.Evidence(
        experiment=bench.experiment,
        blessed=allowed,
        lines=lines,
        faults=faults,
        counts=counts,
        protocol=protocol | {"seed": evaluation.seed, "split": evaluation.split, "extractor": extractor},
        real=seen["real"],
        fake=seen["fake"],
        ways=ways,
        train=train,
        history=history,
    )
    return Verdict(allowed, reason, lines, counts, evidence.protocol, report.render(evidence))


def _measure_baseline(
    bench: Bench, seen: dict[str, Population], directory: str | None, scratch: str | None
) -> tuple[dict[str, Estimate], str]:
    """The blessed model's estimates and what is to be said of it; one that does not fit the data is no baseline."""
    if directory is None:
        return {}, "no model was blessed before"
    try:
        made = bench.look_at(bench.side(Generator(directory, bench.experiment)), scratch)
    except ValueError as error:
        _log.warning("The latest blessed model is not comparable: %s", error)
        return {}, f"the latest blessed model is not comparable: {error}"
    return bench.measure(seen | {"baseline": made}, "baseline")[0], "measured again with the same noise and labels"


def _lines(bench: Bench, seen: dict[str, Population], blessed: dict[str, Estimate]) -> dict[str, gate.Line]:
    """Every metric of the catalog, held against its threshold."""
    (estimates, missing), (floor, _) = (bench.measure(seen, side) for side in ("fake", "floor"))
    return {
        name: gate.judge_metric(
            estimates.get(name),
            bench.threshold(name),
            floor=floor.get(name),
            baseline=blessed.get(name),
            better=catalog.METRICS[key].better,
            measures=catalog.METRICS[key].measures,
            missing=missing.get(name, ""),
        )
        for name, key in bench.names.items()
    }


def _player_lines(history: list[dict[str, float]], experiment: Experiment) -> dict[str, gate.Line]:
    """The discriminator's accuracies as metrics; neither direction is good."""
    return {
        name: gate.judge_metric(
            at_the_end(history, name),
            experiment.evaluation.thresholds.get(name),
            floor=None,
            baseline=None,
            better=None,
            measures=measures,
            missing="the training did not log it",
        )
        for name, measures in catalog.PLAYERS.items()
    }


def _check_classes(held_out: Arrays, labels: int, split: str) -> None:
    if held_out.labels is None:
        return
    absent = np.setdiff1d(np.arange(labels), held_out.labels)
    if len(absent):
        raise ValueError(
            f"each of the {labels} classes needs images in the {split} split; there are none of class "
            + ", ".join(map(str, absent[:20]))
        )
