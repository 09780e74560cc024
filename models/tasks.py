"""What a model takes, and what its output is held against: the tasks that a scheme can learn.

A task has one class and one line in the catalog; a user's own is named `package.module:Task` by its scheme.
"""

from collections.abc import Mapping
from typing import cast

import tensorflow as tf

from models import latents
from models.catalog import lookup
from models.config import Experiment, Restoration, groups_of
from models.degradations import degrade
from models.randomness import Key, fold
from models.training import looks

Inputs = Mapping[str, tf.Tensor]
"""What a network takes: `z`, `code`, `label`, `input`, `target`, each [batch, ...]; images in [-1, 1]."""


class Task:
    """A task; a subclass says what is special.

    Attributes:
        best: the figure of a look at samples by which the best checkpoint is picked, the less the better.
    """

    best = looks.DISTANCE

    def inputs(self, experiment: Experiment, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """What the generator takes for these real examples.

        Args:
            experiment: whose columns and scheme decide.
            real: each column, [batch, ...], as networks take it.
            key: int64 [2], of all that is random.
        """
        raise NotImplementedError(f"{type(self).__name__} says what a model takes")

    def paired(self, experiment: Experiment) -> bool:
        """True where each output has one true answer, the target of its row."""
        return False


class Generate(Task):
    """Noise, and a label where the model reads it, to an example."""

    def inputs(self, experiment: Experiment, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """See `Task`: labels are those of real examples, in their real shares."""
        size = next(iter(real.values())).shape[0]
        condition = {"label": tf.convert_to_tensor(real["label"])} if experiment.conditional else {}
        return latents.drawn(experiment.latent, key, size) | condition


class Translate(Task):
    """An example of one domain to one of another."""

    def inputs(self, experiment: Experiment, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """See `Task`."""
        return {"input": tf.convert_to_tensor(real["input"])}

    def paired(self, experiment: Experiment) -> bool:
        """See `Task`: where input and target are aligned."""
        return any({"input", "target"} <= {each.role for each in group} for group in groups_of(experiment.data.columns))


class Restore(Task):
    """A degraded example to what it was."""

    best = looks.PAIR_DISTANCE

    def inputs(self, experiment: Experiment, real: Inputs, key: Key) -> dict[str, tf.Tensor]:
        """See `Task`: the targets, degraded."""
        degradations = cast(Restoration, experiment.scheme).degradations
        return {"input": degrade(tf.convert_to_tensor(real["target"]), degradations, fold(key, "degradation"))}

    def paired(self, experiment: Experiment) -> bool:
        """See `Task`: always."""
        return True


def task_of(experiment: Experiment) -> Task:
    """The task that an experiment's scheme learns. Raises ValueError where it cannot be had; one line."""
    made: Task = lookup("task", experiment.scheme.task)()
    return made
