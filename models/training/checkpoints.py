"""Checkpoints of a training: atomic, checked against the architecture, falling back when the newest cannot be read."""

import logging
from collections.abc import Mapping

import tensorflow as tf
from etils import epath

from models.files import writing
from models.training import workers

log = logging.getLogger(__name__)

UNFINISHED = "-unfinished"
"""Follows the name of a checkpoint while it is written."""

UNREADABLE = (tf.errors.OpError, AssertionError, IndexError, KeyError, RuntimeError)
"""What TensorFlow raises at a damaged checkpoint: its reader's errors come as Python's own."""


class Checkpoints:
    """Saves and restores named variables and the step; the chief alone reads and writes.

    A checkpoint is `ckpt-NUMBER`, counted up, so that none is ever overwritten. It exists once it has its `.index`,
    which comes into its place last and whole: TensorFlow writes it bit by bit, and a kill would leave half of one.
    All workers call all methods, in the same order.

    Args:
        directory: where the files go; made when it is missing.
        variables: name -> variable; names and shapes are the identity of the architecture.
        keep: how many to keep, so that a corrupt newest one has one before it.
    """

    def __init__(self, directory: epath.PathLike, variables: Mapping[str, tf.Variable], keep: int = 2):
        self.directory, self.variables, self.keep = epath.Path(directory), variables, keep
        self.strategy = tf.distribute.get_strategy()
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._checkpoint = tf.train.Checkpoint(step=self.step, **{_key(name): each for name, each in variables.items()})

    def save(self, step: int) -> None:
        """Writes a checkpoint; the ones before it stay until it is complete.

        Raises:
            CannotWrite: the file system refuses, for example because it is full.
        """
        self.step.assign(step)
        workers.by_chief(self.strategy, self._write)

    def restore(self) -> int:
        """Restores the newest checkpoint that can be read.

        Returns:
            Its step, 0 when there is none.

        Raises:
            ValueError: a checkpoint is of another architecture, or there are some but none can be read.
        """
        step = int(workers.by_chief(self.strategy, self._read))
        if step:
            workers.from_chief(self.strategy, [self.step, *self.variables.values()])
        return step

    def paths(self) -> list[epath.Path]:
        """The complete checkpoints, oldest first, without suffix."""
        found = {_number(index): index.with_suffix("") for index in self.directory.glob("ckpt-*[0-9].index")}
        return [found[number] for number in sorted(found)]

    def _write(self) -> None:
        before = self.paths()
        path = self.directory / f"ckpt-{_number(before[-1]) + 1 if before else 1}"
        kept = before
        with writing(path):
            self.directory.mkdir(parents=True, exist_ok=True)
            try:
                self._checkpoint.write(str(path) + UNFINISHED)
                for part in self._parts_of_unfinished(path):
                    part.replace(part.with_name(part.name.replace(UNFINISHED, "", 1)))
                kept = [*before, path][-self.keep :]
            finally:
                self._remove_all_but(kept)

    def _parts_of_unfinished(self, path: epath.Path) -> list[epath.Path]:
        """The files of a checkpoint that is written, the index last."""
        return sorted(self.directory.glob(f"{path.name}{UNFINISHED}.*"), key=lambda part: part.suffix == ".index")

    def _remove_all_but(self, kept: list[epath.Path]) -> None:
        """Removes the files of other checkpoints, unfinished ones too."""
        names = {path.name for path in kept}
        # the index first: what has none is no checkpoint
        for entry in sorted(self.directory.glob("ckpt-*"), key=lambda entry: entry.suffix != ".index"):
            if entry.name.partition(".")[0] not in names:
                entry.rmtree() if entry.is_dir() else entry.unlink()

    def _read(self) -> int:
        paths = list(reversed(self.paths()))
        for path in paths:
            try:
                reader = tf.compat.v1.train.NewCheckpointReader(str(path))
                self._check(path, reader.get_variable_to_shape_map())
                self._checkpoint.read(str(path)).assert_consumed()
                return int(self.step.numpy())
            except UNREADABLE as error:
                log.warning("checkpoint %s cannot be read, trying the one before it: %s", path, str(error)[:200])
        if paths:
            named = ", ".join(map(str, paths))
            raise ValueError(f"a run resumes from a readable checkpoint; none of {len(paths)} is: {named}")
        return 0

    def _check(self, path: epath.Path, shapes: Mapping[str, list[int]]) -> None:
        """Refuses a checkpoint whose variables are not ours."""
        saved = {
            name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): list(shape)
            for name, shape in shapes.items()
            if name.endswith("VARIABLE_VALUE") and not name.startswith("step/")
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


def _number(path: epath.Path) -> int:
    return int(path.name.removesuffix(".index").removeprefix("ckpt-"))
