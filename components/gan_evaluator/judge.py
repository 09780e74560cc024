"""Judges a generator: samples, measures, compares, and says why it may or may not be served."""

import dataclasses
import functools
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.gan_evaluator import gate, report
from components.gan_evaluator.history import at_the_end, health, read_history
from components.gan_evaluator.measuring import Population, measure
from components.gan_evaluator.populations import MakePipeline, Side, local_pipeline, look
from components.gan_evaluator.saved_models import Extractor, Generator
from models import catalog
from models.config import Experiment, Threshold
from models.data import Arrays, read_examples
from models.metrics.estimate import Estimate

WAYS, WAY = 8, 8
"""Interpolations that are shown, and examples of each."""

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

    def write(self, directory: str) -> None:
        """Writes `metrics.json` and `report.html`."""
        tree = {
            "blessed": self.blessed,
            "reason": self.reason,
            "metrics": {name: line.to_json() for name, line in self.lines.items()},
            "counts": self.counts,
            "protocol": self.protocol,
        }
        tf.io.gfile.makedirs(directory)
        texts = {"metrics.json": json.dumps(tree, indent=1, allow_nan=False), "report.html": self.html}
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

    Raises:
        ValueError: a model cannot be loaded or lacks a signature, examples are not finite, out of range or of the wrong
            size, a class has no held-out example.
    """
    evaluation = experiment.evaluation
    train, held_out = read_examples(train_examples, experiment.data), read_examples(eval_examples, experiment.data)
    _check_classes(held_out, experiment.data.labels)
    generator = Generator(model, experiment)
    bench = Bench(experiment, feature_model, train, held_out, functools.partial(look, make_pipeline=make_pipeline))
    seen = bench.look(generator, scratch)
    history = read_history(run_dir)
    blessed, baseline_state = _measure_baseline(bench, seen, baseline, scratch)
    lines = _lines(bench, seen, blessed) | _player_lines(history, experiment)
    faults = {name: catalog.METRICS[key].fault for name, key in bench.names.items()}
    allowed, reason = gate.reason_of(lines, faults)
    _log.info("%s", reason)
    counts = {"generated": seen["fake"].count, "real": seen["real"].count, "noise_floor": seen["floor"].count}
    counts |= {"train": len(train), "eval": len(held_out)}
    protocol = {
        "seed": evaluation.seed,
        "extractor": Extractor(feature_model).record | {"name": evaluation.extractor},
        "baseline": baseline_state,
        "health": health(history),
        "made_by": generator.record,
    }
    evidence = report.Evidence(
        experiment=experiment,
        blessed=allowed,
        lines=lines,
        faults=faults,
        counts=counts,
        protocol=protocol,
        real=seen["real"],
        fake=seen["fake"],
        ways=bench.ways(generator),
        train=train,
        history=history,
    )
    return Verdict(allowed, reason, lines, counts, protocol, report.render(evidence))


class Bench:
    """What every generator of a judgement is measured with: the same real examples, noise, labels and extractor.

    Args:
        experiment: `data` and `evaluation` decide.
        extractor: directory of the extractor that gives the features.
        train: training examples, of which the first of a shuffle are the noise floor and lend their labels.
        held_out: the reference.
        look: draws and looks, as `populations.look`.

    Attributes:
        experiment: as given.
    """

    def __init__(
        self,
        experiment: Experiment,
        extractor: str,
        train: Arrays,
        held_out: Arrays,
        look: Callable[..., dict[str, Population]],
    ):
        evaluation = experiment.evaluation
        self.experiment = experiment
        self._look = functools.partial(look, extractor=extractor, experiment=experiment)
        self._real = _some(held_out, evaluation.samples, evaluation.seed)
        self._train = train.examples
        self._stand_ins, self._labels = _some(train, evaluation.samples, evaluation.seed)

    def look(self, generator: Generator, scratch: str | None) -> dict[str, Population]:
        """What there is to see of a generator.

        Returns:
            `fake`, its samples; `real`, the reference; `floor`, training examples in the place of the samples; `train`,
            all of them.

        Raises:
            ValueError: as `Generator` and `Extractor` do.
        """
        (real, labels), asked = self._real, self._asked(generator)
        sides = {
            "train": Side(len(self._train), examples=self._train, keeps_all=True),
            "real": Side(len(real), examples=real, labels=labels),
            "floor": Side(len(self._stand_ins), examples=self._stand_ins, labels=asked),
            "fake": Side(len(self._stand_ins), labels=asked, generator=generator.directory),
        }
        return self._look(sides, scratch=scratch)

    def sample(self, generator: Generator, scratch: str | None) -> Population:
        """Its samples alone. Raises ValueError as `look`."""
        side = Side(len(self._stand_ins), labels=self._asked(generator), generator=generator.directory)
        return self._look({"fake": side}, scratch=scratch)["fake"]

    def ways(self, generator: Generator) -> np.ndarray:
        """Interpolations to show, [WAYS, WAY, ...]; see `Generator.interpolate`."""
        asked = self._asked(generator)
        labels = None if asked is None else np.resize(np.unique(asked), WAYS)
        return generator.interpolate(WAYS, WAY, seed=self.experiment.evaluation.seed, labels=labels)

    def measure(self, seen: dict[str, Population], side: str) -> tuple[dict[str, Estimate], dict[str, str]]:
        """Every metric of one side of what was seen; see `measure`."""
        train = None if side == "floor" else seen["train"].features
        return measure(seen["real"], seen[side], self.experiment, train_features=train)

    def _asked(self, generator: Generator) -> np.ndarray | None:
        return self._labels if generator.conditional else None

    def threshold(self, name: str) -> Threshold | None:
        """What is required of a metric."""
        return self.experiment.evaluation.thresholds.get(name)

    @property
    def names(self) -> dict[str, str]:
        """See `catalog.metric_names`; those of this kind of data."""
        return catalog.metric_names(self.experiment.evaluation.extractor, self.experiment.data.kind)


def _measure_baseline(
    bench: Bench, seen: dict[str, Population], directory: str | None, scratch: str | None
) -> tuple[dict[str, Estimate], str]:
    """The blessed model's estimates and what is to be said of it; one that does not fit the data is no baseline."""
    if directory is None:
        return {}, "no model was blessed before"
    try:
        made = bench.sample(Generator(directory, bench.experiment), scratch)
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
