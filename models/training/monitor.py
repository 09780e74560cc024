"""Says whether a training goes well: verdicts by rules on its history, and the monitor that the loop asks.

A verdict is drawn from the last LOOKS looks at samples and the rows of the history between them. What is only a stage
of a good training (samples alike at the start, a discriminator that is far ahead for a while) is no alarm as long as
the samples get nearer to the real examples.
"""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from models.columns import kind_of
from models.config import Experiment
from models.gans.base import GAN
from models.training.history import DISTANCE
from models.training.looks import COVERAGE, DIVERSITY, NEAR_DUPLICATES, PAIR_DISTANCE, PRECISION, Reference, parts

log = logging.getLogger(__name__)

Row = Mapping[str, float]
"""A row of the history: `step`, what was logged, and in some rows what a look saw."""

HEALTHY = "healthy"

MEANINGS = {
    HEALTHY: "neither player has won and the samples are varied",
    "discriminator_overpowers": "the discriminator tells nearly all real and generated examples apart, and the samples "
    "get no better: the generator learns little from it",
    "generator_overpowers": "the discriminator does not tell generated examples from real ones, although they are "
    "unlike: the generator follows a misled judge",
    "oscillating": "the players chase each other in circles instead of settling",
    "mode_collapse": "the samples are nearly the same, or leave much of the real variety out, and get no better",
    "diverged": "a logged value is not finite, or the samples have left the range of the data",
}

LOOKS = 3
"""The looks at samples that a verdict takes."""

LONG = 8
"""The looks in which an oscillation of the samples themselves may show."""

PROGRESS = 0.9
"""The samples get better where their distance falls to this share of itself over LOOKS looks."""

UNLIKE = 0.05
"""Samples whose distance (1: the mean distance of two real examples) is above this are plainly not like real ones."""

ASTRAY = 10.0
"""Samples that are farther than this have left the range of the data."""

TOO_STRONG = 0.99
"""The AUC of a discriminator that is too strong: the share of pairs of a real and a generated example that it puts in
the right order."""

TOO_WEAK = 0.55
MISLED = 0.4

LEAST_DIVERSITY = 0.5
ONE_EXAMPLE = 0.02
"""Samples of less diversity than this are one and the same."""

MOST_NEAR_DUPLICATES = 0.5
GOOD_PRECISION = 0.5
LEAST_COVERAGE = 0.5
"""The least coverage, as a share of a good precision: below it the examples are like real ones, but many kinds of
these are missing."""

SWING, SWINGS = 0.3, 6
"""Moves of the AUC, up and down in turns: so many of this size are an oscillation."""

LOOK_SWINGS = 4
"""Moves of the distance, which doubles and halves: so many are an oscillation."""

FINENESS = 10
"""Moves of the AUC are counted between means of about as many stretches between two looks: batches are noisy."""


class Verdict(NamedTuple):
    """How a training goes.

    Attributes:
        name: one of MEANINGS.
        meaning: in words.
        evidence: the figures behind it, by name; none before there are enough looks.
        since_step: the step at which this verdict was first drawn.
    """

    name: str
    meaning: str
    evidence: dict[str, float]
    since_step: int

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value:.3g}" for name, value in self.evidence.items())
        return f"{self.name} since step {self.since_step}: {self.meaning}" + (f" ({figures})" if figures else "")


