"""What every benchmark ends with: a JSON file, the same tables on the screen and in docs/, an exit code.

A page of docs/ shows a benchmark between `<!-- NAME -->` and `<!-- /NAME -->`. `python -m benchmarks.reporting` draws
all of them again from the JSON files, and the caption in README.md.
"""

import datetime
import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parents[1] / "docs"

FALLS_SHORT = 4
"""Exit code of a benchmark of which a mark does not hold."""

Row = Mapping[str, Any]
"""A line of the table: plain values, rounded as they should be read, units in the keys; a dict makes columns too, and
a list of dicts a line each."""


class Mark(TypedDict):
    """What a benchmark has to reach, and whether it did."""

    name: str
    value: float
    mark: str
    holds: bool


class Result(TypedDict):
    """What `benchmarks/results/NAME.json` holds."""

    command: str
    seed: int
    date: str
    machine: str
    seconds: float
    rows: list[Row]
    marks: list[Mark]


def at_least(name: str, value: float, bound: float) -> Mark:
    """A mark that `value` reaches from below; NaN does not hold."""
    return Mark(name=name, value=value, mark=f">= {bound}", holds=bool(value >= bound))


def at_most(name: str, value: float, bound: float) -> Mark:
    """A mark that `value` stays under; NaN does not hold."""
    return Mark(name=name, value=value, mark=f"<= {bound}", holds=bool(value <= bound))


def finish(
    name: str,
    *,
    began: float,
    rows: Sequence[Row],
    marks: Sequence[Mark],
    seed: int = 0,
    more: Mapping[str, Any] | None = None,
) -> int:
    """Writes `benchmarks/results/NAME.json`, prints its tables and draws them into the docs.

    Args:
        name: of the benchmark, as `ganworks bench` knows it.
        began: `time.monotonic()` of its start.
        rows: the lines of its table; a line may lack columns of another.
        marks: what it had to reach, by `at_least` and `at_most`.
        seed: what all its randomness follows from; of several, the first.
        more: what the file holds beside, and no table shows.

    Returns:
        The exit code: 0 where every mark holds, else 4.
    """
    result = Result(
        command=f"ganworks bench {name}",
        seed=seed,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        machine=machine(),
        seconds=round(time.monotonic() - began, 1),
        rows=list(rows),
        marks=list(marks),
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(dict(result) | dict(more or {}), indent=2) + "\n")
    text = tables(result)
    draw(name, text)
    sys.stdout.write(text + "\n")
    return exit_code(marks)


def exit_code(marks: Sequence[Mark]) -> int:
    """0 where every mark holds, else 4."""
    return 0 if all(mark["holds"] for mark in marks) else FALLS_SHORT


def read(name: str) -> dict[str, Any]:
    """What a benchmark's file holds; empty where there is none yet."""
    file = RESULTS / f"{name}.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def machine() -> str:
    """The processor, the cores that this process may use, and how busy they were."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    fast = [shown for flag, shown in (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16")) if flag in flags]
    processor = " with ".join([*(models[:1] or [platform.machine()]), *([" and ".join(fast)] if fast else [])])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, load {os.getloadavg()[1]:.1f} at the end"


def tables(result: Result) -> str:
    """Rows and marks as Markdown, under a line that says what made them."""
    made = f"`{result['command']}`, {result['date']}, seed {result['seed']}, {result['seconds']:,} s on "
    return f"{made}{result['machine']}.\n\n{body(result['rows'], result['marks'])}"


def body(rows: Sequence[Row], marks: Sequence[Mark]) -> str:
    """Rows and marks as Markdown alone."""
    lines = [line for row in rows for line in _lines(row)]
    columns = list(dict.fromkeys(column for line in lines for column in line))
    verdicts = [[mark["name"], mark["value"], mark["mark"], mark["holds"]] for mark in marks]
    parts = [markdown(columns, [[line.get(column) for column in columns] for line in lines])]
    return "\n\n".join(parts + ([markdown(["mark", "value", "must be", "holds"], verdicts)] if verdicts else []))


def markdown(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; underscores of the headings read as spaces."""
    lines = [[title.replace("_", " ") for title in head], ["---"] * len(head)]
    lines += [[_cell(value) for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(name: str, text: str) -> None:
    """Replaces what stands between the marks of `name` in the pages of docs/ that have them."""
    shown = False
    for page in sorted(DOCS.glob("*.md")):
        content = page.read_text()
        if (drawn := replaced(content, name, text)) is not None:
            shown = True
            page.write_text(drawn)
    if not shown:
        sys.stderr.write(f"no page of docs/ shows {name}: it would stand between {' and '.join(_places(name))}\n")


def replaced(content: str, name: str, text: str) -> str | None:
    """A page with other text between the marks of `name`; None where it has no such marks."""
    begin, end = _places(name)
    before, found, rest = content.partition(begin)
    _, closed, after = rest.partition(end)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}" if found and closed else None


def main() -> int:
    """Draws all results into the docs again, and the caption into README.md."""
    from benchmarks import captions

    for path in sorted(RESULTS.glob("*.json")):
        draw(path.stem, tables(json.loads(path.read_text())))
    captions.draw()
    return 0


def _places(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- /{name} -->"


def _lines(row: Row) -> list[dict[str, Any]]:
    """A row's lines: one for each dict of its list, if it has one, of which the first has its own columns too."""
    lists = [value for value in row.values() if isinstance(value, list)]
    own = _flat({column: value for column, value in row.items() if not isinstance(value, list)})
    first, *others = [_flat(each) for each in lists[0]] if lists and lists[0] else [{}]
    return [own | first, *others]


def _flat(row: Row) -> dict[str, Any]:
    """A row with the columns of its dicts beside its own."""
    flat: dict[str, Any] = {}
    for column, value in row.items():
        flat |= (
            {f"{key} {column}": each for key, each in value.items()} if isinstance(value, Mapping) else {column: value}
        )
    return flat


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
