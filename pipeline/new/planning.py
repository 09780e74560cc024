"""Puts a whole experiment together: what fits the images, and what this machine can do in the time."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from models.config import Experiment
from models.config.networks.base import scales
from pipeline.new import choosing, translating
from pipeline.new.choosing import Choice, Chosen
from pipeline.new.facts import Facts
from pipeline.new.looking import Look
from pipeline.new.pairing import Pairing
from pipeline.new.timing import Rate

WANTED_STEPS = 8_000
"""Steps by which small images are learnt: a larger resolution is taken only where as many are left for it."""
MOST_STEPS = 30_000
"""Steps beyond which more change little."""
LEAST_STEPS = 100
BUSY = 0.3
"""Other processes a core from which on a measurement is not that of the machine alone."""
STAGES_SECONDS = 240
"""What the stages of a run take beside the training, whatever the number of images: an estimate."""
IMAGE_SECONDS = 0.012
"""What they take an image, read or drawn: an estimate, of which the network that judges takes most."""

Measure = Callable[[Experiment], Rate]


class Planned(NamedTuple):
    """A whole experiment: its settings, with their reasons, and what was measured for it."""

    chosen: Chosen
    rate: Rate
    experiment: Experiment


class _Fixed(NamedTuple):
    """What does not change while a resolution is looked for."""

    look: Look
    facts: Facts
    paired: Pairing | None
    name: str
    minutes: float

    def choose(self, resolution: int, why: str = "") -> Chosen:
        if self.paired:
            return translating.choose(self.look, self.paired, name=self.name, resolution=resolution, why_resolution=why)
        return choosing.choose(self.look, self.facts, name=self.name, resolution=resolution, why_resolution=why)

    def sizes(self) -> list[int]:
        if self.paired:
            return translating.fitting(self.facts, self.look)
        return choosing.fitting(self.facts, self.look)

    def seconds(self, chosen: Chosen) -> float:
        """What is left for the training: at least half."""
        total = 60 * self.minutes
        images = self.facts.images + (chosen.value("evaluation.samples") or 0)
        return max(total / 2, total - STAGES_SECONDS - IMAGE_SECONDS * images)


def plan(
    look: Look,
    facts: Facts,
    measure: Measure,
    *,
    name: str,
    minutes: float,
    resolution: int | None = None,
    paired: Pairing | None = None,
) -> Planned:
    """Chooses all settings.

    The resolution is the largest that the images have, and of which this machine takes WANTED_STEPS steps in the time.

    Args:
        look: the images.
        facts: of the look.
        measure: takes a few steps of an experiment; called two or three times at most.
        name: of the experiment.
        minutes: that a run may take on this machine.
        resolution: where the user wants one; None finds it.
        paired: learns to translate these pairs; None learns to draw the images.

    Raises:
        ValueError: the images are too small, or the resolution is none that the networks can do. One line.
    """
    fixed = _Fixed(look, facts, paired, name, minutes)
    if resolution is not None:
        why = f"as asked; most images have {facts.side} pixels or more"
        return _finished(fixed, measure(fixed.choose(resolution).experiment()), why)
    sizes = fixed.sizes()
    rate = measure(fixed.choose(_first(sizes)).experiment())
    best = _largest(sizes, rate, fixed)
    if best != rate.resolution:
        rate = measure(fixed.choose(best).experiment())
        second = _largest(sizes, rate, fixed)
        if second < best:
            rate = measure(fixed.choose(second).experiment())
    return _finished(fixed, rate, _why(sizes, rate, facts))


def _first(sizes: Sequence[int]) -> int:
    """The resolution to measure first: one that is quick."""
    return max((size for size in sizes if size <= 32), default=sizes[0])


def _largest(sizes: Sequence[int], rate: Rate, fixed: _Fixed) -> int:
    """The largest resolution that leaves enough steps, as far as one measurement tells."""
    seconds = fixed.seconds(fixed.choose(rate.resolution))
    fits = [
        size for size in sizes if seconds * rate.steps_per_second * _work(rate.resolution) / _work(size) >= WANTED_STEPS
    ]
    # a smaller one than 32 is taken only where the images have no more
    return max(fits, default=_first(sizes))


def _work(resolution: int) -> float:
    """The work of a step, up to a factor: each level of the networks does as much as the pixels of the image."""
    return resolution**2 * (scales(resolution)[1] + 0.5)


def _why(sizes: Sequence[int], rate: Rate, facts: Facts) -> str:
    words = f"most images have {facts.side} pixels or more"
    if facts.smaller:
        words += f", {facts.smaller:,} have less and are enlarged"
    larger = [size for size in sizes if size > rate.resolution]
    if larger:
        words += f"; {larger[0]} would leave this machine too few steps in the time"
    return words


def _finished(fixed: _Fixed, rate: Rate, why: str) -> Planned:
    chosen = fixed.choose(rate.resolution, why)
    steps = _round(fixed.seconds(chosen) * rate.steps_per_second)
    steps = min(MOST_STEPS, max(LEAST_STEPS, steps))
    choices = [
        Choice("training.steps", steps, _why_steps(steps, rate, fixed)) if each.path == "training.steps" else each
        for each in chosen.choices
    ]
    chosen = chosen._replace(choices=choices)
    return Planned(chosen, rate, chosen.experiment())


def _why_steps(steps: int, rate: Rate, fixed: _Fixed) -> str:
    words = (
        f"{rate.steps} steps were taken here, {rate.steps_per_second:.3g} a second: these take "
        f"{steps / rate.steps_per_second / 60:.0f} minutes"
    )
    if steps == MOST_STEPS:
        words += "; more would change little"
    elif steps == LEAST_STEPS:
        words += "; fewer learn nothing"
    else:
        words += f" of the {fixed.minutes:g} that a run may take"
    if rate.load > BUSY and steps < MOST_STEPS:
        words += (
            f"; but the machine was busy ({rate.load:.1f} other processes a core): alone it may take up to "
            f"{rate.at_most:.3g} a second, so measure again, or raise the steps"
        )
    return words


def _round(steps: float) -> int:
    """To two digits, downwards."""
    if steps < 10:
        return int(steps)
    unit = 10 ** (int(math.log10(steps)) - 1)
    return int(steps // unit * unit)