def draw_verdict(rows: Sequence[Row]) -> tuple[str, dict[str, float]]:
    """The verdict after these rows, without regard to the verdicts before.

    The first rule that applies decides. All but the first two need samples that stay farther than UNLIKE. Samples are
    `stuck` where they have hardly come nearer: the least distance at the last looks (without the first of LOOKS) is
    above PROGRESS of the least one before it, within LONG looks. Means are over the rows since the first of the last
    LOOKS looks.

    - diverged: a value of the last row is NaN or infinite.
    - oscillating: within LONG looks an AUC makes SWINGS moves of SWING or more, up and down in turns, or the distance,
      where it is above UNLIKE, doubles and halves LOOK_SWINGS times; and the diversity reaches ONE_EXAMPLE at one of
      the last LOOKS looks: one point that runs from mode to mode is a collapse, although it swings too.
    - discriminator_overpowers: stuck, and an AUC is above TOO_STRONG in the mean.
    - generator_overpowers: stuck, and an AUC is below MISLED in the mean.
    - diverged: stuck, and the distance is above ASTRAY.
    - mode_collapse: `collapsed` at each of the last LOOKS looks, and stuck, or the diversity has not grown by as much.
    - generator_overpowers: stuck, and all AUCs are below TOO_WEAK in the mean.
    - healthy else, and before there are LOOKS looks.

    Args:
        rows: of a history, in the order of their steps.

    Returns:
        The verdict's name and its evidence.

    Reference: the cycles of Mescheder, Geiger & Nowozin 2018, section 2, are what `oscillating` means.
    """
    if rows and not finite(rows[-1]):
        return "diverged", {name: value for name, value in rows[-1].items() if not math.isfinite(value)}
    looks = [row for row in rows if DISTANCE in row][-LONG:]
    if len(looks) < LOOKS:
        return HEALTHY, {}
    seen = {name: value for name, value in looks[-1].items() if name.startswith("look_")}
    swings = _swings(rows, looks)
    if swings and any(look.get(DIVERSITY, 1.0) >= ONE_EXAMPLE for look in looks[-LOOKS:]):
        return "oscillating", {"swings": float(swings)} | seen
    means = {name: float(np.mean(values)) for name, values in _aucs(rows, looks[-LOOKS]["step"]).items()}
    return _rule(looks, means), means | seen


def _rule(looks: Sequence[Row], means: Mapping[str, float]) -> str:
    """The rules of `draw_verdict` for finite values that do not oscillate."""
    distances, last = [look[DISTANCE] for look in looks], looks[-LOOKS:]
    least = min(distances[1 - LOOKS :])
    if least <= UNLIKE:
        return HEALTHY
    stuck = least > PROGRESS * min(distances[: 1 - LOOKS])
    as_alike = PROGRESS * last[-1].get(DIVERSITY, 1.0) <= max(last[0].get(DIVERSITY, 1.0), ONE_EXAMPLE)
    rules = (
        ("discriminator_overpowers", stuck and max(means.values(), default=0.5) > TOO_STRONG),
        ("generator_overpowers", stuck and min(means.values(), default=0.5) < MISLED),
        ("diverged", stuck and distances[-1] > ASTRAY),
        ("mode_collapse", all(map(collapsed, last)) and (stuck or as_alike)),
        ("generator_overpowers", stuck and max(means.values(), default=1.0) < TOO_WEAK),
    )
    return next((name for name, applies in rules if applies), HEALTHY)


def _aucs(rows: Sequence[Row], since: float) -> dict[str, list[float]]:
    """How well each discriminator told real from generated in the rows after a step."""
    recent = [row for row in rows if row["step"] > since]
    names = sorted({name for row in recent for name in row if name.endswith("_auc")})
    return {name: [row[name] for row in recent if name in row] for name in names}


def _swings(rows: Sequence[Row], looks: Sequence[Row]) -> int:
    """The moves of the AUC, or else of the distance, where they are so many that they are an oscillation; or 0."""
    stretches = FINENESS * (len(looks) - 1)
    series = [
        [float(part.mean()) for part in np.array_split(values, min(stretches, len(values)))]
        for values in _aucs(rows, looks[0]["step"]).values()
    ]
    of_aucs = max((moves(values, SWING) for values in series), default=0)
    of_looks = moves([math.log2(max(look[DISTANCE], UNLIKE)) for look in looks], 1)
    return of_aucs if of_aucs >= SWINGS else of_looks if of_looks >= LOOK_SWINGS else 0


def finite(row: Row) -> bool:
    """True where a row holds neither NaN nor infinity."""
    return all(map(math.isfinite, row.values()))


