"""The smallest players, and how tests of schemes play with them: steps by hand, on points, in no loop."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from models.config import Data, Discriminator, Experiment, Latent, NoiseGenerator, Optimizer
from models.config.variants import made_by
from models.examples.arrays import Arrays
from models.examples.batches import batches
from models.gans.base import GAN, Stretch, stretches

SGD = Optimizer(name="sgd", learning_rate=0.1)

PLAIN: dict[str, Any] = {"generator": {"norm": "none"}, "discriminator": {"norm": "none"}}
"""Small players whose examples do not mix."""

TINY: dict[str, Any] = {
    "generator": {"name": f"{__name__}:TinyGenerator"},
    "discriminator": {"name": f"{__name__}:TinyDiscriminator"},
}
"""The smallest players, which are a user's own."""


class TinyGenerator(NoiseGenerator):
    """G(z) = theta."""

    implementation: ClassVar[str] = f"{__name__}:generator"
    latent: Latent = Latent(size=2)


class TinyDiscriminator(Discriminator):
    """D(x) = w . x."""

    implementation: ClassVar[str] = f"{__name__}:discriminator"
    norm: Literal["none"] = "none"


class Place(layers.Layer):
    """A point that is learned, and given for every row."""

    def build(self, shape: Any) -> None:
        self.point = self.add_weight(shape=[2], initializer=keras.initializers.Constant([1.0, 0.5]))

    def call(self, z: tf.Tensor) -> tf.Tensor:
        return 0 * z + self.point


def generator(variant: TinyGenerator, data: Data) -> keras.Model:
    """G(z) = theta, [b, 2]."""
    z = layers.Input([2], name="z")
    return keras.Model({"z": z}, Place()(z))


def discriminator(variant: TinyDiscriminator, data: Data, codes: int = 0) -> keras.Model:
    """D(x) = w . x, [b]."""
    x = layers.Input([2 * variant.pack], name="target")
    weights = layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(0.5))
    return keras.Model({"target": x}, layers.Reshape([])(weights(x)))


def experiment(
    scheme: str = "adversarial",
    *,
    generator: dict[str, Any] | None = None,
    discriminator: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    **fields: Any,
) -> Experiment:
    """A training on points by SGD.

    Args:
        scheme: its name.
        generator: fields that are not those of a small one; all, where there is a `name`.
        discriminator: likewise.
        training: fields that are not those of a short one.
        data: of points, or of whatever its `name` says; two mixtures for a cycle.
        fields: further ones of the scheme.
    """
    small = {"name": "points", "width": 8}
    driven = {} if scheme in ("cycle", "restoration") else {"latent": {"size": 2}}
    if scheme == "cycle":
        data = {"name": "unpaired", "input": "points", "target": {"name": "points", "source": "mixture:grid"}}
    if scheme == "restoration":
        fields["pretraining"] = {"optimizer": SGD} | fields.get("pretraining", {})
    short = {"steps": 8, "batch_size": 8, "strategy": "one_device", "precision": "float32", "steps_per_call": 2}
    short |= {"generator_optimizer": SGD, "discriminator_optimizer": SGD}
    players = {
        "generator": _part(small | driven, generator or {}),
        "discriminator": _part(small, discriminator or {}),
    }
    return Experiment.parse(
        {
            "name": "tiny",
            "data": _part({"name": "points"}, data or {}),
            "scheme": {"name": scheme} | players | fields,
            "training": short | (training or {}),
        }
    )


def _part(default: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    return given if "name" in given else default | given


def make(experiment: Experiment) -> GAN:
    """The GAN of an experiment, its weights drawn by the experiment's seed."""
    keras.utils.set_random_seed(experiment.training.seed)
    made: GAN = made_by("scheme", experiment.scheme)(experiment)
    return made


def points(*shape: int, seed: int = 0) -> tf.Tensor:
    """Standard normal, [*shape, 2] float32."""
    return tf.constant(np.random.default_rng(seed).standard_normal([*shape, 2]), tf.float32)


def number(step: int) -> tf.Tensor:
    """Of a step."""
    return tf.constant(step, tf.int64)


def copied(gan: GAN) -> dict[str, np.ndarray]:
    """All of a GAN's state."""
    return {name: variable.numpy() for name, variable in gan.state().items()}


def changed(before: dict[str, np.ndarray], gan: GAN) -> set[str]:
    """Whose state is another now: networks, their optimizers, averages, `extra`."""
    return {name.split("/")[0] for name, value in copied(gan).items() if not np.array_equal(value, before[name])}


def play(gan: GAN, target: np.ndarray, taken: np.ndarray | None = None) -> Iterator[str]:
    """Trains a GAN on points to draw, and on others to translate; gives the name of each phase that is done."""
    arrays = Arrays.aligned(target)
    if taken is not None:
        arrays = Arrays({"input": taken, "target": target}, (("input",), ("target",)))
    training = gan.experiment.training
    for stretch in stretches(gan.phases(), training.batch_size):
        phase = stretch.phase
        drawn = batches(
            arrays,
            gan.experiment.data.columns,
            seed=training.seed,
            batch_size=stretch.batch_size,
            draws=phase.draws,
            first_step=0,
            context=tf.distribute.InputContext(),
            drawn_before=stretch.drawn_before,
        )
        steps = tf.range(stretch.first, stretch.end, dtype=tf.int64)

        @tf.function
        def train(iterator: Any, steps: tf.Tensor = steps, stretch: Stretch = stretch) -> None:
            for step in steps:
                stretch.phase.step(next(iterator), step)
                for average in gan.averages.values():
                    average.update(stretch.seen(step + 1), stretch.batch_size)

        train(iter(drawn))
        yield phase.name


def energy_distance(left: np.ndarray, right: np.ndarray) -> float:
    """0 where two samples of points, [n, 2] and [m, 2], are of one distribution. Szekely & Rizzo 2013, equation 5."""

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.linalg.norm(a[:, None] - b[None], axis=-1).mean())

    return 2 * mean(left, right) - mean(left, left) - mean(right, right)
