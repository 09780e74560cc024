"""The page of what was seen: one HTML file that needs nothing else."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np

from components.example_gen import notes
from components.gan_evaluator import gate
from components.gan_evaluator.report import sheet
from pipeline.new.facts import Facts
from pipeline.new.looking import Look, names
from pipeline.new.planning import Planned
from pipeline.new.writing import plain

STYLES = Path(gate.__file__).parent
"""Where the report's style sheet lies, which the page shares."""
MOSAIC, MOSAIC_COLUMNS = 96, 12
CLASSES, EXAMPLES = 60, 8
GROUPS, ALIKE = 24, 6
NAMED = 40
BARS = 16
TINY = 16
"""Pixels of the shorter side below which hardly anything is to be seen."""


class Bar(NamedTuple):
    """A bar of a histogram: what it counts, how many, and its length in percent of the longest."""

    words: str
    images: int
    percent: float


class Doubt(NamedTuple):
    """What is doubtful about some images: a heading, how many, their names with a reason, and some in a picture."""

    title: str
    images: int
    lines: list[str]
    picture: str | None = None
    shown: int = 0


def render(look: Look, facts: Facts, planned: Planned) -> str:
    """The page as HTML. Everything that is not ours, such as a file's name, is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([Path(__file__).parent, STYLES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counts, channels = planned.chosen.counts, planned.experiment.data.channels
    tree: dict[str, Any] = {
        "bad": 0,
        "depths": {},
        "notes": {what: (each.files, each.names) for what, each in look.notes.items()},
    }
    return environment.get_template("page.html").render(
        look=look,
        facts=facts,
        experiment=planned.experiment,
        counts=counts.by_split,
        mosaic=sheet(_mosaic(look), MOSAIC_COLUMNS),
        sizes=_sizes(look),
        kinds=_bars(Counter(each.kind for each in look.seen).most_common(BARS)),
        classes=_classes(look, facts),
        handled=notes.told(tree, channels),
        copies=_groups(look, look.copies),
        near=_groups(look, look.pairs),
        doubts=list(_doubts(look)),
        choices=[
            {
                "path": choice.path,
                "value": None if choice.value is None else plain(choice.value),
                "reason": choice.reason,
            }
            for choice in planned.chosen.choices
            if choice.reason
        ],
    )


def _mosaic(look: Look) -> np.ndarray:
    """Images of the sample, evenly taken."""
    step = max(1, len(look.sample) // MOSAIC)
    return np.stack([each.small for each in look.sample[::step][:MOSAIC]])


def _sizes(look: Look) -> list[Bar]:
    """How many images have which shorter side: each size where there are few, else ranges."""
    sides = np.array([each.side for each in look.seen])
    values, counts = np.unique(sides, return_counts=True)
    if len(values) <= BARS:
        return _bars([(f"{value} px", int(count)) for value, count in zip(values, counts, strict=True)])
    edges = np.unique(np.geomspace(values[0], values[-1] + 1, BARS + 1).round().astype(int))
    counts, _ = np.histogram(sides, edges)
    return _bars(
        [
            (f"{low} to {high - 1} px", int(count))
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
    )


def _bars(counted: Sequence[tuple[str, int]]) -> list[Bar]:
    most = max((count for _, count in counted), default=1)
    return [Bar(words, count, round(100 * count / max(1, most), 1)) for words, count in counted]


def _classes(look: Look, facts: Facts) -> list[dict[str, Any]]:
    """Each class with its number of images and a row of examples; those that are not used, too."""
    counts = Counter(each.head.label for each in look.seen)
    examples: dict[int | None, list[np.ndarray]] = {}
    for shown in look.sample:
        row = examples.setdefault(look.seen[shown.number].head.label, [])
        if len(row) < EXAMPLES:
            row.append(shown.small)
    bars = _bars([(name, counts.get(number, 0)) for number, name in enumerate(look.classes)])
    return [
        {
            "bar": bar,
            "picture": sheet(np.stack(examples[number]), EXAMPLES) if number in examples else None,
            "shown": len(examples.get(number, ())),
        }
        for number, bar in enumerate(bars[:CLASSES])
    ]


def _groups(look: Look, groups: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Images that are alike, side by side; those with pictures first."""
    small = {each.number: each.small for each in look.sample}
    rows = []
    for group in sorted(groups, key=lambda group: not all(number in small for number in group[:ALIKE])):
        shown = [number for number in group if number in small][:ALIKE]
        rows.append(
            {
                "names": list(names(look, list(group[:ALIKE]))),
                "more": max(0, len(group) - ALIKE),
                "picture": sheet(np.stack([small[number] for number in shown]), ALIKE) if shown else None,
            }
        )
        if len(rows) == GROUPS:
            break
    return {"groups": len(groups), "images": sum(map(len, groups)), "rows": rows}


def _doubts(look: Look) -> Iterator[Doubt]:
    """What a user should look at, the worst first."""
    if look.bad:
        yield Doubt("cannot be used", look.bad, list(map(str, look.faults[:NAMED])))
    contradicted = [group for group in look.copies if len({look.seen[number].head.label for number in group}) > 1]
    if contradicted:
        lines = [" = ".join(names(look, group[:4])) for group in contradicted[:NAMED]]
        yield Doubt("are equal and have different classes", sum(map(len, contradicted)), lines)
    flat = [shown for shown in look.sample if shown.flat]
    if flat:
        yield _doubt(look, "are of nearly one colour", [each.number for each in flat], "")
    tiny = [number for number, each in enumerate(look.seen) if each.side < TINY]
    if tiny and len(tiny) < len(look.seen) / 2:
        yield _doubt(look, f"have a side of fewer than {TINY} pixels", tiny, "size")
    # training takes the centred square
    cropped = [number for number, each in enumerate(look.seen) if 3 * each.side < 2 * each.longer]
    if cropped:
        yield _doubt(look, "lose more than a third to the crop to a square", cropped, "size")


def _doubt(look: Look, title: str, numbers: list[int], what: str) -> Doubt:
    small = {each.number: each.small for each in look.sample}
    shown = [small[number] for number in numbers if number in small][: 2 * EXAMPLES]
    lines = []
    for name, number in zip(names(look, numbers[:NAMED]), numbers, strict=False):
        one = look.seen[number]
        lines.append(f"{name}, {one.longer} x {one.side} pixels" if what else name)
    picture = sheet(np.stack(shown), 2 * EXAMPLES) if shown else None
    return Doubt(title, len(numbers), lines, picture, len(shown))
