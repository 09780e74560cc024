"""Stacked MNIST: how many of the 1000 triples of digits a generator draws, and how evenly.

Run by `ganworks bench stacked`. 128,000 random triples to train on; 26,000 samples, each channel read by a classifier
of MNIST's digits, which is trained first.
"""

import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks import reporting
from benchmarks.papers import runs
from models.columns import Image as Picture
from models.config import (
    Adversarial,
    DCGANDiscriminator,
    DCGANGenerator,
    Evaluation,
    Experiment,
    Optimizer,
    Stacked,
    Training,
)
from models.examples.arrays import Arrays
from models.extractors import classifier
from models.gans.base import GAN
from models.metrics.stacked import stacked_kl, stacked_modes
from models.training import callbacks

SEED = 1
TRAINED_ON = 128_000
SAMPLES = 26_000
SHOWN = 60
CLASSIFIER_STEPS = 2_000

PUBLISHED = {
    "DCGAN": (99, 3.40),
    "ALI": (16, 5.40),
    "unrolled GAN": (48.7, 4.32),
    "VEEGAN": (150, 2.95),
    "PacDCGAN2": (1000, 0.06),
}
"""Modes and KL of Lin et al. 2018, table 3, and the papers that it quotes."""

ENTRIES: dict[str, dict[str, Any]] = {
    "DCGAN": {},
    "PacDCGAN2": {"scheme.discriminator.pack": 2},
    "R1": {
        "scheme.discriminator.norm": "none",
        "scheme.objective.penalties.r1": 0.1,
        "training.generator_optimizer": {"learning_rate": 1e-3, "schedule": "cosine"},
        "training.discriminator_optimizer": {"learning_rate": 2e-3, "schedule": "cosine"},
    },
}
"""What an entry changes of `base`; a remedy is judged with the rates that suit it."""

BEST = "R1"
LEAST_MODES = 1000
MOST_KL = 0.06


def main(root: Path = Path("runs/bench/stacked")) -> int:
    """Trains, measures and reports; see `benchmarks.reporting.finish`.

    Args:
        root: keeps the trainings: what is done there is not done again.

    Returns:
        0 where every mark holds, else 4.

    Raises:
        ValueError: MNIST cannot be brought.
    """
    began = time.monotonic()
    todo = [runs.Run(name, experiment(changes)) for name, changes in ENTRIES.items()]
    held_out, labels = triples("t10k", SAMPLES)
    measured = runs.carry_out(todo, runs.Work(examples, measure), root)
    judge_by = Evaluation(extractor_steps=CLASSIFIER_STEPS)
    reader, _ = classifier.extractor(todo[0].experiment.data, judge_by, examples(todo[0].experiment))
    rows: list[dict[str, Any]] = [
        {"generator": name, "published_modes": modes, "published_kl": kl} for name, (modes, kl) in PUBLISHED.items()
    ]
    right = classifier.accuracy(reader, held_out, labels, Picture().shown)
    rows.append({"generator": "held-out digits", **score(reader, held_out), "triples_read_right": round(right, 4)})
    for run, figures in zip(todo, measured, strict=True):
        samples = runs.folder_of(run, root) / "samples.npy"
        scored = score(reader, np.load(samples)) if samples.exists() else {}
        rows.append({"generator": run.name, **scored, "steps": run.experiment.training.steps, **figures})
    picture(root, todo).save(reporting.DOCS / "results-stacked.png", optimize=True)
    return reporting.finish("stacked", began=began, rows=rows, marks=judge(rows), seed=SEED)


def experiment(changes: dict[str, Any]) -> Experiment:
    """A DCGAN on stacked digits, and what an entry changes."""
    optimizer = Optimizer(learning_rate=2e-4, beta_1=0.5)
    base = Experiment(
        name="stacked",
        data=Stacked(source="stacked:idx:data/mnist"),
        scheme=Adversarial(generator=DCGANGenerator(width=32), discriminator=DCGANDiscriminator(width=32)),
        training=Training(
            steps=20_000,
            batch_size=64,
            generator_optimizer=optimizer,
            discriminator_optimizer=optimizer,
            strategy="one_device",
            checkpoint_every_steps=1_000,
            sample_every_steps=1_000,
            health={"check_every_steps": 1_000},
            keep="last",
            seed=SEED,
        ),
    )
    return runs.changed(base, changes)


def examples(experiment: Experiment) -> Arrays:
    """What is trained on, the same for all."""
    del experiment
    return Arrays.aligned(*triples("train", TRAINED_ON))


def triples(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random triples of a split's digits as channels, [count, 28, 28, 3] uint8, and their labels 100 a + 10 b + c."""
    images, labels = runs.digits(split)
    rows = np.random.default_rng(SEED).integers(len(images), size=(count, 3))
    return np.moveaxis(images[rows, ..., 0], 1, -1), labels[rows] @ np.array([100, 10, 1])


def measure(gan: GAN, folder: Path) -> dict[str, Any]:
    """Leaves the samples in `samples.npy`, [26,000, 28, 28, 3] uint8, for the classifier."""
    drawn = [np.round((part + 1) * 127.5).astype(np.uint8) for part in runs.samples(gan, SAMPLES, seed=SEED)]
    np.save(folder / "samples.npy", np.concatenate(drawn))
    return {}


def score(reader: keras.Model, images: np.ndarray) -> dict[str, float]:
    """Modes and KL of images [26,000, 28, 28, 3] uint8."""
    read = tf.function(lambda x: tf.nn.softmax(reader(x, training=False)["logits"]))
    parts = np.array_split(images, 26)
    probabilities = np.concatenate([read(part.astype(np.float32) / 255).numpy() for part in parts])
    return {"modes": stacked_modes(probabilities).value, "kl": round(stacked_kl(probabilities).value, 3)}


def judge(rows: list[dict[str, Any]]) -> list[reporting.Mark]:
    """Holds the best remedy against the published one."""
    best = next(row for row in rows if row["generator"] == BEST)
    return [
        reporting.at_least("best_modes", best.get("modes", np.nan), LEAST_MODES),
        reporting.at_most("best_kl", best.get("kl", np.nan), MOST_KL),
    ]


def picture(root: Path, done: list[runs.Run]) -> Image.Image:
    """Samples of each entry, three rows of twenty each."""
    files = [runs.folder_of(run, root) / "samples.npy" for run in done]
    drawn = [np.load(file)[:SHOWN] for file in files if file.exists()]
    return Image.fromarray(callbacks.tile(np.concatenate(drawn), 3 * len(drawn), SHOWN // 3))


if __name__ == "__main__":
    sys.exit(main())
