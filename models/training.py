"""The one training loop: any GAN of the catalog, any strategy, resumed where it stopped."""

import functools
import json
import logging
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from models import export
from models.catalog import lookup
from models.checkpoints import Checkpoints
from models.config import Experiment, Training
from models.data import Arrays, batches, read_examples
from models.gans.base import GAN
from models.monitor import standard_callbacks

log = logging.getLogger(__name__)


class TrainingDiverged(ValueError):
    """A loss is no longer a number; the message says where and what remains."""


def train(
    experiment: Experiment,
    *,
    examples: Sequence[str],
    model_dir: str | Path,
    run_dir: str | Path,
    checkpoint_dir: str | Path,
    callbacks: Sequence[keras.callbacks.Callback] | None = None,
) -> GAN:
    """Trains a GAN and exports its generator; continues from `checkpoint_dir` when an earlier run stopped there.

    Args:
        experiment: what to train; `data`, `gan`, `network`, `objective` and `training` are read.
        examples: patterns of the transformed training examples.
        model_dir: where the SavedModel goes; written last, only when the training is complete and finite.
        run_dir: receives `history.jsonl`, `samples/` and `tensorboard/`.
        checkpoint_dir: belongs to this experiment on these examples alone; survives a killed run.
        callbacks: Keras callbacks besides the loop's own; None stands for progress, TensorBoard and sample grids.

    Returns:
        The trained GAN.

    Raises:
        ValueError: data and configuration do not fit, or the checkpoint is of another architecture.
        TrainingDiverged: a loss became infinite or NaN; nothing is exported, the last good checkpoint stays.
    """
    training = experiment.training
    strategy = make_strategy(training)
    arrays = read_examples(examples, experiment.data)
    live_dir = Path(checkpoint_dir) / "run"
    keras.utils.set_random_seed(training.seed)
    with strategy.scope():
        gan: GAN = lookup("gan", experiment.gan)(experiment)
        checkpoints = Checkpoints(Path(checkpoint_dir), gan.state())
    if callbacks is None:
        callbacks = standard_callbacks(live_dir, experiment)
    Loop(gan, arrays, strategy, checkpoints, live_dir, callbacks).run()
    shutil.copytree(live_dir, run_dir, dirs_exist_ok=True)
    export.save(gan, model_dir)
    return gan


def make_strategy(training: Training) -> tf.distribute.Strategy:
    """The strategy by its name.

    Raises:
        ValueError: the global batch does not divide over the replicas.
    """
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    names = [device.name for device in devices]
    one = training.strategy == "one_device"
    strategy = tf.distribute.OneDeviceStrategy(names[0]) if one else tf.distribute.MirroredStrategy(names)
    replicas = strategy.num_replicas_in_sync
    if training.batch_size % replicas:
        raise ValueError(
            f"training.batch_size divides over the replicas; received {training.batch_size} over {replicas}"
        )
    return strategy


class Loop:
    """Steps in compiled calls, with checkpoints, history and callbacks between them."""

    def __init__(
        self,
        gan: GAN,
        arrays: Arrays,
        strategy: tf.distribute.Strategy,
        checkpoints: Checkpoints,
        live_dir: Path,
        callbacks: Sequence[keras.callbacks.Callback],
    ):
        self.gan, self.arrays, self.strategy, self.checkpoints = gan, arrays, strategy, checkpoints
        self.training = gan.experiment.training
        self.history = History(live_dir / "history.jsonl")
        self.callbacks = keras.callbacks.CallbackList(list(callbacks), model=gan)

    def run(self) -> None:
        """Trains up to `training.steps`, from the newest checkpoint on."""
        step = self.checkpoints.restore()
        self.history.load(up_to=step)
        if step:
            log.info("resumed at step %d of %d", step, self.training.steps)
        self.callbacks.on_train_begin({"step": step})
        iterator = iter(self._dataset(step))
        while step < self.training.steps:
            count = self._steps_to_next_stop(step)
            began = time.monotonic()
            sums = self._call(iterator, tf.constant(step, tf.int64), tf.constant(count, tf.int64))
            step += count
            logs = {name: float(value) / count for name, value in sums.items()}
            self._check_finite(logs, step)
            images = count * self.training.batch_size
            logs |= {"images": step * self.training.batch_size}
            logs |= {"images_per_second": images / (time.monotonic() - began)}
            self.history.add({"step": step} | logs)
            self.callbacks.on_train_batch_end(step, logs)
            if step % self.training.checkpoint_every_steps == 0 or step == self.training.steps:
                self.history.save()
                self.checkpoints.save(step)
        self.callbacks.on_train_end()

    @tf.function
    def _call(self, iterator: Any, first: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
        """`count` steps from step `first` on; the sums over these steps of what a step logs."""
        sums = {name: tf.zeros([]) for name in self._log_names(iterator)}
        for i in tf.range(count):
            logs = self._step(next(iterator), first + i)
            sums = {name: sums[name] + logs[name] for name in sums}
        return sums

    @tf.function
    def _step(self, batch: Any, step: tf.Tensor) -> dict[str, tf.Tensor]:
        shares = self.strategy.run(self.gan.train_step, args=(batch, step))
        for average in self.gan.averages:
            average.update()
        return {
            name: self.strategy.reduce(tf.distribute.ReduceOp.SUM, share, axis=None) for name, share in shares.items()
        }

    def _log_names(self, iterator: Any) -> list[str]:
        """The names of the scalars that a step logs: the compiled loop has to know them before its first step."""
        step = self._step.get_concrete_function(iterator.element_spec, tf.TensorSpec([], tf.int64))
        return list(step.structured_outputs)

    def _dataset(self, first_step: int) -> Any:
        make = functools.partial(batches, self.arrays, self.training, draws=self.gan.draws, first_step=first_step)
        return self.strategy.distribute_datasets_from_function(lambda context: make(context=context))

    def _steps_to_next_stop(self, step: int) -> int:
        """Steps of the next call: it ends where a checkpoint or a sample grid is due, and at the end."""
        stops = [self.training.steps - step, self.training.steps_per_call]
        every = (self.training.checkpoint_every_steps, self.training.sample_every_steps)
        return min(stops + [each - step % each for each in every])

    def _check_finite(self, logs: dict[str, float], step: int) -> None:
        wrong = sorted(name for name, value in logs.items() if not math.isfinite(value))
        if wrong:
            kept = self.checkpoints.manager.latest_checkpoint
            raise TrainingDiverged(
                f"training diverged before step {step}: {wrong[0]} is {logs[wrong[0]]}; no model is written, "
                f"{f'the last good checkpoint is {kept}' if kept else 'there is no checkpoint yet'}; "
                "lower the learning rates or add a penalty"
            )


class History:
    """What each call logged, as JSON lines; written with the checkpoints, so that a resumed run repeats no line."""

    def __init__(self, path: Path):
        self.path = path
        self.rows: list[dict[str, float]] = []

    def load(self, up_to: int) -> None:
        """Reads the rows of an earlier run up to a step."""
        if self.path.exists():
            rows = [json.loads(line) for line in self.path.read_text().splitlines()]
            self.rows = [row for row in rows if row["step"] <= up_to]

    def add(self, row: dict[str, float]) -> None:
        """Keeps a row."""
        self.rows.append(row)

    def save(self) -> None:
        """Writes all rows at once, through a new file that replaces the old."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        new.replace(self.path)
