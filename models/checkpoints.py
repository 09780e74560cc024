"""Checkpoints of a training: atomic, checked against the architecture, falling back when the newest cannot be read."""

import logging
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

log = logging.getLogger(__name__)


class Checkpoints:
    """Saves and restores named variables and the step.

    Args:
        directory: where the files go; made when it is missing.
        variables: name -> variable; names and shapes are the identity of the architecture.
        keep: how many to keep, so that a corrupt newest one has one before it.
    """

    def __init__(self, directory: str | Path, variables: Mapping[str, tf.Variable], keep: int = 2):
        self.variables = variables
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        checkpoint = tf.train.Checkpoint(step=self.step, **{_key(name): each for name, each in variables.items()})
        self.manager = tf.train.CheckpointManager(checkpoint, str(directory), max_to_keep=keep)

    def save(self, step: int) -> None:
        """Writes a checkpoint; the ones before it stay until it is complete."""
        self.step.assign(step)
        self.manager.save(checkpoint_number=step)

    def restore(self) -> int:
        """Restores the newest checkpoint that can be read.

        Returns:
            Its step, 0 when there is none.

        Raises:
            ValueError: a checkpoint is of another architecture, or there are some but none can be read.
        """
        paths = list(reversed(self.manager.checkpoints))
        for path in paths:
            try:
                reader = tf.train.load_checkpoint(path)
                self._check(path, reader.get_variable_to_shape_map())
                self.manager.checkpoint.restore(path).assert_consumed()
                return int(self.step.numpy())
            except (tf.errors.OpError, AssertionError) as error:
                log.warning("checkpoint %s cannot be read, trying the one before it: %s", path, str(error)[:200])
        if paths:
            raise ValueError(f"a run resumes from a readable checkpoint; none of {len(paths)} is: {', '.join(paths)}")
        return 0

    def _check(self, path: str, shapes: Mapping[str, list[int]]) -> None:
        """Refuses a checkpoint whose variables are not ours."""
        saved = {
            name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): list(shape)
            for name, shape in shapes.items()
            if name.endswith("VARIABLE_VALUE") and not name.startswith(("step/", "save_counter/"))
        }
        ours = {_key(name): list(each.shape) for name, each in self.variables.items()}
        wrong = sorted(name for name in saved.keys() | ours.keys() if saved.get(name) != ours.get(name))
        if wrong:
            name = wrong[0]
            raise ValueError(
                f"checkpoint {path} is of another architecture: {name} is {saved.get(name, 'missing')} there and "
                f"{ours.get(name, 'missing')} here; move it away or restore the configuration that made it"
            )


def _key(name: str) -> str:
    # a slash in the name of a tracked object is escaped in the file
    return name.replace("/", "-")
