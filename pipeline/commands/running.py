"""What the commands that run a pipeline have in common, from the lock to the summary."""

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console

from models.config import Experiment
from pipeline import session
from pipeline.summary import Summary

STOPPED = 130
"""The exit code after Ctrl-C."""


def run(
    title: str,
    experiment: Experiment,
    root: Path,
    log: Path,
    work: Callable[[Summary, Console], None],
    again: str | None = None,
) -> None:
    """Runs a pipeline below a root, which is held meanwhile, and prints what became of it.

    Args:
        title: what runs, for the terminal.
        experiment: of the pipeline.
        root: everything goes there.
        log: below it; receives what libraries write.
        work: fills the summary.
        again: the command as it was typed, if it takes settings: what is advised to a refused model is added to it.

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
            summary.print(console, again)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(STOPPED) from None
    raise typer.Exit(summary.exit_code)


def typed() -> str:
    """The command that runs now, as a shell takes it."""
    program = Path(sys.argv[0])
    found = shutil.which("ganworks")
    # by its path where the virtual environment is not active, as in `make demo`
    short = program.name != "ganworks" or (found is not None and Path(found).absolute() == program.absolute())
    return shlex.join(["ganworks" if short else str(program), *sys.argv[1:]])
