"""What it costs that the finer levels of a LAPGAN learn from real coarse images, and then are given generated ones.

Run by `ganworks bench lapgan`. The models are those of `ganworks bench recipes`, which are not trained again. Each
draws as many images several times: from noise alone, as it is served; and from real coarse images of each size on.
These are made of the choosing split: no network was trained on it, and it is not what the images are judged against.
Noise and labels are the same each time, and all are judged as the model was.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import tensorflow as tf

from benchmarks import reporting
from benchmarks.experiments import artifacts, pipelines, recipes
from models import pixels
from models.config import Experiment
from models.examples.arrays import Arrays, read_examples
from models.gans import pyramids
from models.gans.lapgan import LaplacianGAN
from models.randomness import key
from models.training.loop import make_loop
from pipeline import records

BATCH = 500
"""Images that are drawn at a time."""

GENERATED = "generated ones"
METRICS = ("conditional_accuracy", "within_class_spread", "coverage", "density", "precision", "recall", "fcd_cnn")

Figures = dict[str, dict[str, float | None]]
"""What the finer levels were given -> metric -> value."""


def main(
    root: Path = Path("runs/bench/recipes"),
    experiment: Sequence[str] = ("fashion-lapgan",),
    seeds: str | None = None,
    precisions: str | None = None,
    jobs: int = 1,
) -> int:
    """Trains what is not trained yet, draws, judges and reports; see `benchmarks.reporting.finish`.

    Args:
        root: as that of `benchmarks.experiments.recipes`; what was measured is kept there, too.
        experiment: their names, of the scheme lapgan.
        seeds: as of `benchmarks.experiments.recipes`.
        precisions: likewise.
        jobs: likewise.

    Returns:
        0: there is no mark to reach.

    Raises:
        ValueError: an option is not as above, an experiment is no LAPGAN, or a run failed.
    """
    began = time.monotonic()
    todo = {name: recipes.trainings(name, seeds, precisions) for name in experiment}
    runs = [recipes.make(name, *each, "eval") for name, listed in todo.items() for each in listed]
    check(run.experiment for run in runs)
    recipes.fetch(run.experiment for run in runs)
    pipelines.carry_out(runs, root, jobs, recipes.Progress(len(runs)).say)
    found = {name: [measured(run, root) for run in runs if run.base == name] for name in experiment}
    rows = [row for name, figures in found.items() for row in summarise(name, figures)]
    seed = min(run.experiment.training.seed for run in runs)
    return reporting.finish("lapgan", began=began, rows=rows, marks=[], seed=seed)


def check(experiments: Iterable[Experiment]) -> None:
    """Raises ValueError, before anything is trained, for one that has no levels."""
    for each in experiments:
        if each.scheme.name != "lapgan":
            raise ValueError(f"bench lapgan is of experiments of the scheme lapgan; {each.name} is {each.scheme.name}")


def measured(run: pipelines.Run, root: Path) -> Figures:
    """What the model of a run reaches with the finer levels given generated and real coarse images; kept in a file."""
    file = root / "exposure" / pipelines.record_of(run, root).name
    if not file.exists():
        place = pipelines.place_of(run, root)
        known = records.read(place)
        choose = read_examples([artifacts.examples(known, "choose")], run.experiment.data)
        gan = restored(run.experiment, choose, place)
        scheme = gan.scheme
        sizes = [scheme.at(run.experiment.data, level).resolution for level in range(scheme.levels - 1)]
        figures = {
            GENERATED if size is None else f"real ones of {size} pixels": judged(
                run.experiment, known, Arrays.aligned(drawn(gan, choose, size), choose.label)
            )
            for size in (None, *sizes)
        }
        pipelines.write(file, figures)
    return cast(Figures, json.loads(file.read_text()))


def restored(experiment: Experiment, examples: Arrays, place: Path) -> LaplacianGAN:
    """The trained networks of a run, with the weights that `training.keep` names.

    Raises:
        ValueError: the run's root holds no checkpoint of the last step.
    """
    (checkpoints,) = (place / "checkpoints").glob("*")
    with tempfile.TemporaryDirectory() as scratch:
        loop = make_loop(experiment, examples, checkpoints, scratch)
        (Path(scratch) / "history.jsonl").write_bytes((checkpoints / "run" / "history.jsonl").read_bytes())
        if (step := loop.checkpoints.restore()) != loop.steps:
            raise ValueError(f"{checkpoints} holds step {step} of {loop.steps}: that run is to be done again")
        loop.run()  # which has nothing left to train, and reads the history
        loop.restore_best()
    return cast(LaplacianGAN, loop.gan)


def drawn(gan: LaplacianGAN, examples: Arrays, size: int | None, seed: int = 0) -> np.ndarray:
    """Draws as many images as there are examples, for their labels.

    Args:
        gan: trained.
        examples: real ones.
        size: of the real coarse images that the level above them is given, pixels; None for generated ones.
        seed: of the noise.

    Returns:
        [n, r, r, c] uint8.
    """
    levels = gan.scheme.levels
    networks = [gan.exported(f"generator_{level}") for level in range(levels)]
    draw = tf.function(gan.drawn)
    made = []
    for part, start in enumerate(range(0, len(examples), BATCH)):
        real = {
            role: tf.convert_to_tensor(pixels.scaled(values[start : start + BATCH]))
            for role, values in examples.columns.items()
        }
        inputs = gan.task.inputs(gan.experiment, real, key(seed, part, "exposure"))
        coarse = next((x for x in pyramids.images(real["target"], levels) if x.shape[1] == size), None)
        made.append(pixels.to_bytes(draw(networks, inputs, coarse).numpy()))
    return np.concatenate(made)


def judged(experiment: Experiment, known: records.Records, images: Arrays) -> dict[str, float | None]:
    """The metrics of images, by the examples and the extractor that judged the model of a run."""
    measuring, _ = artifacts.instruments(known, experiment, samples=len(images))
    estimates = measuring.measure_images(images).estimates
    return {name: estimates[name].value if name in estimates else None for name in METRICS}


def summarise(name: str, trainings: Sequence[Mapping[str, Mapping[str, float | None]]]) -> list[dict[str, Any]]:
    """The rows of an experiment: means over its trainings, with their deviations."""
    rows = []
    for given in trainings[0]:
        row: dict[str, Any] = {"experiment": name, "finer_levels_are_given": given, "trainings": len(trainings)}
        for metric in trainings[0][given]:
            values = [value for each in trainings if (value := each[given][metric]) is not None]
            row[metric] = round(statistics.fmean(values), 4) if values else None
            row[f"± {metric}"] = round(statistics.stdev(values), 4) if len(values) > 1 else None
        rows.append(row)
    return rows


if __name__ == "__main__":
    sys.exit(main())
