"""The loop: steps of a GAN's phases in compiled calls, with looks, checkpoints, history and callbacks between them."""

import logging
import math
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

import keras
import tensorflow as tf
from etils import epath

from models.config import Experiment
from models.config.variants import made_by
from models.examples.arrays import Arrays, compared_with, reference
from models.examples.batches import batches
from models.files import CannotWrite
from models.gans.base import GAN, Stretch, stretches
from models.training import workers
from models.training.checkpoints import Checkpoints
from models.training.history import History
from models.training.monitor import Monitor
from models.training.strategies import make_strategy

log = logging.getLogger(__name__)

Callbacks: TypeAlias = Sequence[keras.callbacks.Callback]

MAX_ROLL_BACKS = 3
"""A training that is still unhealthy after so many is stopped."""


class TrainingDiverged(ValueError):
    """A loss is no longer a number; the message says where and what remains."""


class TrainingUnhealthy(ValueError):
    """The monitor's verdict stopped the training; the message says why and what remains."""


class Loop:
    """Steps in compiled calls, with looks, checkpoints, history and callbacks between them.

    Args:
        gan: made under the strategy's scope.
        arrays: what it is trained on.
        compared: what looks at samples compare with.
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
        compared: Arrays,
        strategy: tf.distribute.Strategy,
        checkpoints: Checkpoints,
        best: Checkpoints,
        live_dir: epath.PathLike,
        callbacks: Callbacks,
    ):
        self.gan, self.arrays, self.strategy, self.checkpoints, self.best = gan, arrays, strategy, checkpoints, best
        self.training = gan.experiment.training
        self.history = History(epath.Path(live_dir) / "history.jsonl")
        looked_at = reference(compared, gan.experiment.data, self.training.health.samples, self.training.seed)
        self.monitor = Monitor(gan.experiment, looked_at)
        self.callbacks = keras.callbacks.CallbackList(list(callbacks), model=gan)
        self.stretches = stretches(gan.phases(), self.training.batch_size)
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
            sums = self._call(stretch, iterator, step, count)
            step += count
            row = {name: float(value) / count for name, value in sums.items()}
            row |= {"images": float(stretch.seen(step))}
            row |= {"images_per_second": count * stretch.batch_size / (time.monotonic() - began)}
            wrong = sorted(name for name, value in row.items() if not math.isfinite(value))
            if wrong:
                self.monitor.row({"step": step} | row)
            else:
                self._note(row, step)
            if self._rolls_back(step, [f"{name} is {row[name]}" for name in wrong]):
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

    def _call(self, stretch: Stretch, iterator: Any, first: int, count: int) -> dict[str, float]:
        """`count` steps from step `first` on; the sums over these steps of what a step logs."""
        name = stretch.phase.name
        if name not in self.compiled:
            self.compiled[name] = self._compile(stretch)
        step, call, names = self.compiled[name]
        # the compiled loop has to know what a step logs before its first step
        step.get_concrete_function(iterator.element_spec, tf.TensorSpec([], tf.int64))
        sums = call(iterator, tf.constant(first, tf.int64), tf.constant(count, tf.int64), len(names))
        return dict(zip(names, sums.numpy(), strict=True))

    def _compile(self, stretch: Stretch) -> tuple[Any, Any, list[str]]:
        """One step over all replicas, a loop of such steps, and the names of what they log, once they are traced."""
        phase = stretch.phase
        play = tf.function(phase.step, jit_compile=True) if self.training.jit else phase.step
        averages = [
            self.gan.averages[name] for name in self.gan.averages if name in (phase.trains or self.gan.averages)
        ]
        names: list[str] = []

        def share(batch: Any, number: tf.Tensor) -> tf.Tensor:
            logs = play(batch, number)
            names[:] = logs
            return tf.stack(list(logs.values()))

        @tf.function
        def step(batch: Any, number: tf.Tensor) -> tf.Tensor:
            shares = self.strategy.run(share, args=(batch, number))
            for average in averages:
                average.update(stretch.seen(number + 1), stretch.batch_size)
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
                self.gan.experiment.data.columns,
                seed=self.training.seed,
                batch_size=stretch.batch_size,
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

    def _rolls_back(self, step: int, wrong: list[str]) -> bool:
        """Says whether to go back to the best look: the verdict and the configuration ask for it, and there is one.

        Args:
            step: that was reached.
            wrong: what is not finite there.

        Raises:
            TrainingDiverged: something is not finite, and there is no way back.
            TrainingUnhealthy: the configuration asks for a stop, or it is ill after MAX_ROLL_BACKS.
        """
        action, verdict = self.training.health.action, self.monitor.verdict()
        if not wrong and (verdict.name == "healthy" or action == "warn"):
            return False
        tired = -math.log2(float(self.gan.rate_scale.numpy())) >= MAX_ROLL_BACKS
        if action == "roll_back" and not tired and self._best() is not None:
            return True
        if wrong:
            raise TrainingDiverged(
                f"training diverged before step {step}: {wrong[0]}; no model is written, {self._remains()}; "
                "lower the learning rates or add a penalty"
            )
        if action == "stop" or tired:
            raise TrainingUnhealthy(
                f"training stopped at step {step}, {verdict.name}: {verdict.meaning}; no model is written, "
                f"{self._remains()}; change the recipe, or go on with training.health.action=warn"
            )
        return False

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
        """The row of the best look in the phase that was reached: an earlier one's generator was not finished."""
        reached = self.history.rows[-1]["step"] if self.history.rows else 0
        first = next((each.first for each in self.stretches if reached <= each.end), 0)
        figure = self.gan.task.picked_by(self.gan.experiment.data.columns)
        return self.history.best(figure, after=first)

    def _remains(self) -> str:
        kept = self.checkpoints.paths()
        return f"the last good checkpoint is {kept[-1]}" if kept else "there is no checkpoint yet"


def make_loop(
    experiment: Experiment,
    arrays: Arrays,
    checkpoint_dir: epath.PathLike,
    live_dir: epath.PathLike,
    callbacks: Callbacks = (),
    choose: Arrays | None = None,
) -> Loop:
    """The training of an experiment on examples in memory, under its strategy, its weights drawn by its seed.

    Args:
        experiment: what to train.
        arrays: the examples.
        checkpoint_dir: holds the newest checkpoints, and that of the best look in `best/`.
        live_dir: receives the history.
        callbacks: called after each call of the compiled loop.
        choose: what looks at samples compare with; None, or fewer than 2 of a domain, for the examples themselves.

    Raises:
        ValueError: see `make_strategy`; or the networks do not fit the data or the scheme.
    """
    strategy = make_strategy(experiment)
    keras.utils.set_random_seed(experiment.training.seed)
    with strategy.scope():
        gan: GAN = made_by("scheme", experiment.scheme)(experiment)
        checkpoints = Checkpoints(checkpoint_dir, gan.state())
        best = Checkpoints(epath.Path(checkpoint_dir) / "best", gan.state(), keep=1)
    return Loop(gan, arrays, compared_with(arrays, choose), strategy, checkpoints, best, live_dir, callbacks)