def collapsed(look: Row) -> bool:
    """True where the samples of a look are too much alike, or good but of too few kinds."""
    diversity, duplicates = look.get(DIVERSITY, 1.0), look.get(NEAR_DUPLICATES, 0.0)
    precision, coverage = look.get(PRECISION, 0.0), look.get(COVERAGE, 0.0)
    alike = diversity < LEAST_DIVERSITY or duplicates > MOST_NEAR_DUPLICATES
    return alike or (precision > GOOD_PRECISION and coverage < LEAST_COVERAGE * precision)


def moves(values: Sequence[float], size: float) -> int:
    """How often a series moves by at least `size`, up and down in turns; smaller moves in between do not count.

    Reference: turning points with hysteresis, as rainflow counting takes them (ASTM E1049).
    """
    count, direction = 0, 0
    low = high = values[0] if values else 0.0
    for value in values:
        low, high = min(low, value), max(high, value)
        if direction <= 0 and value - low >= size:
            count, direction, high = count + 1, 1, value
        elif direction >= 0 and high - value >= size:
            count, direction, low = count + 1, -1, value
    return count


class Course:
    """The verdict on a history as its rows come.

    Attributes:
        rows: those that the next verdict takes.
        verdict: after the last row.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.verdict = Verdict(HEALTHY, MEANINGS[HEALTHY], {}, 0)

    def add(self, row: Row) -> None:
        """Takes the next row; the verdict may change at a look, or where a value is not finite."""
        self.rows.append(row)
        if DISTANCE in row:
            looks = [index for index, each in enumerate(self.rows) if DISTANCE in each]
            self.rows = self.rows[looks[-LONG:][0] :]
        elif finite(row):
            return
        name, evidence = draw_verdict(self.rows)
        since = self.verdict.since_step if name == self.verdict.name else int(row["step"])
        self.verdict = Verdict(name, MEANINGS[name], evidence, since)


def follow(rows: Iterable[Row]) -> Verdict:
    """The verdict at the end of a history, and since when it stands."""
    course = Course()
    for row in rows:
        course.add(row)
    return course.verdict


class Monitor:
    """Looks at samples, draws a verdict on the history at each look, and logs both.

    All that it knows follows from the rows: a resumed training that repeats them goes on as before.

    Args:
        experiment: what is trained.
        reference: real examples that every look compares with: each column of the
            data [n, ...] as a network takes it.
    """

    def __init__(self, experiment: Experiment, reference: Mapping[str, np.ndarray]):
        kind = kind_of(experiment.data.drawn)
        self._compared = lambda values: np.asarray(kind.compared(values))
        self._labels = reference["label"] if experiment.conditional else None
        self._examples = reference
        self._real: Reference | None = None
        self._course = Course()

    def reset(self) -> None:
        """Forgets all rows."""
        self._course = Course()

    @property
    def rows(self) -> Sequence[Row]:
        """The rows that the next verdict takes."""
        return self._course.rows

    def row(self, row: Row) -> None:
        """Takes the next row of the history."""
        before = self.verdict().name
        self._course.add(row)
        verdict = self.verdict()
        if verdict.name != before:
            log.log(logging.INFO if verdict.name == HEALTHY else logging.WARNING, "%s", verdict)

    def verdict(self) -> Verdict:
        """The verdict after the last row."""
        return self._course.verdict

    def look(self, gan: GAN, step: int) -> dict[str, float]:
        """Draws a sample for each real example, from the same noise at every look, and compares.

        Args:
            gan: in training; its averaged generators draw.
            step: of the training.

        Returns:
            What the row of this step is to have beside what was logged: see `models.training.looks.Reference.look`.
        """
        real = self._examples["target"]
        if self._real is None:
            self._real = Reference(self._compared(real), self._labels)
        drawn = []
        for part in parts(real):
            examples = {name: values[part] for name, values in self._examples.items()}
            drawn.append(np.asarray(gan.generate(examples, part.start), np.float32))
        fake = self._compared(np.concatenate(drawn))
        seen = self._real.look(fake)
        if gan.task.paired(gan.experiment.data.columns):
            seen[PAIR_DISTANCE] = self._real.pair_distance(fake)
        log.info("look at step %d: %s", step, ", ".join(f"{name} {value:.3g}" for name, value in seen.items()))
        return seen
