"""Draws and looks at examples on Beam, in any number of shards.

A side, such as the samples of a model, is cut into blocks. Each example has noise of its own, so that the same ones are
drawn however they are cut and whichever worker has them.
"""

import contextlib
import dataclasses
import functools
import io
import posixpath
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf

from components.beam import local_pipeline
from components.gan_evaluator.measuring.metrics import Population
from components.gan_evaluator.measuring.saved_models import REVERSE, Extractor, Generator
from components.gan_evaluator.measuring.settings import Settings
from models.columns import kind_of
from models.config import Data

BLOCK = 500
"""Examples that are drawn and looked at together."""

MakePipeline = Callable[[], beam.Pipeline]
_FAULT = "fault"
_INPUTS = "inputs/"

HIDING = 2 / 127.5
"""Deviation of the noise that goes onto an image before its way back: two grey levels."""


@dataclasses.dataclass(frozen=True)
class Side:
    """Examples to look at: those that are given, or those that a generator draws.

    Attributes:
        count: how many.
        examples: [count, ...], real ones; None for a generator's.
        labels: [count] int64, of the real ones or those to ask for; None without.
        generator: directory of a generator's SavedModel; None for real ones.
        inputs: what the generator is given, by name, each [count, ...] float32; None where it is given noise.
    """

    count: int
    examples: np.ndarray | None = None
    labels: np.ndarray | None = None
    generator: str | None = None
    inputs: Mapping[str, np.ndarray] | None = None


@dataclasses.dataclass(frozen=True)
class Block:
    """A part of a side, whose arrays lie in a file.

    Attributes:
        side: its name.
        first: the number of its first example in the side.
        count: examples.
        generator: as of the side.
        file: with `examples`, `labels` and inputs, as far as the side has them.
        seen: where to leave what was seen.
    """

    side: str
    first: int
    count: int
    generator: str | None
    file: str
    seen: str


def look(
    sides: Mapping[str, Side],
    *,
    extractor: str,
    settings: Settings,
    make_pipeline: MakePipeline = local_pipeline,
    scratch: str | None = None,
) -> dict[str, Population]:
    """Draws and looks at all sides in one Beam pipeline.

    Args:
        sides: by name.
        extractor: directory of the extractor's SavedModel.
        settings: what is drawn, and with which seed.
        make_pipeline: makes the pipeline, on any runner.
        scratch: a directory that this process and all workers reach, which is made and removed; None for one of this
            machine.

    Returns:
        What was seen of each side.

    Raises:
        ValueError: a side is empty; or as `Generator` and `Extractor` do.
    """
    if not all(side.count for side in sides.values()):
        what = kind_of(settings.data.drawn).served
        raise ValueError(f"a judgement needs {what}s on both sides; received none on one")
    with contextlib.ExitStack() as stack:
        directory = scratch or stack.enter_context(tempfile.TemporaryDirectory())
        tf.io.gfile.makedirs(directory)
        stack.callback(tf.io.gfile.rmtree, directory)
        blocks = [block for name, side in sides.items() for block in _cut(name, side, directory)]
        with make_pipeline() as pipeline:
            _ = (
                pipeline
                | "Blocks" >> beam.Create(blocks)
                | "Spread" >> beam.Reshuffle()
                | "Look" >> beam.ParDo(_Look(extractor, settings.model_dump_json()))
                | "First" >> beam.combiners.Top.Smallest(1)
                | "Tell" >> beam.Map(_save_fault, directory)
            )
        fault = posixpath.join(directory, _FAULT)
        if tf.io.gfile.exists(fault):
            with tf.io.gfile.GFile(fault) as file:
                raise ValueError(file.read())
        return {name: _population(name, side, blocks) for name, side in sides.items()}


class _Look(beam.DoFn):
    """Looks at a block and leaves what it sees; what goes wrong with its models is a fault, and its output."""

    def __init__(self, extractor: str, settings: str):
        super().__init__()
        self._directory, self._json = extractor, settings

    def setup(self) -> None:
        self._settings = Settings.model_validate_json(self._json)
        self._extractor = functools.cache(lambda: Extractor(self._directory, self._settings.data))
        self._generator = functools.cache(lambda directory: Generator(directory, self._settings))

    def process(self, block: Block) -> Iterator[Any]:
        try:
            arrays = _load(block.file)
            if block.generator is not None:
                arrays |= self._made(block, arrays)
            found = self._extractor().extract(arrays["examples"])
        except ValueError as error:
            yield block.side, block.first, str(error)
            return
        made = (
            {} if block.generator is None else {name: arrays[name] for name in ("examples", "back") if name in arrays}
        )
        _save(block.seen, found | made)

    def _made(self, block: Block, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What a generator makes, and what it makes of that on its way back."""
        generator, seed = self._generator(block.generator), self._settings.seed
        inputs = {name.removeprefix(_INPUTS): each for name, each in arrays.items() if name.startswith(_INPUTS)}
        if not inputs:
            labels = arrays.get("labels")
            return {"examples": generator.sample(block.count, seed=seed, labels=labels, first=block.first)}
        made = generator.translate(inputs)
        if not generator.goes_back:
            return {"examples": made}
        seen = {"input": _as_seen(made, seed, block.first, self._settings.data)}
        return {"examples": made, "back": generator.translate(seen, REVERSE)}


def _as_seen(made: np.ndarray, seed: int, first: int, data: Data) -> np.ndarray:
    """What was made, as the way back takes it: images rounded to 8 bits, with a little noise.

    A message that hides below what can be seen (Chu, Zhmoginov & Sandler 2017) does not survive it.
    """
    kind = kind_of(data.drawn)
    if not kind.is_picture:
        return np.asarray(kind.scaled(data.drawn, made))
    noise = np.random.default_rng([seed, first, 2]).standard_normal(made.shape, np.float32)
    return np.clip(made / np.float32(127.5) - 1 + HIDING * noise, -1, 1)


def _cut(name: str, side: Side, directory: str) -> list[Block]:
    """The blocks of a side; their arrays are written."""
    blocks = []
    arrays = {"examples": side.examples, "labels": side.labels}
    arrays |= {_INPUTS + name: values for name, values in (side.inputs or {}).items()}
    for start in range(0, side.count, BLOCK):
        stop = min(start + BLOCK, side.count)
        file = posixpath.join(directory, f"{name}-{start:09d}.npz")
        _save(file, {key: value[start:stop] for key, value in arrays.items() if value is not None})
        seen = posixpath.join(directory, f"{name}-{start:09d}-seen.npz")
        blocks.append(Block(name, start, stop - start, side.generator, file, seen))
    return blocks


def _population(name: str, side: Side, blocks: list[Block]) -> Population:
    """What was seen of a side."""
    parts = [_load(block.seen) for block in blocks if block.side == name]
    seen = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return Population(
        examples=seen["examples"] if side.examples is None else side.examples,
        labels=side.labels,
        features=seen["features"],
        back=seen.get("back"),
        probabilities=seen.get("probabilities"),
        inception_probabilities=seen.get("inception_probabilities"),
    )


def _save_fault(faults: list[tuple[str, int, str]], directory: str) -> None:
    if faults:
        with tf.io.gfile.GFile(posixpath.join(directory, _FAULT), "w") as file:
            file.write(faults[0][-1])


def _save(path: str, arrays: Mapping[str, Any]) -> None:
    # a file of any file system is written from front to back
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(buffer.getvalue())


def _load(path: str) -> dict[str, np.ndarray]:
    with tf.io.gfile.GFile(path, "rb") as file, np.load(io.BytesIO(file.read()), allow_pickle=False) as arrays:
        return dict(arrays)
