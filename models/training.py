"""The one training loop: any GAN of the catalog, any strategy, resumed where it stopped."""

import logging
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import keras
import tensorflow as tf

from models import export, precision, workers
from models.catalog import lookup
from models.checkpoints import Checkpoints
from models.config import Experiment
from models.data import Arrays, batches, read_examples, reference
from models.files import CannotWrite, writing
from models.gans.base import GAN, Phase
from models.health import Monitor
from models.history import History
from models.monitor import standard_callbacks
from models.source import source_hash
from models.strategies import make_strategy

log = logging.getLogger(__name__)

Callbacks: TypeAlias = Sequence[keras.callbacks.Callback]

MAX_ROLL_BACKS = 3
"""A training that is still unhealthy after so many is stopped."""


class TrainingDiverged(ValueError):
    """A loss is no longer a number; the message says where and what remains."""


class TrainingUnhealthy(ValueError):
    """The monitor's verdict stopped the training; the message says why and what remains."""


def train(
    experiment: Experiment,
    *,
    examples: Sequence[str],
    model_dir: str | Path,
    run_dir: str | Path,
    checkpoint_dir: str | Path,
    callbacks: Callbacks | None = None,
) -> GAN:
    """Trains a GAN and exports its generator; continues from `checkpoint_dir` when an earlier run stopped there.

    Of several workers each calls this; the chief alone reads checkpoints, and writes.

    Args:
        experiment: what to train; `data`, `gan`, `network`, `objective` and `training` are read.
        examples: patterns of the transformed training examples.
        model_dir: where the SavedModel goes; written last, only when the training is complete and finite.
        run_dir: receives `history.jsonl`, `samples/` and `tensorboard/`.
        checkpoint_dir: belongs to this experiment on these examples alone; survives a killed run.
        callbacks: Keras callbacks besides the loop's own; None stands for progress, TensorBoard and sample grids, on
            the chief.

    Returns:
        The trained GAN, with the weights that were exported.

    Raises:
        ValueError: data and configuration do not fit, or the checkpoint is of another architecture, or the workers are
            not alike.
        CannotWrite: a file system refuses, for example because it is full; the last good checkpoint stays.
        WorkerLost: another worker is gone; a new process goes on from the last checkpoint.
        TrainingDiverged: a loss became infinite or NaN; nothing is exported, the last good checkpoint stays.
        TrainingUnhealthy: likewise, where `training.health.action` is `stop`.
    """
    strategy = make_strategy(experiment)
    with workers.naming_the_lost(strategy):
        arrays = read_examples(examples, experiment.data)
        workers.check_alike(
            strategy,
            experiment=experiment.to_json(),
            examples=arrays.digest,
            source=source_hash("models"),
            precision=precision.resolve(experiment.training.precision),
        )
        live_dir = Path(checkpoint_dir) / "run"
        if callbacks is None:
            shown = reference(arrays, 200, experiment.training.seed)
            callbacks = standard_callbacks(live_dir, experiment, shown) if workers.is_chief(strategy) else []
        loop = make_loop(experiment, arrays, Path(checkpoint_dir), live_dir, callbacks)
        loop.run()
        step = loop.restore_best()

        def publish() -> None:
            with writing(run_dir):
                shutil.copytree(live_dir, run_dir, dirs_exist_ok=True)
            export.save(loop.gan, model_dir, trained_on=arrays.digest, step=step)

        workers.by_chief(strategy, publish)
    return loop.gan


def make_loop(
    experiment: Experiment, arrays: Arrays, checkpoint_dir: Path, live_dir: Path, callbacks: Callbacks = ()
) -> "Loop":
    """The training of an experiment on examples in memory, under its strategy, its weights drawn by its seed.

    Args:
        experiment: what to train.
        arrays: the examples.
        checkpoint_dir: holds the newest checkpoints, and that of the best look in `best/`.
        live_dir: receives the history.
        callbacks: called after each call of the compiled loop.

    Raises:
        ValueError: see `make_strategy`; or the networks do not fit the data or the scheme.
    """
    strategy = make_strategy(experiment)
    keras.utils.set_random_seed(experiment.training.seed)
    with strategy.scope():
        gan: GAN = lookup("gan", experiment.gan.name)(experiment)
        checkpoints = Checkpoints(checkpoint_dir, gan.state())
        best = Checkpoints(checkpoint_dir / "best", gan.state(), keep=1)
    return Loop(gan, arrays, strategy, checkpoints, best, live_dir, callbacks)


