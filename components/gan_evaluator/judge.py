"""Judges a generator: samples, measures, compares, and says why it may or may not be served."""

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.gan_evaluator import gate, report
from components.gan_evaluator.history import at_the_end, health, read_history
from components.gan_evaluator.measuring import Population, measure
from components.gan_evaluator.saved_models import Extractor, Generator
from models import catalog
from models.config import Experiment, Threshold
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
        protocol: what else decides the figures: seed, extractor, health of the training.
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

    Raises:
        ValueError: a model cannot be loaded or lacks a signature, examples are not finite, out of range or of the wrong
            size, a class has no held-out example.
    """
    train, held_out = _read(train_examples, eval_examples, experiment)
    bench = Bench(experiment, Extractor(feature_model), train, held_out)
    fake = bench.sample(model)
    history = read_history(run_dir)
    blessed, baseline_state = _measure_baseline(bench, baseline)
    lines = _lines(bench, fake, blessed) | _player_lines(history, experiment)
    protocol = {"baseline": baseline_state, "health": health(history)}
    return _verdict(experiment, bench, fake, lines, protocol, train, held_out, history)


def judge_images(
    *,
    images: Arrays,
    train_examples: Sequence[str],
    eval_examples: Sequence[str],
    feature_model: str,
    experiment: Experiment,
    origin: Mapping[str, str],
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

    Raises:
        ValueError: as in `judge`.
    """
    evaluation = experiment.evaluation
    train, held_out = _read(train_examples, eval_examples, experiment)
    count = min(evaluation.samples, len(images), len(train))
    settings = evaluation.model_copy(update={"samples": count})
    bench = Bench(experiment.model_copy(update={"evaluation": settings}), Extractor(feature_model), train, held_out)
    fake = Population.of(*_some(images, count, evaluation.seed), bench.extractor)
    # They have no training to tell of; what a threshold asks of one cannot be estimated.
    players = {name: line for name, line in _player_lines([], experiment).items() if line.threshold}
    protocol = {"baseline": "none: another system made these images", "health": health([]), "origin": dict(origin)}
    return _verdict(experiment, bench, fake, _lines(bench, fake, {}) | players, protocol, train, held_out, [])


def _read(train: Sequence[str], held_out: Sequence[str], experiment: Experiment) -> tuple[Arrays, Arrays]:
    """The training examples and those held out, which have every class."""
    read = read_examples(train, experiment.data), read_examples(held_out, experiment.data)
    _check_classes(read[1], experiment.data.labels)
    return read


def _verdict(
    experiment: Experiment,
    bench: "Bench",
    fake: Population,
    lines: dict[str, gate.Line],
    protocol: dict[str, Any],
    train: Arrays,
    held_out: Arrays,
    history: list[dict[str, float]],
) -> Verdict:
    """What all lines together say, with the report."""
    faults = {name: catalog.METRICS[key].fault for name, key in bench.names.items()}
    allowed, reason = gate.reason_of(lines, faults)
    _log.info("%s", reason)
    counts = {"generated": len(fake.examples), "real": len(bench.real.examples), "noise_floor": len(bench.stand_ins)}
    counts |= {"train": len(train), "eval": len(held_out)}
    evaluation = experiment.evaluation
    extractor = bench.extractor.record | {"name": evaluation.extractor}
    protocol = {"seed": evaluation.seed, "extractor": extractor} | protocol
    page = report.render(
        report.Evidence(experiment, allowed, lines, faults, counts, protocol, bench.real, fake, train, history)
    )
    return Verdict(allowed, reason, lines, counts, protocol, page)


class Bench:
    """What every generator of a judgement is measured with: the same real examples, noise, labels and extractor.

    Args:
        experiment: `data` and `evaluation` decide.
        extractor: gives the features.
        train: training examples, of which the first of a shuffle are the noise floor and lend their labels.
        held_out: the reference.

    Attributes:
        extractor: as given.
        real: the reference as the extractor sees it.
        stand_ins: training examples in the place of generated ones.
    """

    def __init__(self, experiment: Experiment, extractor: Extractor, train: Arrays, held_out: Arrays):
        evaluation = experiment.evaluation
        self.extractor, self._experiment = extractor, experiment
        self.real = Population.of(*_some(held_out, evaluation.samples, evaluation.seed), extractor)
        self.stand_ins, self._labels = _some(train, evaluation.samples, evaluation.seed)

    def sample(self, directory: str) -> Population:
        """Examples of the generator of this SavedModel. Raises ValueError as `Generator` does."""
        generator = Generator(directory, self._experiment)
        asked = self._labels if generator.conditional else None
        examples = generator.sample(len(self.stand_ins), seed=self._experiment.evaluation.seed, labels=asked)
        return Population.of(examples, asked, self.extractor)

    def floor(self, *, conditional: bool) -> Population:
        """Training examples in the place of a generator's, with labels if it is conditional."""
        return Population.of(self.stand_ins, self._labels if conditional else None, self.extractor)

    def measure(self, fake: Population) -> tuple[dict[str, Estimate], dict[str, str]]:
        """See `measure`."""
        return measure(self.real, fake, self._experiment)

    def threshold(self, name: str) -> Threshold | None:
        """What is required of a metric."""
        return self._experiment.evaluation.thresholds.get(name)

    @property
    def names(self) -> dict[str, str]:
        """See `catalog.metric_names`; those of this kind of data."""
        return catalog.metric_names(self._experiment.evaluation.extractor, self._experiment.data.kind)


def _measure_baseline(bench: Bench, directory: str | None) -> tuple[dict[str, Estimate], str]:
    """The blessed model's estimates and what is to be said of it; one that does not fit the data is no baseline."""
    if directory is None:
        return {}, "no model was blessed before"
    try:
        made = bench.sample(directory)
    except ValueError as error:
        _log.warning("The latest blessed model is not comparable: %s", error)
        return {}, f"the latest blessed model is not comparable: {error}"
    return bench.measure(made)[0], "measured again with the same noise and labels"


def _lines(bench: Bench, fake: Population, blessed: dict[str, Estimate]) -> dict[str, gate.Line]:
    """Every metric of the catalog, held against its threshold."""
    estimates, missing = bench.measure(fake)
    floor, _ = bench.measure(bench.floor(conditional=fake.labels is not None))
    return {
        name: gate.judge_metric(
            estimates.get(name),
            bench.threshold(name),
            floor=_value(floor.get(name)),
            baseline=_value(blessed.get(name)),
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


def _some(arrays: Arrays, count: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """So many of the examples in random order, or all, and their labels."""
    rows = np.random.default_rng(seed).permutation(len(arrays))[:count]
    return arrays.examples[rows], None if arrays.labels is None else arrays.labels[rows]


def _check_classes(held_out: Arrays, labels: int) -> None:
    if held_out.labels is None:
        return
    absent = np.setdiff1d(np.arange(labels), held_out.labels)
    if len(absent):
        raise ValueError(
            f"each of the {labels} classes needs images in the eval split; there are none of class "
            + ", ".join(map(str, absent[:20]))
        )


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else gate.finite(estimate.value)
