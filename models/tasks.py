"""What a model takes, and what its output is held against: the tasks that a scheme can learn.

A task has one class and one line in the catalog; a user's own is named `package.module:Task` by its scheme.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf

from models import catalog, latents, pixels
from models.catalog import lookup
from models.columns import kind_of
from models.config import Column, Experiment, Restoration
from models.config.datasets.columns import aligned
from models.degradations import degrade, kernels_of
from models.examples.arrays import Arrays
from models.randomness import Key, fold
from models.randomness import key as key_of
from models.training import looks

Inputs = Mapping[str, tf.Tensor]
"""What a network takes: `z`, `code`, `label`, `input`, `kernel`, `target`, each [batch, ...]; images in [-1, 1]."""


class Task:
    """A task; a subclass says what is special.

    Attributes:
        best: the figure of a look at samples by which the best checkpoint is picked, the less the better.
        takes_examples: whether a model takes examples: it is judged on what it makes of held-out ones, where another is
            judged on as many samples as are asked for.
        shown: the heads of what a report shows side by side: real and generated examples, or of a model that takes
            examples these, its outputs, and where the task is paired the truth.
    """

    best = looks.DISTANCE
    takes_examples = False
    shown: tuple[str, ...] = ("Real, held out", "Generated")

    def settings(self, experiment: Experiment) -> dict[str, Any]:
        """What of an experiment's scheme decides the inputs that a model is judged on, as plain values."""
        return {}

    def asked(
        self, settings: Mapping[str, Any], columns: Sequence[Column], examples: Arrays, seed: int
    ) -> dict[str, np.ndarray]:
        """The inputs that a model which takes examples is judged on.

        Args:
            settings: as `settings` gave them.
            columns: of the data.
            examples: held-out ones.
            seed: of all that is random.

        Returns:
            `input` and the names of `beside`, each [n, ...] float32, as networks take it; row by row of the targets
            where the task is paired.
        """
        raise NotImplementedError(f"{type(self).__name__} says what a model is judged on")

    def beside(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of what a model takes beside an example; it is served by the same names."""
        return ()

    def untouched(self, asked: Mapping[str, np.ndarray], columns: Sequence[Column]) -> np.ndarray:
        """What the outputs would be of a model that does nothing: its inputs, images as large as their targets.

        Args:
            asked: as `asked` gave it.
            columns: of the data.

        Returns:
            [n, ...] float32; smaller images are enlarged by cubic interpolation, which is what a model is held against.
        """
        shape = next(each for each in columns if each.role == "target").shape
        taken = asked["input"]
        return taken if taken.shape[1:] == shape else pixels.enlarged(taken, shape)

    def untouched_is(self, experiment: Experiment) -> str:
        """What `untouched` gives, as a report calls it."""
        return "Input"

    def options(self, settings: Mapping[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
        """Options of the metrics that this task has its own of, by the names of their parameters.

        Args:
            settings: as `settings` gave them.
            columns: of the data.
        """
        return {}

    def inputs(self, experiment: Experiment, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """What the generator takes for these real examples.

        Args:
            experiment: whose columns and scheme decide.
            real: each column, [batch, ...], as networks take it.
            key: int64 [2], of all that is random.
        """
        raise NotImplementedError(f"{type(self).__name__} says what a model takes")

    def paired(self, columns: Sequence[Column]) -> bool:
        """True where each output has one true answer, the target of its row."""
        return False

    def picked_by(self, columns: Sequence[Column]) -> str:
        """The figure of a look by which the best checkpoint is picked: `best`, or one that such columns allow."""
        return self.best


class Generate(Task):
    """Noise, and a label where the model reads it, to an example."""

    def settings(self, experiment: Experiment) -> dict[str, Any]:
        """See `Task`: the codes."""
        latent = experiment.latent
        return {"codes": experiment.scheme.generator.codes, "categorical_codes": latent.categorical_codes}

    def inputs(self, experiment: Experiment, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """See `Task`: labels are those of real examples, in their real shares."""
        size = next(iter(real.values())).shape[0]
        condition = {"label": tf.convert_to_tensor(real["label"])} if experiment.conditional else {}
        return latents.drawn(experiment.latent, key, size) | condition


class Translate(Task):
    """An example of one domain to one of another."""

    takes_examples = True
    shown = ("Input", "Output", "Truth")

    def inputs(self, experiment: Experiment, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """See `Task`."""
        return {"input": tf.convert_to_tensor(real["input"])}

    def asked(
        self, settings: Mapping[str, Any], columns: Sequence[Column], examples: Arrays, seed: int
    ) -> dict[str, np.ndarray]:
        """See `Task`: the inputs."""
        column = next(each for each in columns if each.role == "input")
        return {"input": np.asarray(kind_of(column).scaled(column, examples.columns["input"][:]))}

    def paired(self, columns: Sequence[Column]) -> bool:
        """See `Task`: where input and target are aligned."""
        return aligned(tuple(columns))

    def picked_by(self, columns: Sequence[Column]) -> str:
        """See `Task`: how far each output is from its truth, where it has one."""
        return looks.PAIR_DISTANCE if self.paired(columns) else self.best


class Restore(Task):
    """A degraded example to what it was."""

    best = looks.PAIR_DISTANCE
    takes_examples = True
    shown = ("Degraded", "Restored", "Truth")

    def settings(self, experiment: Experiment) -> dict[str, Any]:
        """See `Task`: how examples are degraded, and what of that is told, where something is."""
        scheme = cast(Restoration, experiment.scheme)
        told = {"beside": list(scheme.generator.beside)} if scheme.generator.beside else {}
        return {"degradations": dict(scheme.degradations)} | told

    def beside(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """See `Task`: the kernel, where it is told."""
        return tuple(settings.get("beside", ()))

    def asked(
        self, settings: Mapping[str, Any], columns: Sequence[Column], examples: Arrays, seed: int
    ) -> dict[str, np.ndarray]:
        """See `Task`: the targets, degraded; images within their range, as no picture that is served leaves it."""
        column = next(each for each in columns if each.role == "target")
        held = examples.columns.get("surroundings", examples.columns["target"])
        real = tf.constant(kind_of(column).scaled(column, np.asarray(held[:])))
        key = key_of(seed, 0, "judged")
        told = self.beside(settings)
        asked = _spoilt(real, settings["degradations"], columns, key, told, judged=True)
        return {name: np.asarray(values) for name, values in asked.items()}

    def untouched_is(self, experiment: Experiment) -> str:
        """See `Task`."""
        return "Bicubic" if cast(Restoration, experiment.scheme).divided_by > 1 else "Input"

    def options(self, settings: Mapping[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
        """See `Task`: PSNR and SSIM without the border, where less is known of an image than within.

        Of super-resolution that of the luma, without as many pixels at borders as the factor; of deconvolution, without
        as many as a kernel reaches.

        Reference: Ledig et al. 2017, section 3.1, and the papers that it compares with.
        """
        degradations = settings["degradations"]
        factor = math.prod(int(degradations.get(name, 1)) for name in catalog.DIVIDING)
        reach = sum(int(degradations.get(name, 1)) // 2 for name in catalog.BLURRING)
        target = next(each for each in columns if each.role == "target")
        if factor == 1:
            return {"crop": reach} if reach else {}
        return {"crop": factor + reach, "channels": "luma" if target.shape[-1] == 3 else "all"}

    def inputs(self, experiment: Experiment, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """See `Task`: the targets, degraded as those that a model is judged on, but by kernels of training."""
        scheme, columns = cast(Restoration, experiment.scheme), experiment.data.columns
        target = tf.convert_to_tensor(real.get("surroundings", real["target"]))
        key = fold(key, "degradation")
        return _spoilt(target, scheme.degradations, columns, key, scheme.generator.beside)

    def paired(self, columns: Sequence[Column]) -> bool:
        """See `Task`: always."""
        return True


@tf.autograph.experimental.do_not_convert  # it looks the kind up
def _spoilt(
    real: tf.Tensor,
    degradations: Mapping[str, float],
    columns: Sequence[Column],
    key: Key,
    told: Sequence[str],
    *,
    judged: bool = False,
) -> dict[str, tf.Tensor]:
    """Degraded targets, `input`, and the `kernel` of each where it is told.

    Images stay in their range, as no picture that is served leaves it.
    """
    spoilt = degrade(real, degradations, key, judged=judged)
    column = next(each for each in columns if each.role == "target")
    found = {"input": tf.clip_by_value(spoilt, -1, 1) if kind_of(column).served == "image" else spoilt}
    if "kernel" in told:
        found["kernel"] = kernels_of(degradations, key, real.shape[0], judged=judged)
    return found


def task_of(experiment: Experiment) -> Task:
    """The task that an experiment's scheme learns. Raises ValueError where it cannot be had; one line."""
    return task(experiment.scheme.task)


def task(name: str) -> Task:
    """The task of this name, or of a user's own. Raises ValueError where it cannot be had; one line."""
    made: Task = lookup("task", name)()
    return made
