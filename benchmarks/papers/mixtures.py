"""The ring of 8 and the grid of 25: what each remedy makes of mode collapse, beside the published table.

Run by `ganworks bench mixtures`. Entries of a mixture share networks, batch and optimizers, but for those of the grid
without a penalty, which need others (UNPENALISED); what else an entry changes stands in ENTRIES. A figure is the mean
over SEEDS of what 2,500 samples of the averaged generator score.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import reporting
from benchmarks.papers import runs
from models import mixtures
from models.config import (
    Adversarial,
    Experiment,
    Latent,
    Optimizer,
    Points,
    PointsDiscriminator,
    PointsGenerator,
    Training,
)
from models.examples.arrays import Arrays
from models.gans.base import GAN
from models.metrics import modes
from models.training import callbacks

SEEDS = (1, 2, 3, 4, 5)
MIXTURES = ("ring", "grid")
TRAINED_ON = 100_000
SAMPLES = 2_500
PANEL = 240
"""Pixels of a mixture in the picture."""

ENTRIES: dict[str, dict[str, Any]] = {
    "GAN": {},
    "PacGAN2": {"scheme.discriminator.pack": 2},
    "PacGAN4": {"scheme.discriminator.pack": 4},
    "unrolled": {"scheme.unrolled_steps": 3, "training.steps": 5_000},
    "WGAN-GP": {
        "scheme.objective": {"name": "wasserstein", "penalties": {"wgan_gp": 1}},
        "scheme.discriminator_steps": 5,
        "training.steps": 2_500,
    },
    "R1": {},
    "R1, longer": {},
}
"""What an entry changes of `base`, besides the penalty of the last two and the steps of the last."""

LONGER = {"ring": 30_000, "grid": 15_000}
"""Steps by mixture: with its wider networks the grid gained nothing after these."""

R1_WEIGHT = {"ring": 0.01, "grid": 0.02}
"""By the size of the mixture; chosen, like all of the recipe, with another seed than those of SEEDS."""

WIDER = {"grid": {"scheme.generator.width": 256, "scheme.discriminator.width": 64}}
"""By mixture: 25 modes want steeper edges between them."""

SLOW = {"learning_rate": 3e-4, "beta_1": 0.5, "beta_2": 0.99, "schedule": "cosine"}
UNPENALISED = {
    "grid": {
        "scheme.generator.norm": "batch",
        "scheme.discriminator.width": 64,
        "training.steps": 10_000,
        "training.generator_optimizer": SLOW,
        "training.discriminator_optimizer": SLOW,
    }
}
"""By mixture: at the rates of the others, a grid's players without a penalty circle (7 % of high quality)."""

PUBLISHED = {
    ("ring", "GAN"): ("6.3 ± 0.5", 98.2, 0.45),
    ("ring", "PacGAN2"): ("7.9 ± 0.1", 95.6, 0.07),
    ("grid", "GAN"): ("17.3 ± 0.8", 94.8, 0.70),
    ("grid", "PacGAN2"): ("23.8 ± 0.7", 91.3, 0.13),
    ("grid", "PacGAN4"): ("24.8 ± 0.2", 93.6, 0.04),
}
"""Modes, high-quality percent and reverse KL of Lin et al. 2018, whose networks and budgets are others."""

BEST = "R1, longer"
"""The entry that is held against the marks of the best."""

LEAST_HIGH_QUALITY_PERCENT = 98
MOST_REVERSE_KL = 0.01
LEAST_PACGAN2_MODES = {"ring": 7.8, "grid": 23.1}
"""The published mean less its spread."""


def main(root: Path = Path("runs/bench/mixtures")) -> int:
    """Trains, measures and reports; see `benchmarks.reporting.finish`.

    Args:
        root: keeps the trainings: what is done there is not done again.

    Returns:
        0 where every mark holds, else 4.
    """
    began = time.monotonic()
    places = [(mixture, entry) for mixture in MIXTURES for entry in ENTRIES]
    todo = [runs.Run(f"{m}-{e}-{seed}", experiment(m, e, seed)) for m, e in places for seed in SEEDS]
    measured = runs.carry_out(todo, runs.Work(examples, measure), root)
    rows = []
    for mixture in MIXTURES:
        rows.append(truth(mixture))
        for entry in ENTRIES:
            first = places.index((mixture, entry)) * len(SEEDS)
            rows.append(summarise(mixture, entry, measured[first : first + len(SEEDS)]))
    picture(root, todo).save(reporting.DOCS / "results-mixtures.png", optimize=True)
    return reporting.finish("mixtures", began=began, rows=rows, marks=judge(rows), seed=SEEDS[0])


