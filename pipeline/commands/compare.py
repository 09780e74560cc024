"""Runs side by side: a table for the terminal, and a page that needs nothing else."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.gan_evaluator import gate
from models.export.saved import RECORD
from pipeline.commands.lineage import SERVED, UNCOMPARED, code, config, flat, stopped
from pipeline.records import Records, locate

STYLES = Path(gate.__file__).parent
"""Where the report's style sheet lies, which the page shares."""

JUDGED_BY = (
    "data.",
    "evaluation.extractor",
    "evaluation.samples",
    "evaluation.compared",
    "evaluation.seed",
    "data's fingerprint",
)
"""Settings under which alone figures compare, by how they begin."""


@dataclasses.dataclass(frozen=True)
class Judged:
    """One judged model.

    Attributes:
        label: as the user named it.
        experiment: its name.
        blessed: the outcome, and `reason` in words.
        reason: see `blessed`.
        health: the verdict on its training.
        metrics: as `metrics.json` has them.
        settings: path -> value of all that decided it: the configuration, the data's fingerprint, the code.
        steps: of its training, and `kept`, the step of its weights where it is known.
        kept: see `steps`.
        seconds: stage -> wall time of the execution that made what was used, in order.
        report: the evaluator's page.
        picture: samples, the data URI of a PNG; None where the page has none.
    """

    label: str
    experiment: str
    blessed: bool
    reason: str
    health: str
    metrics: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Any]
    steps: int
    kept: int | None
    seconds: Mapping[str, float]
    report: Path
    picture: str | None


class Row:
    """A row of the comparison: what it is, and a cell a run."""

    def __init__(self, name: str, cells: Sequence[str], about: str = "", holds: Sequence[bool | None] = ()):
        self.name, self.about, self.cells = name, about, cells
        self.holds = holds or [None] * len(cells)


def judged(label: str) -> Judged:
    """Reads one run.

    Args:
        label: a path as `pipeline.records.locate` takes it: a root stands for what its last run judged, a model for
            its last judgement.

    Raises:
        ValueError: as `locate`; it was not judged; its evaluation was deleted.
    """
    known, artifact = locate(Path(label))
    asked = artifact or known.latest("GanEvaluator", "evaluation")
    execution = (known.judgement(asked.id) or known.maker(asked.id)) if asked else None
    if execution is None or "evaluation" not in execution.outputs:
        why = "it has no evaluation" if artifact else stopped(known)
        raise ValueError(f"what is compared was judged; {label} was not: {why}")
    (evaluation,) = known.taken(execution.outputs["evaluation"])
    folder = known.path(evaluation)
    if not (folder / "metrics.json").is_file():
        raise ValueError(f"what is compared has its evaluation; that of {label} is gone from {folder}")
    tree = json.loads((folder / "metrics.json").read_text())
    makers = known.makers(evaluation.id, without=("baseline_model",))
    experiment = config(makers)
    fingerprint = next((each.properties["fingerprint"] for each in makers if "fingerprint" in each.properties), None)
    settings = {path: value for path, value in flat(experiment) if path not in UNCOMPARED}
    return Judged(
        label=label,
        experiment=experiment.get("name", ""),
        blessed=tree["blessed"],
        reason=tree["reason"],
        health=((tree["protocol"].get("health") or {}).get("verdict") or "not_logged").replace("_", " "),
        metrics=tree["metrics"],
        settings=settings
        | {"data's fingerprint": fingerprint}
        | {f"code of {stage}": source for stage, source in code(makers).items()},
        steps=_steps(experiment),
        kept=_step(known, execution.inputs.get("model", ())),
        seconds={each.stage: each.seconds for each in makers},
        report=folder / "report.html",
        picture=_picture(folder / "report.html"),
    )


