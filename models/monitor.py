"""What a person sees of a training: progress, TensorBoard, sample grids. All are Keras callbacks."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.config import Experiment

LOOKED_AT_PIXELS = 48
"""Images of a grid are enlarged as long as they stay within this width."""

LINE = 4
"""Pixels between the images of a grid."""

PLAIN_SECONDS = 15
"""How often progress is printed where there is no terminal."""


def standard_callbacks(directory: Path, experiment: Experiment) -> list[keras.callbacks.Callback]:
    """Progress, TensorBoard and sample grids, written below `directory`."""
    return [ProgressLine(experiment), TensorBoardScalars(directory / "tensorboard"), SampleGrids(directory / "samples")]


class ProgressLine(keras.callbacks.Callback):
    """A bar on a terminal, a line every 15 seconds elsewhere: steps, images a second, losses, time left."""

    def __init__(self, experiment: Experiment):
        super().__init__()
        self.steps, self.batch_size = experiment.training.steps, experiment.training.batch_size
        self.console = Console()
        self.bar = Progress(
            TextColumn("  training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.printed = time.monotonic()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.bar.start()
        self.task = self.bar.add_task("", total=self.steps, completed=(logs or {}).get("step", 0), text="")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        losses = " ".join(f"{name} {logs[name]:.3f}" for name in sorted(logs) if name.endswith("_loss"))
        text = f"{logs['images_per_second']:,.0f} images/s  {losses}"
        self.bar.update(self.task, completed=batch, text=text)
        if self.bar.disable and time.monotonic() - self.printed > PLAIN_SECONDS:
            self.printed = time.monotonic()
            left = (self.steps - batch) * self.batch_size / logs["images_per_second"]
            self.console.print(f"  training {batch}/{self.steps}  {text}  {left:,.0f} s left", highlight=False)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.bar.stop()


class TensorBoardScalars(keras.callbacks.Callback):
    """Every logged scalar, by step."""

    def __init__(self, directory: Path):
        super().__init__()
        self.directory = directory

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.writer = tf.summary.create_file_writer(str(self.directory))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        with self.writer.as_default(step=batch):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.writer.close()


class SampleGrids(keras.callbacks.Callback):
    """A PNG of the averaged generator's samples for fixed noise; one row a class where there are classes."""

    def __init__(self, directory: Path):
        super().__init__()
        self.directory = directory

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        training = self.model.experiment.training
        if batch % training.sample_every_steps == 0 or batch == training.steps:
            self.directory.mkdir(parents=True, exist_ok=True)
            Image.fromarray(self._grid()).save(self.directory / f"step_{batch:08d}.png")

    def _grid(self) -> np.ndarray:
        experiment = self.model.experiment
        rows = experiment.data.labels if experiment.network.condition != "none" else 8
        columns = 10
        z = np.random.default_rng(0).normal(size=[rows * columns, experiment.network.latent_size])
        inputs = {"z": z.astype(np.float32)}
        if experiment.network.condition != "none":
            inputs["label"] = np.repeat(np.arange(rows), columns)
        image = keras.ops.convert_to_numpy(self.model.averages[0].average(inputs, training=False))
        return tile(np.round((image + 1) * 127.5).astype(np.uint8), rows, columns)


def tile(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Images to one picture, row by row, white lines between; small ones are enlarged by a whole factor.

    Args:
        images: [rows * columns, height, width, channels] uint8.
        rows: of the picture.
        columns: of the picture.

    Returns:
        [4 + rows * (4 + h), 4 + columns * (4 + w)] uint8, for colour with a third axis of 3.
    """
    scale = max(1, LOOKED_AT_PIXELS // images.shape[2])
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    images = np.pad(images, ((0, 0), (0, LINE), (0, LINE), (0, 0)), constant_values=255)
    _, height, width, channels = images.shape
    grid = images.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    picture = grid.reshape(rows * height, columns * width, channels)
    return np.pad(picture, ((LINE, 0), (LINE, 0), (0, 0)), constant_values=255).squeeze(2 if channels == 1 else ())
