"""What the commands that run a pipeline have in common, from the lock to the summary."""

from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console

from models.config import Experiment
from pipeline import session
from pipeline.summary import Summary

STOPPED = 130
"""The exit code after Ctrl-C."""


def run(title: str, experiment: Experiment, root: Path, log: Path, work: Callable[[Summary, Console], None]) -> None:
    """Runs a pipeline below a root, which is held meanwhile, and prints what became of it.

    Args:
        title: what runs, for the terminal.
        experiment: of the pipeline.
        root: everything goes there.
        log: below it; receives what libraries write.
        work: fills the summary.

    Raises:
        typer.Exit: always, with the exit code.
        ValueError: it failed.
    """
    try:
        with session.locked(root), session.logged(log) as console:
            console.print(f"{title} in {root}; the log is {log}")
            summary = Summary(experiment, root)
            work(summary, console)
            if summary.pushed:
                from pipeline import samples

                picture = root / "samples.png"
                summary.samples = picture if samples.draw(summary.pushed, picture, experiment) else None
                summary.save()
            summary.print(console)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(STOPPED) from None
    raise typer.Exit(summary.exit_code)
