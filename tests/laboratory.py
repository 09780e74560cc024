"""Trainings that go wrong on purpose, one for each verdict of the health monitor, and one that goes well.

Small networks on the ring of eight Gaussians: each trains in seconds. Tests and a bench hold the monitor to them.
"""

from pathlib import Path
from typing import Any

import tensorflow as tf

from models import mixtures
from models.config import (
    Adversarial,
    CrossEntropy,
    Data,
    Experiment,
    Health,
    Latent,
    Objective,
    Optimizer,
    Penalty,
    Points,
    PointsDiscriminator,
    PointsGenerator,
    Training,
    Unpaired,
    groups_of,
)

RING = Points(source="mixture:ring")

UNTRAINED = Optimizer(learning_rate=1e-6)

PLAIN = CrossEntropy()


def _experiment(name: str, *, objective: Objective = PLAIN, depth: int = 2, **training: Any) -> Experiment:
    """A plain GAN on the ring, but for these settings."""
    plain: dict[str, Any] = {
        "steps": 400,
        "batch_size": 128,
        "ema_half_life_images": 0,
        "precision": "float32",
        "strategy": "one_device",
        # short calls, so that the history is fine enough to show an oscillation
        "steps_per_call": 10,
        "health": Health(check_every_steps=100),
    }
    return Experiment(
        name=name.replace("_", "-"),
        data=RING,
        scheme=Adversarial(
            generator=PointsGenerator(latent=Latent(size=2), width=32, depth=depth, norm="none"),
            discriminator=PointsDiscriminator(width=16, depth=depth, norm="none"),
            objective=objective,
        ),
        training=Training(**plain | training),
    )


EXPERIMENTS = {
    "healthy": _experiment(
        "healthy",
        objective=CrossEntropy(penalties={"r1": Penalty(weight=1)}),
        generator_optimizer=Optimizer(learning_rate=2e-3),
        discriminator_optimizer=Optimizer(learning_rate=2e-3),
        ema_half_life_images=2_000,
    ),
    "discriminator_overpowers": _experiment(
        "discriminator_overpowers",
        generator_optimizer=UNTRAINED,
        discriminator_optimizer=Optimizer(learning_rate=1e-2),
    ),
    "generator_overpowers": _experiment(
        "generator_overpowers",
        generator_optimizer=Optimizer(learning_rate=2e-3),
        discriminator_optimizer=UNTRAINED,
    ),
    # momentum with a clipped critic: Arjovsky, Chintala & Bottou 2017, section 4, warn of it
    "oscillating": _experiment(
        "oscillating",
        objective=Objective(name="wasserstein", weight_limit=0.1),
        depth=1,
        generator_optimizer=Optimizer(learning_rate=5e-3, beta_1=0.9),
        discriminator_optimizer=Optimizer(learning_rate=1e-2, beta_1=0.9),
    ),
    # one point that runs from mode to mode: Metz et al. 2017, figure 2
    "mode_collapse": _experiment(
        "mode_collapse",
        generator_optimizer=Optimizer(name="sgd", learning_rate=0.5, momentum=0.5, clip_norm=1),
        discriminator_optimizer=Optimizer(name="sgd", learning_rate=0.1, momentum=0.5, clip_norm=1),
    ),
    "diverged": _experiment(
        "diverged",
        generator_optimizer=Optimizer(name="sgd", learning_rate=100),
        discriminator_optimizer=Optimizer(name="sgd", learning_rate=100),
    ),
}
"""The verdict that an experiment ends with -> the experiment."""


def write_points(directory: Path, data: Data = RING, count: int = 4_096, seed: int = 0) -> list[str]:
    """Transformed examples of a mixture, or of two domains that are mixtures; returns their pattern."""
    directory.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(directory / "examples.gz"), "GZIP") as writer:
        for domain, source in enumerate(data.sources):
            points, _ = mixtures.sample(mixtures.of_source(source), count, seed + domain)
            role = groups_of(data.columns)[domain][0].role
            for point in points:
                features = {role: tf.train.Feature(float_list=tf.train.FloatList(value=point))}
                if isinstance(data, Unpaired):
                    features["group"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[domain]))
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    return [str(directory / "*")]