class Stretch(NamedTuple):
    """A phase at its place in the training: steps `first` to `end`, after so many real batches."""

    phase: Phase
    first: int
    end: int
    drawn_before: int


class Loop:
    """Steps in compiled calls, with looks, checkpoints, history and callbacks between them.

    Args:
        gan: made under the strategy's scope.
        arrays: what it is trained on.
        strategy: of any kind.
        checkpoints: of the whole state, the newest.
        best: of the whole state at the best look.
        live_dir: receives the history.
        callbacks: called after each call of the compiled loop.
    """

    def __init__(
        self,
        gan: GAN,
        arrays: Arrays,
        strategy: tf.distribute.Strategy,
        checkpoints: Checkpoints,
        best: Checkpoints,
        live_dir: Path,
        callbacks: Callbacks,
    ):
        self.gan, self.arrays, self.strategy, self.checkpoints, self.best = gan, arrays, strategy, checkpoints, best
        self.training = gan.experiment.training
        self.history = History(live_dir / "history.jsonl")
        self.monitor = Monitor(gan.experiment, reference(arrays, self.training.health.samples, self.training.seed))
        self.callbacks = keras.callbacks.CallbackList(list(callbacks), model=gan)
        self.stretches = stretches(gan.phases())
        self.steps = self.stretches[-1].end
        self.compiled: dict[str, tuple[Any, Any, list[str]]] = {}

    def run(self) -> None:
        """Trains to the end of the last phase, from the newest checkpoint on."""
        step = self.checkpoints.restore()
        self._recall(step)
        if step:
            log.info("resumed at step %d of %d", step, self.steps)
        self.callbacks.on_train_begin({"step": step})
        try:
            while step < self.steps:
                step = self._advance(next(each for each in self.stretches if step < each.end), step)
        except CannotWrite as error:
            raise CannotWrite(f"{error}; {self._remains()}") from error
        finally:
            self.callbacks.on_train_end()

    def restore_best(self) -> int:
        """Puts the weights of the best look in place where the configuration wants them; returns their step."""
        best = self._best()
        if self.training.keep == "last" or best is None or best["step"] == self.steps:
            return self.steps
        restored = self.best.restore()
        if restored != best["step"]:
            raise ValueError(
                f"the weights of the best look, at step {best['step']}, are kept in {self.best.directory}; "
                f"found those of step {restored}; train again, or set training.keep=last"
            )
        return restored

    def _advance(self, stretch: Stretch, step: int) -> int:
        """Trains to the end of a phase; returns the step reached, an earlier one after a roll-back."""
        iterator = iter(self._dataset(stretch, step))
        while step < stretch.end:
            count = self._steps_to_next_stop(stretch, step)
            began = time.monotonic()
            sums = self._call(stretch.phase, iterator, step, count)
            step += count
            row = {name: float(value) / count for name, value in sums.items()}
            row |= {"images": float(step * self.training.batch_size)}
            row |= {"images_per_second": count * self.training.batch_size / (time.monotonic() - began)}
            if self._finite(row, step):
                self._note(row, step)
            if self._rolls_back(step):
                return self._roll_back(step)
            if step % self.training.checkpoint_every_steps == 0 or step == self.steps:
                self._save(step)
        return step

    def _note(self, row: dict[str, float], step: int) -> None:
        """Adds a row to the history, with a look at samples where one is due."""
        if step % self.training.health.check_every_steps == 0 or step == self.steps:
            row |= workers.by_chief(self.strategy, lambda: self.monitor.look(self.gan, step))
        row = {"step": step} | row
        self.history.add(row)
        self.monitor.row(row)
        if self._best() is row and step < self.steps:
            self.best.save(step)
        self.callbacks.on_train_batch_end(step, row)

    def _call(self, phase: Phase, iterator: Any, first: int, count: int) -> dict[str, float]:
        """`count` steps from step `first` on; the sums over these steps of what a step logs."""
        if phase.name not in self.compiled:
            self.compiled[phase.name] = self._compile(phase)
        step, call, names = self.compiled[phase.name]
        # the compiled loop has to know what a step logs before its first step
        step.get_concrete_function(iterator.element_spec, tf.TensorSpec([], tf.int64))
        sums = call(iterator, tf.constant(first, tf.int64), tf.constant(count, tf.int64), len(names))
        return dict(zip(names, sums.numpy(), strict=True))

    def _compile(self, phase: Phase) -> tuple[Any, Any, list[str]]:
        """One step over all replicas, a loop of such steps, and the names of what they log, once they are traced."""
        play = tf.function(phase.step, jit_compile=True) if self.training.jit else phase.step
        names: list[str] = []

        def share(batch: Any, number: tf.Tensor) -> tf.Tensor:
            logs = play(batch, number)
            names[:] = logs
            return tf.stack(list(logs.values()))

        @tf.function
        def step(batch: Any, number: tf.Tensor) -> tf.Tensor:
            shares = self.strategy.run(share, args=(batch, number))
            for average in self.gan.averages.values():
                average.update()
            # all logs in one message between the workers
            return self.strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None)

        @tf.function
        def call(iterator: Any, first: tf.Tensor, count: tf.Tensor, logged: int) -> tf.Tensor:
            sums = tf.zeros([logged])
            for i in tf.range(count):
                sums += step(next(iterator), first + i)
            return sums

        return step, call, names

    def _dataset(self, stretch: Stretch, step: int) -> Any:
        def make(context: tf.distribute.InputContext) -> tf.data.Dataset:
            return batches(
                self.arrays,
                self.training,
                draws=stretch.phase.draws,
                first_step=step - stretch.first,
                context=context,
                drawn_before=stretch.drawn_before,
            )

        return self.strategy.distribute_datasets_from_function(make)

    def _steps_to_next_stop(self, stretch: Stretch, step: int) -> int:
        """Steps of the next call: it ends where a look, a checkpoint or a grid is due, and with the phase."""
        training = self.training
        stops = [stretch.end - step, training.steps_per_call]
        every = (training.checkpoint_every_steps, training.sample_every_steps, training.health.check_every_steps)
        return min(stops + [each - step % each for each in every])

    def _finite(self, row: dict[str, float], step: int) -> bool:
        """Whether all is finite; where not, and no roll-back is possible, the training ends."""
        wrong = sorted(name for name, value in row.items() if not math.isfinite(value))
        if not wrong:
            return True
        self.monitor.row({"step": step} | row)
        if not self._rolls_back(step):
            raise TrainingDiverged(
                f"training diverged before step {step}: {wrong[0]} is {row[wrong[0]]}; no model is written, "
                f"{self._remains()}; lower the learning rates or add a penalty"
            )
        return False

    def _rolls_back(self, step: int) -> bool:
        """Whether the verdict and the configuration ask for a roll-back; stops the training where they ask for that."""
        action, verdict = self.training.health.action, self.monitor.verdict()
        if verdict.name == "healthy" or action == "warn":
            return False
        tired = -math.log2(float(self.gan.rate_scale.numpy())) >= MAX_ROLL_BACKS
        if verdict.name != "diverged" and (action == "stop" or tired):
            raise TrainingUnhealthy(
                f"training stopped at step {step}, {verdict.name}: {verdict.meaning}; no model is written, "
                f"{self._remains()}; change the recipe, or go on with training.health.action=warn"
            )
        return action == "roll_back" and not tired and self._best() is not None

    def _roll_back(self, step: int) -> int:
        """Goes back to the best look with half the learning rates, so that the same path is not taken again."""
        verdict, scale = self.monitor.verdict(), float(self.gan.rate_scale.numpy())
        to = self.best.restore()
        self.gan.rate_scale.assign(scale / 2)
        log.warning("step %d, %s: back to step %d, with half the learning rates", step, verdict.name, to)
        self._recall(to)
        self._save(to)
        return to

    def _save(self, step: int) -> None:
        workers.by_chief(self.strategy, self.history.save)
        self.checkpoints.save(step)

    def _recall(self, step: int) -> None:
        """The history and what the monitor knows, as they were at a step."""
        self.history.rows = workers.by_chief(self.strategy, lambda: self.history.load(up_to=step))
        self.monitor.reset()
        for row in self.history.rows:
            self.monitor.row(row)

    def _best(self) -> dict[str, float] | None:
        """The row of the best look in the last phase: what comes before is no finished generator."""
        return self.history.best(after=self.stretches[-1].first)

    def _remains(self) -> str:
        kept = self.checkpoints.paths()
        return f"the last good checkpoint is {kept[-1]}" if kept else "there is no checkpoint yet"


def stretches(phases: Sequence[Phase]) -> list[Stretch]:
    """The phases with steps, one after the other."""
    found: list[Stretch] = []
    for phase in phases:
        first, drawn = 0, 0
        if found:
            last = found[-1]
            first, drawn = last.end, last.drawn_before + (last.end - last.first) * last.phase.draws
        if phase.steps:
            found.append(Stretch(phase, first, first + phase.steps, drawn))
    return found