def groups(runs: Sequence[Judged]) -> dict[str, list[Row]]:
    """The rows of a comparison by what they are about."""

    def row(name: str, cell: Callable[[Judged], str]) -> Row:
        return Row(name, [cell(run) for run in runs])

    verdicts = ["blessed" if run.blessed else "refused" for run in runs]
    stages = dict.fromkeys(stage for run in runs for stage in run.seconds)
    return {
        "Verdict": [
            Row("verdict", verdicts, holds=[run.blessed for run in runs]),
            row("reason", lambda run: run.reason.partition(": ")[2]),
        ],
        "Metrics": [_metric(name, runs) for name in dict.fromkeys(name for run in runs for name in run.metrics)],
        "What differs": differences(runs),
        "Training": [
            row("steps", lambda run: f"{run.steps:,}"),
            row("weights of step", lambda run: "-" if run.kept is None else f"{run.kept:,}"),
            row("health", lambda run: run.health),
        ],
        "Wall time": [
            *(Row(stage, [_duration(run.seconds.get(stage)) for run in runs]) for stage in stages),
            row("together", lambda run: _duration(sum(run.seconds.values()))),
        ],
    }


def differences(runs: Sequence[Judged]) -> list[Row]:
    """The settings in which the runs differ."""
    paths = dict.fromkeys(path for run in runs for path in run.settings)
    return [
        Row(path, [_setting(run.settings.get(path)) for run in runs])
        for path in paths
        if len({_setting(run.settings.get(path)) for run in runs}) > 1
    ]


def warning(runs: Sequence[Judged]) -> str:
    """Why the figures do not compare; empty where they do."""
    apart = [row.name for row in differences(runs) if row.name.startswith(JUDGED_BY)]
    return f"These figures do not compare: the runs differ in {', '.join(apart)}." if apart else ""


def show(runs: Sequence[Judged], console: Console) -> None:
    """Prints the comparison."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in ("", *(run.label for run in runs)):
        table.add_column(Text(header), overflow="fold", min_width=12)
    for name, rows in groups(runs).items():
        if rows:
            table.add_section()
            table.add_row(Text(name, "bold"))
        for row in rows:
            styles = ["" if holds is None else "green" if holds else "red" for holds in row.holds]
            table.add_row(row.name, *(Text(cell, style) for cell, style in zip(row.cells, styles, strict=True)))
    console.print(table)
    if apart := warning(runs):
        console.print(Text(apart, "red"), soft_wrap=True)


def page(runs: Sequence[Judged]) -> str:
    """The comparison as HTML. Everything that is not ours is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([Path(__file__).parent, STYLES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("compare.html").render(runs=runs, groups=groups(runs), warning=warning(runs))


def _metric(name: str, runs: Sequence[Judged]) -> Row:
    """One metric: value, uncertainty and what was required of each run."""
    lines = [run.metrics.get(name) for run in runs]
    cells = []
    for line in lines:
        text = gate.number(line["value"]) if line else "-"
        if line and line["value"] is not None and line["uncertainty"] is not None:
            text += f" ± {gate.number(line['uncertainty'], 2)}"
        if line and line["threshold"]:
            text += f", {'holds' if line['holds'] else 'fails'}: {', '.join(line['required']) or 'nothing to beat yet'}"
        cells.append(text)
    known = next(line for line in lines if line)
    about = known["measures"] + (f"; {known['better']} is better" if known["better"] else "")
    return Row(name, cells, about, [line["holds"] if line else None for line in lines])


def _setting(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _step(known: Records, models: Sequence[int]) -> int | None:
    """The step of a model's weights, by its record."""
    for model in known.taken(models):
        file = known.path(model) / SERVED / RECORD
        if file.is_file():
            step: int | None = json.loads(file.read_text()).get("step")
            return step
    return None


class _FirstPicture(HTMLParser):
    """Finds the first picture of a page."""

    found: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Looks at one element."""
        source = dict(attrs).get("src") or ""
        if tag == "img" and self.found is None and source.startswith("data:image/png;base64,"):
            self.found = source


def _picture(report: Path) -> str | None:
    """The samples at the head of an evaluator's report."""
    if not report.is_file():
        return None
    parser = _FirstPicture()
    parser.feed(report.read_text())
    return parser.found


def _steps(experiment: Mapping[str, Any]) -> int:
    """Counts the steps of all phases."""
    pretraining = experiment.get("scheme", {}).get("pretraining", {})
    return int(experiment.get("training", {}).get("steps", 0)) + int(pretraining.get("steps", 0))
