"""Executing compiled pipelines within this process; TFX is imported for all of them once."""

import collections
import io
import json
import os
import sys
import time
from pathlib import Path

from rich.console import Console

from pipeline.cli import main
from pipeline.compiled import workers
from pipeline.compiled.execute import execute, prepare
from pipeline.compiled.spec import load
from pipeline.records import read
from pipeline.summary import Summary

STAGES = (
    *("ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"),
    *("FeatureTrainer", "GanTrainer", "GanEvaluator", "ServingValidator", "Pusher"),
)
INGEST, LEARN, JUDGE = set(STAGES[:5]), set(STAGES[5:7]), set(STAGES[7:9])
LOOKED_UP = {"Baseline-model-blessing-resolver", "Baseline-model-resolver"}


class Executed:
    """What became of a spec: its summary, states by task, and what was printed."""

    def __init__(self, file: Path, root: Path, **given: str):
        """Executes it; a failure is in `error`."""
        root.mkdir(parents=True, exist_ok=True)
        spec = load(file)
        workers.warm_up(spec.modules())
        experiment, values = prepare(spec, given, root)
        self.summary, printed = Summary(experiment, root), io.StringIO()
        self.error = ""
        try:
            execute(spec, values, self.summary, Console(file=printed, width=120))
        except ValueError as error:
            self.error = str(error)
        self.out = printed.getvalue()
        self.states = {stage.name: stage.state for stage in self.summary.stages}
        assert json.loads((root / "summary.json").read_text())["error"] == (self.error or None)

    def with_state(self, state: str) -> set[str]:
        """The tasks in it."""
        return {name for name, each in self.states.items() if each == state}


def wait_for(condition, seconds=300):
    """Returns what the condition gives when that is true at last."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.002)
    return found


def ganworks(root: Path, *arguments: str) -> None:
    """The command line in a forked process: the leader of a group, its output in `ROOT.out`."""
    os.setsid()
    with root.with_suffix(".out").open("wb") as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
    sys.argv = ["ganworks", *arguments]
    main()


def places(root: Path, stage: str) -> set[Path]:
    """The folders of a stage's outputs."""
    return set((root / "artifacts" / stage).glob("[!.]*/*"))


def checkpoints(root: Path) -> set[Path]:
    """What the trainer has saved so far, whole."""
    return set((root / "checkpoints").glob("*/ckpt-*[0-9].index"))


class Left:
    """What ML Metadata says that the executions of a root left."""

    def __init__(self, root: Path):
        """Reads it."""
        known = read(root)
        self.root, self.executions = root, list(known.executions.values())
        self.artifacts = {Path(each.uri) for each in known.artifacts.values()}

    def times_done(self) -> dict[str, int]:
        """How often each stage came to its end by working."""
        return dict(collections.Counter(each.stage for each in self.executions if each.state == "complete"))

    def check_nothing_is_half_done(self) -> None:
        """Every folder is that of an artifact of a finished execution, and none is still said to be at work."""
        assert "running" not in {each.state for each in self.executions}
        assert {place for stage in STAGES for place in places(self.root, stage)} == self.artifacts
