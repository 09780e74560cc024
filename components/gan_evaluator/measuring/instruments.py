"""What every set of examples of a judgement is measured with."""

import dataclasses
import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from components.gan_evaluator.measuring.copies import equal_to
from components.gan_evaluator.measuring.measurements import Measurements
from components.gan_evaluator.measuring.metrics import Population, measure
from components.gan_evaluator.measuring.pictures import take_pictures
from components.gan_evaluator.measuring.populations import MakePipeline, Side, look
from components.gan_evaluator.measuring.reference import Reference, some
from components.gan_evaluator.measuring.saved_models import Generator
from components.gan_evaluator.measuring.settings import Settings
from components.gan_evaluator.measuring.store import Store
from models.columns import kind_of
from models.digests.folders import tree_digest
from models.examples.arrays import Arrays
from models.metrics.estimate import Estimate
from models.metrics.parts import DISJOINT, part_size
from models.tasks import task

WAYS, WAY = 8, 8
"""Interpolations that are shown, and examples of each."""

_log = logging.getLogger(__name__)


class Instruments:
    """Measures generators, images and the noise floor with the same real examples, noise, labels and extractor.

    What was measured before is taken from the store, and the real examples are looked at when the first is not.

    Args:
        settings: what is measured, and how.
        reference: the real examples.
        extractor: directory of the extractor that gives the features.
        make_pipeline: makes the Beam pipelines that draw and look.
        scratch: a directory for these, which all their workers reach; None for one of this machine.
        store: of measurements; None to measure always.

    Attributes:
        measured: what was not found in a store, in words.
    """

    def __init__(
        self,
        settings: Settings,
        reference: Reference,
        extractor: str,
        make_pipeline: MakePipeline,
        scratch: str | None = None,
        store: Store | None = None,
    ):
        self.measured: list[str] = []
        self._settings, self._reference, self._store = settings, reference, store
        self._task = task(settings.task)
        self._look = functools.partial(
            look, extractor=extractor, settings=settings, make_pipeline=make_pipeline, scratch=scratch
        )
        train, real, generated = len(reference.train), len(reference.held_out), self._count
        self._available = {"held-out": real, "generated": generated, "training": train}
        self._size = part_size(real=real, generated=generated, train=train, compared=settings.compared)
        self._seen: dict[str, Population] = {}
        digests = {"examples": reference.digest, "extractor": tree_digest(extractor)} if store else {}
        self._key = digests | {"settings": settings.essential()}

    def measure_generator(self, directory: str, words: str = "the model") -> Measurements:
        """Measures what a generator draws.

        Args:
            directory: of its SavedModel.
            words: for `measured`.

        Raises:
            ValueError: as `Generator` and `Extractor` do.
        """

        def made() -> Measurements:
            generator = Generator(directory, self._settings)
            side = self._side(generator)
            return self._measure_fake(side, lambda: self._ways(generator, side.labels))

        return self._kept(words, made, lambda: {"model": tree_digest(directory)})

    def measure_images(self, images: Arrays) -> Measurements:
        """Measures images that are there, `settings.samples` of them. Raises ValueError as `Extractor` does."""
        count = self._settings.samples
        examples, labels = some(images, count, self._settings.seed)
        self.measured.append("the images")
        return self._measure_fake(Side(count, examples=examples, labels=labels), lambda: None)

    def measure_outputs(self, make: Callable[[Mapping[str, np.ndarray]], np.ndarray], words: str) -> Measurements:
        """Measures what anything else makes of the examples that a model of this task is given.

        Args:
            make: of inputs as networks take them, `input` and what a model takes beside it, each [n, ...] float32,
                makes as many outputs as targets are held.
            words: for `measured`.

        Raises:
            ValueError: the task takes no examples, the outputs are not like targets, or as `Extractor` does.
        """
        if not self._task.takes_examples:
            raise ValueError(f"the task {self._settings.task} takes no examples that {words} could be made of")
        outputs, shape = make(self._inputs), (self._count, *self._settings.data.drawn.shape)
        if outputs.shape != shape:
            raise ValueError(f"outputs are like targets, of {list(shape)}; received {list(outputs.shape)} of {words}")
        self.measured.append(words)
        return self._measure_fake(Side(self._count, examples=outputs, inputs=self._inputs), lambda: None)

    def measure_floor(self, *, labelled: bool) -> Measurements:
        """Measures training examples in the place of generated ones; `labelled` says whether those have classes."""

        def made() -> Measurements:
            seen = self._look_at()
            floor = seen["train"].some(slice(max(self._settings.samples, DISJOINT * self._size)))
            floor = floor if labelled else dataclasses.replace(floor, labels=None)
            estimates, missing = measure(seen["real"], floor, self._settings, available=self._available)
            return Measurements(estimates, missing, {"noise_floor": floor.count}, labelled)

        return self._kept("real against real", made, lambda: {"floor": labelled})

    def _kept(
        self, words: str, made: Callable[[], Measurements], subject: Callable[[], Mapping[str, Any]]
    ) -> Measurements:
        """What the store has of a subject, or what is made now and then kept there."""
        key = self._store.key(**self._key, **subject()) if self._store else ""
        found = self._store.get(key) if self._store else None
        if found is not None:
            _log.info("%s: measured before, as %s", words, key)
            return found
        self.measured.append(words)
        measured = made()
        if self._store:
            self._store.put(key, measured)
        return measured

    def _measure_fake(self, side: Side, ways: Callable[[], np.ndarray | None]) -> Measurements:
        """Measures examples against the reference, and takes pictures of them."""
        truth = self._truth if side.inputs is not None else None
        sides = {"fake": side} if truth is None else {"fake": side, "true": Side(len(truth), examples=truth)}
        inputs, data = None, self._settings.data
        if side.inputs is not None:
            inputs = self._task.untouched(side.inputs, data.columns)
            if truth is not None and data.images:
                sides["untouched"] = Side(len(inputs), examples=kind_of(data.drawn).made(inputs))
        seen = self._look_at(**sides)
        real, fake, train = seen["real"], dataclasses.replace(seen["fake"], inputs=inputs), seen["train"]
        estimates, missing = measure(
            real,
            fake,
            self._settings,
            train_features=train.features,
            available=self._available,
            true=seen.get("true"),
        )
        held_out = self._reference.held_out
        copied = equal_to(fake.examples, held_out.target)
        if truth is not None:  # what it ought to be is no copy
            copied &= (fake.examples != truth).reshape(fake.count, -1).any(axis=1)
        counts = {
            "generated": fake.count,
            "real": real.count,
            "train": len(self._reference.train),
            "eval": len(held_out),
            "held_out_copies": self._reference.copies,
            "equal_to_held_out": int(copied.sum()),
        }
        data = self._settings.data
        shown = None if kind_of(data.drawn).dots or side.inputs is not None else ways()
        pictures = take_pictures(real, fake, self._reference.train.target, shown, data, seen.get("true"))
        untouched = self._of_untouched(seen, inputs) if "untouched" in seen else {}
        return Measurements(estimates, missing, counts, fake.labels is not None, pictures, untouched)

    def _of_untouched(self, seen: Mapping[str, Population], inputs: np.ndarray | None) -> dict[str, Estimate]:
        """The figures of the inputs in the place of the outputs."""
        untouched = dataclasses.replace(seen["untouched"], inputs=inputs)
        return measure(seen["real"], untouched, self._settings, available=self._available, true=seen["true"])[0]

    def _look_at(self, **sides: Side) -> dict[str, Population]:
        """Looks at these sides, and once at `train` and `real`."""
        if not self._seen:
            (train, labels), (real, classes) = self._train, self._real
            sides = {
                "train": Side(len(train), examples=train, labels=labels),
                "real": Side(len(real), examples=real, labels=classes),
                **sides,
            }
        seen = self._look(sides) if sides else {}
        self._seen |= {name: seen[name] for name in ("train", "real") if name in seen}
        return self._seen | seen

    def _side(self, generator: Generator) -> Side:
        """What a generator is asked for.

        One that takes examples is given the held-out ones. Another has classes of training examples, if it takes any,
        so that these have their real shares.
        """
        if self._task.takes_examples:
            return Side(self._count, generator=generator.directory, inputs=self._inputs)
        labels = self._train[1] if generator.conditional else None
        count = self._count
        asked = None if labels is None else np.resize(labels, count)
        return Side(count, labels=asked, generator=generator.directory)

    @property
    def _count(self) -> int:
        """Examples that are made for a judgement."""
        if not self._task.takes_examples:
            return self._settings.samples
        return min(self._settings.samples, len(self._reference.held_out.columns[self._asked_role]))

    @property
    def _asked_role(self) -> str:
        return "input" if "input" in self._reference.held_out.columns else "target"

    @functools.cached_property
    def _inputs(self) -> dict[str, np.ndarray]:
        """What a model that takes examples is given, in random order."""
        columns, seed = self._settings.data.columns, self._settings.seed
        asked = self._task.asked(self._settings.asked, columns, self._reference.held_out, seed)
        rows = np.random.default_rng(seed).permutation(len(asked["input"]))[: self._count]
        return {name: values[rows] for name, values in asked.items()}

    @property
    def _truth(self) -> np.ndarray | None:
        """What each of these ought to become; None where nothing says so."""
        if not self._task.paired(self._settings.data.held_out.columns):
            return None
        return some(self._reference.held_out, self._count, self._settings.seed)[0]

    def _ways(self, generator: Generator, asked: np.ndarray | None) -> np.ndarray:
        """Interpolations to show, [WAYS, WAY, ...]; see `Generator.interpolate`."""
        labels = None if asked is None else np.resize(np.unique(asked), WAYS)
        return generator.interpolate(WAYS, WAY, seed=self._settings.seed, labels=labels)

    @functools.cached_property
    def _train(self) -> tuple[np.ndarray, np.ndarray | None]:
        """All training examples in random order, and their labels: the noise floor, and the classes asked for."""
        return some(self._reference.train, len(self._reference.train), self._settings.seed)

    @functools.cached_property
    def _real(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The held-out examples that are compared with, and their labels."""
        return some(self._reference.held_out, self._size, self._settings.seed)
