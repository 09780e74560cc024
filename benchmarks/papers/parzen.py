"""Parzen window log-likelihood of MNIST, by the protocol of the 2014 paper, beside the figures of its time.

Run by `ganworks bench parzen`. 50,000 training images, 10,000 for the choice of the bandwidth, MNIST's 10,000 of test;
10,000 samples; pixels in [0, 1]; nats. The same estimate of 10,000 training images shows what the number is worth:
samples near the mean of an image's neighbours score above real images.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import reporting
from benchmarks.papers import runs
from models.config import (
    Adversarial,
    Experiment,
    GanMLPDiscriminator,
    GanMLPGenerator,
    Images,
    Latent,
    Optimizer,
    Training,
)
from models.examples.arrays import Arrays
from models.gans.base import GAN
from models.metrics.parzen import Parzen, parzen
from models.training import callbacks

SEED = 1
TRAINED_ON = 50_000
SAMPLES = 10_000
SHOWN = 100

PUBLISHED = {
    "DBN": "138 ± 2",
    "stacked CAE": "121 ± 1.6",
    "deep GSN": "214 ± 1.1",
    "adversarial nets (2014)": "225 ± 2",
    "GMMN": "147 ± 2",
    "GMMN + AE": "282 ± 2",
    "adversarial autoencoder": "340 ± 2",
}
"""Nats: Goodfellow et al. 2014, Li et al. 2015, Makhzani et al. 2016."""

ENTRIES: dict[str, dict[str, Any]] = {
    "maxout GAN of 2014": {},
    "best of the catalog": {
        "scheme.generator.latent.size": 10,
        "scheme.discriminator.dropout": 0,
        "scheme.objective.penalties.r1": 1,
    },
}
"""What an entry changes of `base`."""

LEAST_NATS = 225
LEAST_BEST_NATS = 243
"""What 10,000 training images score."""


def main(root: Path = Path("runs/bench/parzen")) -> int:
    """Trains, measures and reports; see `benchmarks.reporting.finish`.

    Args:
        root: keeps the trainings: what is done there is not done again.

    Returns:
        0 where every mark holds, else 4.

    Raises:
        ValueError: MNIST cannot be brought.
    """
    began = time.monotonic()
    todo = [runs.Run(name.replace(" ", "-"), experiment(changes)) for name, changes in ENTRIES.items()]
    images, _ = runs.digits("train")
    measured = runs.carry_out(todo, runs.Work(examples, measure), root)
    rows: list[dict[str, Any]] = [{"generator": name, "published_nats": nats} for name, nats in PUBLISHED.items()]
    rows.append({"generator": "10,000 training images themselves", **nats_of(estimate(images[:SAMPLES] / 255))})
    rows += [{"generator": name, **figures} for name, figures in zip(ENTRIES, measured, strict=True)]
    picture(root, todo).save(reporting.DOCS / "results-parzen.png", optimize=True)
    return reporting.finish("parzen", began=began, rows=rows, marks=judge(measured), seed=SEED)


def experiment(changes: dict[str, Any]) -> Experiment:
    """The networks of 2014 with Adam, less dropout and an average of the generator, and what an entry changes."""
    optimizer = Optimizer(learning_rate=1e-3, beta_1=0.5)
    base = Experiment(
        name="parzen",
        data=Images(source="idx:data/mnist"),
        scheme=Adversarial(
            generator=GanMLPGenerator(latent=Latent(size=20, distribution="uniform"), width=1200, norm="none"),
            discriminator=GanMLPDiscriminator(width=240, norm="none", dropout=0.3),
        ),
        training=Training(
            steps=4_000,
            batch_size=100,
            generator_optimizer=optimizer,
            discriminator_optimizer=optimizer,
            # an average over many steps: the estimate rewards what is smooth
            ema_half_life_images=300_000,
            ema_ramp_up=0.35,
            strategy="one_device",
            steps_per_call=100,
            checkpoint_every_steps=2_000,
            sample_every_steps=2_000,
            health={"check_every_steps": 2_000},
            keep="last",
            seed=SEED,
        ),
    )
    return runs.changed(base, changes)


def examples(experiment: Experiment) -> Arrays:
    """The training split of the protocol."""
    del experiment
    return Arrays.aligned(runs.digits("train")[0][:TRAINED_ON])


def measure(gan: GAN, folder: Path) -> dict[str, Any]:
    """The estimate; the first samples in `samples.npy`."""
    drawn = (np.concatenate(list(runs.samples(gan, SAMPLES, seed=gan.experiment.training.seed))) + 1) / 2
    np.save(folder / "samples.npy", np.round(255 * drawn[:SHOWN]).astype(np.uint8))
    return nats_of(estimate(drawn)) | {"steps": gan.experiment.training.steps}


def estimate(samples: np.ndarray) -> Parzen:
    """The protocol's estimate for samples [n, 28, 28, 1] in [0, 1]."""
    validation, test = runs.digits("train")[0][TRAINED_ON:], runs.digits("t10k")[0]
    flat = [images.reshape(len(images), -1) for images in (samples, test / 255, validation / 255)]
    return parzen(*flat)


def nats_of(found: Parzen) -> dict[str, float]:
    """An estimate as columns."""
    return {
        "nats": round(found.value, 1),
        "±_nats": round(found.uncertainty, 1),
        "bandwidth": round(found.bandwidth, 3),
    }


def judge(measured: list[dict[str, Any]]) -> list[reporting.Mark]:
    """Holds both entries against their marks."""
    original, best = (each.get("nats", np.nan) for each in measured)
    return [
        reporting.at_least("maxout_gan_nats", original, LEAST_NATS),
        reporting.at_least("best_nats", best, LEAST_BEST_NATS),
    ]


def picture(root: Path, done: list[runs.Run]) -> Image.Image:
    """Samples of each entry, five rows of twenty each."""
    files = [runs.folder_of(run, root) / "samples.npy" for run in done]
    drawn = [np.load(file) for file in files if file.exists()]
    return Image.fromarray(callbacks.tile(np.concatenate(drawn), 5 * len(drawn), SHOWN // 5))


if __name__ == "__main__":
    sys.exit(main())
