"""What a run made: for the terminal, and in `summary.json` for programs."""

import dataclasses
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.example_gen import notes
from models.config import Experiment
from pipeline import advice

PUSHED, NOT_BLESSED = 0, 3
"""Exit codes of a run that ended without an error."""


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of a run: `state` is ran, cached, or looked up."""

    name: str
    seconds: float
    state: str


@dataclasses.dataclass
class Summary:
    """Filled while a run goes on.

    Attributes:
        experiment: what ran.
        root: where it ran.
        stages: those that have ended.
        outputs: stage -> output's name -> its artifacts.
        samples: the grid drawn from the pushed model.
        error: what stopped the run.
    """

    experiment: Experiment
    root: Path
    stages: list[Stage] = dataclasses.field(default_factory=list)
    outputs: dict[str, dict[str, list[Any]]] = dataclasses.field(default_factory=dict)
    samples: Path | None = None
    error: str | None = None
    began: float = dataclasses.field(default_factory=time.time)

    def add(self, stage: Stage) -> None:
        """Notes a stage that has ended."""
        self.stages.append(stage)

    def uri(self, stage: str, output: str) -> Path | None:
        """Where a stage's output lies; None when the stage has not ended."""
        artifacts = self.outputs.get(stage, {}).get(output)
        return Path(artifacts[0].uri) if artifacts else None

    @property
    def ingested(self) -> list[dict[str, Any]]:
        """What became of each source's files; empty before they are read."""
        folder, data = self.uri("ImageExampleGen", "examples"), self.experiment.data
        reports = [folder / name for name in notes.REPORT_FILES[: len(data.sources)]] if folder else []
        texts = [report.read_text() for report in reports if report.is_file()]
        return notes.ingested(texts, data.sources[: len(texts)], data.depth)

    @property
    def judgement(self) -> dict[str, Any]:
        """The evaluator's metrics.json; empty before it has judged."""
        folder = self.uri("GanEvaluator", "evaluation")
        return json.loads((folder / "metrics.json").read_text()) if folder else {}

    @property
    def health(self) -> dict[str, Any] | None:
        """The monitor's verdict on the training: `verdict`, `meaning`, `since_step`, `evidence`; None before it."""
        return self.judgement.get("protocol", {}).get("health")

    @property
    def report(self) -> Path | None:
        """The evaluator's report."""
        folder = self.uri("GanEvaluator", "evaluation")
        return folder / "report.html" if folder else None

    @property
    def pushed(self) -> Path | None:
        """The folder of the pushed model; None when there is none."""
        for artifact in self.outputs.get("Pusher", {}).get("pushed_model", []):
            if artifact.get_int_custom_property("pushed"):
                return Path(artifact.get_string_custom_property("pushed_destination"))
        return None

    @property
    def served(self) -> str | None:
        """What came of serving the model before the push; None where it did not come to that."""
        for artifact in self.outputs.get("ServingValidator", {}).get("infra_blessing", []):
            return str(artifact.get_string_custom_property("reason"))
        return None

    @property
    def exit_code(self) -> int:
        """0 when a model was pushed, 3 when none was."""
        return PUSHED if self.pushed else NOT_BLESSED

    def tree(self) -> dict[str, Any]:
        """The summary as plain values."""
        judgement = self.judgement
        return {
            "experiment": self.experiment.model_dump(exclude_none=True),
            "root": str(self.root),
            "began": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(self.began)),
            "seconds": round(time.time() - self.began, 1),
            "stages": [dataclasses.asdict(stage) | {"seconds": round(stage.seconds, 2)} for stage in self.stages],
            "ingested": self.ingested,
            "blessed": judgement.get("blessed"),
            "reason": judgement.get("reason"),
            "metrics": judgement.get("metrics", {}),
            "health": self.health,
            "report": _text(self.report),
            "served": self.served,
            "pushed": _text(self.pushed),
            "samples": _text(self.samples),
            "error": self.error,
        }

    def save(self) -> None:
        """Writes `ROOT/summary.json` whole, or not at all."""
        unfinished = self.root / "summary.json.new"
        unfinished.write_text(json.dumps(self.tree(), indent=2) + "\n")
        unfinished.replace(self.root / "summary.json")

    def print(self, console: Console, again: str | None = None) -> None:
        """Shows the judgement, where everything lies and, last, what to do about a model that was refused.

        Args:
            console: shows it.
            again: the command that was given, which takes further settings; None where it takes none.
        """
        judgement = self.judgement
        console.print()
        console.print(metrics_table(judgement["metrics"]))
        console.print(judgement["reason"], soft_wrap=True)
        print_warnings(console, judgement.get("warnings", []))
        if alarm := _alarm(self.health):
            console.print(alarm, soft_wrap=True)
        for each in self.ingested:
            for line in each["told"]:
                console.print(f"data     {line}", soft_wrap=True)
        cached = sum(stage.state == "cached" for stage in self.stages)
        judged = any(stage.name == "GanEvaluator" and stage.state == "ran" for stage in self.stages)
        before = judged and judgement.get("measured") == []
        rows = {
            "figures": "measured before; judged again" if before else None,
            "report": self.report,
            "serving": self.served,
            "pushed": self.pushed or "nothing: only a blessed model that could be served is pushed",
            "samples": self.samples,
            "stages": f"{len(self.stages)} in {time.time() - self.began:.0f} s, {cached} of them cached",
            "summary": self.root / "summary.json",
        }
        for name, value in rows.items():
            if value is not None:
                shown = _near(value) if isinstance(value, Path) else value
                console.print(f"{name:<8} {shown}", soft_wrap=True)
        for line in advice.lines(advice.advise(self.experiment, judgement["metrics"]), again):
            console.print(line, soft_wrap=True)