def experiment(mixture: str, entry: str, seed: int) -> Experiment:
    """The recipe of an entry."""
    optimizer = Optimizer(learning_rate=3e-3, beta_1=0.5, beta_2=0.99, schedule="cosine")
    base = Experiment(
        name=mixture,
        data=Points(source=f"mixture:{mixture}"),
        scheme=Adversarial(
            generator=PointsGenerator(latent=Latent(size=2), width=128, depth=4, norm="none"),
            discriminator=PointsDiscriminator(width=32, depth=3, norm="none"),
        ),
        training=Training(
            steps=5_000,
            batch_size=256,
            generator_optimizer=optimizer.model_copy(update={"learning_rate": 5e-3}),
            discriminator_optimizer=optimizer,
            ema_half_life_images=25_600,
            precision="float32",
            strategy="one_device",
            jit=True,
            steps_per_call=500,
            checkpoint_every_steps=5_000,
            sample_every_steps=5_000,
            health={"check_every_steps": 5_000},
            keep="last",
            seed=seed,
        ),
    )
    if entry.startswith("R1"):
        base = runs.changed(base, {"scheme.objective.penalties.r1": R1_WEIGHT[mixture]})
    penalised = entry.startswith("R1") or "scheme.objective" in ENTRIES[entry]
    base = runs.changed(base, (WIDER if penalised else UNPENALISED).get(mixture, {}))
    if entry == BEST:
        base = runs.changed(base, {"training.steps": LONGER[mixture]})
    return runs.changed(base, ENTRIES[entry])


def examples(experiment: Experiment) -> Arrays:
    """Points to train on, by the seed of the training."""
    mixture = mixtures.of_source(experiment.data.source)
    return Arrays.aligned(mixtures.sample(mixture, TRAINED_ON, [experiment.training.seed, 0])[0])


def measure(gan: GAN, folder: Path) -> dict[str, Any]:
    """The protocol's figures, and its samples in `samples.npy`."""
    points = np.concatenate(list(runs.samples(gan, SAMPLES, seed=gan.experiment.training.seed)))
    np.save(folder / "samples.npy", points)
    return score(points, mixtures.of_source(gan.experiment.data.source))


def score(points: np.ndarray, mixture: mixtures.Mixture) -> dict[str, Any]:
    """Modes, high-quality percent and reverse KL of the first 2,500 points; none of the last without quality."""
    quality = modes.high_quality(points, mixture).value
    return {
        "modes": modes.modes(points, mixture).value,
        "high_quality_percent": 100 * quality,
        "reverse_kl": modes.reverse_kl(points, mixture).value if quality else float(np.log(len(mixture.centres))),
    }


def truth(mixture: str) -> dict[str, Any]:
    """The row of the mixture itself: what a perfect generator would score."""
    known = mixtures.of_source(mixture)
    scores = [score(mixtures.sample(known, SAMPLES, [seed, 1])[0], known) for seed in SEEDS]
    return {"mixture": mixture, "entry": "the mixture itself", **_means(scores)}


def summarise(mixture: str, entry: str, measured: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of an entry: means over its seeds, their standard errors, what is published."""
    row = {"mixture": mixture, "entry": entry}
    lost = sum("diverged" in each for each in measured)
    if lost:
        return row | {"diverged": f"{lost} of {len(measured)} seeds"}
    steps = experiment(mixture, entry, SEEDS[0]).training.steps
    row |= _means(measured) | {"steps": steps, "seconds": round(float(np.mean([each["seconds"] for each in measured])))}
    return row | dict(
        zip(("published_modes", "published_%", "published_kl"), PUBLISHED.get((mixture, entry), ()), strict=False)
    )


def judge(rows: list[dict[str, Any]]) -> list[reporting.Mark]:
    """Holds the rows against the marks."""
    marks = []
    for mixture in MIXTURES:
        entries = {row["entry"]: row for row in rows if row["mixture"] == mixture}
        # an entry that diverged has no figures
        best, packed = ({"modes": np.nan} | entries[entry] for entry in (BEST, "PacGAN2"))
        marks += [
            reporting.at_least(f"{mixture}_best_modes", best["modes"], len(mixtures.of_source(mixture).centres)),
            reporting.at_least(
                f"{mixture}_best_high_quality_percent",
                best.get("high_quality_percent", np.nan),
                LEAST_HIGH_QUALITY_PERCENT,
            ),
            reporting.at_most(f"{mixture}_best_reverse_kl", best.get("reverse_kl", np.nan), MOST_REVERSE_KL),
            reporting.at_least(f"{mixture}_pacgan2_modes", packed["modes"], LEAST_PACGAN2_MODES[mixture]),
        ]
    return marks


def picture(root: Path, done: list[runs.Run]) -> Image.Image:
    """The samples of the first seed: a row a mixture, a column an entry, after one of the mixture itself."""
    panels = []
    for mixture in MIXTURES:
        real = mixtures.sample(mixtures.of_source(mixture), SAMPLES, [SEEDS[0], 1])[0]
        folders = [runs.folder_of(run, root) for run in done if run.experiment.name == mixture]
        files = [folder / "samples.npy" for folder in folders[:: len(SEEDS)]]
        # a training that diverged has none
        drawn = [np.load(file) if file.exists() else real[:0] for file in files]
        panels += [callbacks.scatter(real, points, side=PANEL) for points in (real, *drawn)]
    return Image.fromarray(callbacks.tile(np.stack(panels), len(MIXTURES), 1 + len(ENTRIES)))


def _means(scores: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, digits in (("modes", 2), ("high_quality_percent", 2), ("reverse_kl", 4)):
        mean, error = runs.mean_and_error([each[name] for each in scores])
        row |= {name: round(mean, digits), f"±_{name}": round(error, digits)}
    return row


if __name__ == "__main__":
    sys.exit(main())
