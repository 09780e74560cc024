"""Judges a generator: measures what was not measured before, and says why it may or may not be served."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from components.beam import local_pipeline
from components.gan_evaluator.history import read_history
from components.gan_evaluator.measuring.instruments import Instruments
from components.gan_evaluator.measuring.measurements import Measurements
from components.gan_evaluator.measuring.populations import MakePipeline
from components.gan_evaluator.measuring.reference import read_reference
from components.gan_evaluator.measuring.saved_models import read_record
from components.gan_evaluator.measuring.settings import Settings
from components.gan_evaluator.measuring.store import Store
from components.gan_evaluator.verdict import Measured, Verdict, decide
from models.config import Experiment
from models.examples.arrays import Arrays
from models.export import saved
from models.extractors import classifier

_log = logging.getLogger(__name__)


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
    store: Store | None = None,
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
        baseline: directory of the latest blessed generator's SavedModel, measured with the same seeds.
        make_pipeline: makes the Beam pipelines that draw and look.
        scratch: a directory for these, which all their workers reach; None for one of this machine.
        store: of earlier measurements: what it has of equal inputs is not measured again. None to measure all.
        lineage: of each artifact that is read: its `role`, the `stage` that made it, its `id` and `uri`; shown.
        ingested: what became of each source of examples, as `components.example_gen.notes.ingested` says; shown.

    Raises:
        ValueError: a model cannot be loaded or lacks a signature, examples are not finite, out of range or of the wrong
            size, a class has no held-out example.
    """
    settings = Settings.of(experiment)
    reference = read_reference(train_examples, eval_examples, settings)
    instruments = Instruments(settings, reference, feature_model, make_pipeline, scratch, store)
    judged = instruments.measure_generator(model)
    floor = instruments.measure_floor(labelled=judged.labelled)
    blessed, baseline_state = _measure_baseline(instruments, baseline)
    if not instruments.measured:
        _log.info("measured before; judged again")
    protocol = {
        "extractor": read_record(feature_model, classifier.RECORD),
        "baseline": baseline_state,
        "made_by": read_record(model, saved.RECORD),
        "lineage": [dict(each) for each in lineage],
        "ingested": [dict(each) for each in ingested],
    }
    measured = Measured(judged, floor, blessed, instruments.measured)
    return decide(measured, experiment, protocol, history=read_history(run_dir))


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
    settings = Settings.of(experiment, samples=min(experiment.evaluation.samples, len(images)))
    reference = read_reference(train_examples, eval_examples, settings)
    instruments = Instruments(settings, reference, feature_model, make_pipeline)
    judged = instruments.measure_images(images)
    floor = instruments.measure_floor(labelled=judged.labelled)
    protocol = {
        "extractor": read_record(feature_model, classifier.RECORD),
        "baseline": "none: another system made these images",
        "made_by": {},
        "lineage": [],
        "origin": dict(origin),
    }
    measured = Measured(judged, floor, None, instruments.measured)
    return decide(measured, experiment, protocol, history=None, warnings=warnings)


def _measure_baseline(instruments: Instruments, directory: str | None) -> tuple[Measurements | None, str]:
    """What was measured of the blessed model, and what is to be said of it.

    One that does not fit the data is no baseline.
    """
    if directory is None:
        return None, "no model was blessed before"
    try:
        blessed = instruments.measure_generator(directory, "the latest blessed model")
    except ValueError as error:
        _log.warning("The latest blessed model is not comparable: %s", error)
        return None, f"the latest blessed model is not comparable: {error}"
    return blessed, "measured with the same noise and labels"