def print_warnings(console: Console, warnings: Sequence[str]) -> None:
    """What to know before the figures are believed, a line each."""
    for warning in warnings:
        console.print(Text(f"mind: {warning}", "red"), soft_wrap=True)


def metrics_table(metrics: dict[str, dict[str, Any]]) -> Table:
    """Every metric beside real against real and what is required of it, and why a figure is missing."""
    table = Table(box=None, pad_edge=False)
    for header, justify in (
        ("metric", "left"),
        ("", "left"),
        ("value", "right"),
        ("±", "right"),
        ("real", "right"),
        ("threshold", "left"),
        ("", "left"),
    ):
        table.add_column(header, justify=justify)  # type: ignore[arg-type]
    for name, metric in metrics.items():
        holds = metric.get("holds")
        verdict = Text() if holds is None else Text("holds", "green") if holds else Text("falls short", "red")
        if metric.get("value") is None and (why := metric.get("verdict")):
            verdict = Text(why, "red" if holds is False else "dim")
        elif holds and metric.get("verdict", "holds") != "holds":
            verdict.append(", perhaps by chance")
        table.add_row(
            name,
            {"higher": "↑", "lower": "↓"}.get(metric.get("better") or "", ""),
            _number(metric.get("value")),
            _number(metric.get("uncertainty"), 2),
            _number(metric.get("floor")),
            _bounds(metric.get("threshold")),
            verdict,
        )
    table.caption = "↑ more is better, ↓ less; real: training images in the place of generated ones"
    table.caption_justify = "left"
    return table


def _alarm(health: dict[str, Any] | None) -> Text | None:
    """What is wrong with the training, in a line; None where nothing is."""
    if health is None or health["verdict"] in ("healthy", "not_logged"):
        return None
    line = f"training: {health['verdict']} since step {health['since_step']}: {health['meaning']}"
    return Text(line, "red")


def _bounds(threshold: dict[str, float | None] | None) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:g}" for name, value in (threshold or {}).items() if value is not None
    )


def _number(value: Any, digits: int = 4) -> str:
    return f"{value:.{digits}g}" if isinstance(value, int | float) else "" if value is None else str(value)


def _near(path: Path) -> Path | str:
    """The path as a user would type it from here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else path


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
