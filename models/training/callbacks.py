"""What a person sees of a training: progress, TensorBoard, sample grids. All are Keras callbacks."""

import itertools
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from etils import epath
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.columns import kind_of
from models.config import Experiment
from models.files import writing

LOOKED_AT_PIXELS = 48
"""Images of a grid are enlarged as long as they stay within this width."""

LINE = 4
"""Pixels between the images of a grid."""

MOST_ROWS = 20
"""Classes that a grid shows."""

PLAIN_SECONDS = 15
"""How often progress is printed where there is no terminal."""


def standard_callbacks(
    directory: epath.PathLike, experiment: Experiment, examples: Mapping[str, np.ndarray]
) -> list[keras.callbacks.Callback]:
    """Progress, TensorBoard and sample grids, written below `directory`; the grids are made for these examples."""
    return [
        ProgressLine(experiment),
        TensorBoardScalars(epath.Path(directory) / "tensorboard"),
        SampleGrids(epath.Path(directory) / "samples", examples),
    ]


class ProgressLine(keras.callbacks.Callback):
    """A bar on a terminal, a line every 15 seconds elsewhere: steps, images a second, losses, time left."""

    def __init__(self, experiment: Experiment):
        super().__init__()
        self.steps, self.batch_size = experiment.total_steps, experiment.training.batch_size
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

    def __init__(self, directory: epath.PathLike):
        super().__init__()
        self.directory = epath.Path(directory)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        with writing(self.directory):
            self.writer = tf.summary.create_file_writer(str(self.directory))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        with writing(self.directory), self.writer.as_default(step=batch):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        with writing(self.directory):
            self.writer.close()


class SampleGrids(keras.callbacks.Callback):
    """A PNG of what the averaged generator makes of fixed noise or inputs; one row a class where there are classes.

    Args:
        directory: where the pictures go.
        examples: real ones, as `models.examples.arrays.reference` gives them; generated ones are made for them.
    """

    def __init__(self, directory: epath.PathLike, examples: Mapping[str, np.ndarray]):
        super().__init__()
        self.directory, self.examples = epath.Path(directory), examples

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        experiment = self.model.experiment
        due = batch % experiment.training.sample_every_steps == 0 or batch == experiment.total_steps
        if due:
            grid, path = Image.fromarray(self._grid(experiment)), self.directory / f"step_{batch:08d}.png"
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    grid.save(file, "PNG")

    def _grid(self, experiment: Experiment) -> np.ndarray:
        kind = kind_of(experiment.data.drawn)
        if kind.dots:
            real = self.examples["target"]
            return scatter(real, keras.ops.convert_to_numpy(self.model.generate(self.examples, 0)))
        conditional = experiment.conditional
        rows, columns = min(experiment.data.classes, MOST_ROWS) if conditional else 8, 10
        shown = {name: np.resize(values, [rows * columns, *values.shape[1:]]) for name, values in self.examples.items()}
        if conditional:
            shown["label"] = np.repeat(np.arange(rows), columns)
        made = keras.ops.convert_to_numpy(self.model.generate(shown, 0))
        reach = float(np.abs(kind.made(self.examples["target"])).max())
        return tile(kind.pictures(kind.made(made), reach), rows, columns)


def scatter(real: np.ndarray, fake: np.ndarray, side: int = 480) -> np.ndarray:
    """Points on a white square: real ones grey, generated ones dark blue over them.

    Args:
        real: [n, 2]; they and a margin of a quarter fill the picture.
        fake: [m, 2]; what lies outside is not drawn.
        side: of the picture, pixels.

    Returns:
        [side, side, 3] uint8.
    """
    picture = np.full([side, side, 3], 255, np.uint8)
    reach = 1.25 * np.abs(real).max()
    for points, colour in ((real, (190, 190, 190)), (fake, (20, 50, 140))):
        at = np.floor((points * [1, -1] / reach + 1) * side / 2)
        # a comparison with NaN is false
        columns, lines = at[((at >= 1) & (at < side - 1)).all(1)].astype(int).T
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            picture[lines + down, columns + right] = colour
    return picture


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
