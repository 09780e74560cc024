"""`ganworks new`: looks at a user's images and writes an experiment that fits, with the reasons as comments."""

import contextlib
import enum
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import session
from pipeline.commands import reading

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.new.looking import Told


class Task(enum.StrEnum):
    """What a user's images are for."""

    GENERATE = "generate"
    TRANSLATE = "translate"


SOURCE_HELP = "folder:DIR, zip:FILE, tar:FILE, idx:DIR, tfds:NAME or digits; a folder or archive alone will do"


def new(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP, show_default=False)],
    output: Annotated[Path, typer.Option(help="the experiment to write, .yaml; the page goes beside it, .html")],
    minutes: Annotated[float, typer.Option(min=1, help="what a run may take on this machine")] = 60,
    resolution: Annotated[
        int | None, typer.Option(min=8, max=256, help="pixels a side  [default: what fits images and minutes]")
    ] = None,
    task: Annotated[
        Task | None,
        typer.Option(help="draw new images, or one of a pair from the other  [default: translate if pairs]"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="writes over files that are there")] = False,
) -> None:
    """Looks at your images and writes an experiment that fits them, each choice with its reason.

    It reads the headers of all images, decodes a sample, and takes a few training steps to see how long they last here.
    """
    page = output.with_suffix(".html")
    _check_places(output, page, force)
    with session.quiet() as console:
        try:
            _work(source, output, page, minutes, resolution, task, console)
        except KeyboardInterrupt:
            from pipeline.commands.running import STOPPED

            raise typer.Exit(STOPPED) from None


def name_of(output: Path) -> str:
    """An experiment's name, of the name of its file: small letters, digits and hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", output.stem.lower()).strip("-")
    return name if name[:1].isalpha() else f"my-{name}".rstrip("-")


def _check_places(output: Path, page: Path, force: bool) -> None:
    """Raises ValueError, one line, where the files cannot be written, before anything is read."""
    if output.suffix not in (".yaml", ".yml"):
        raise ValueError(f"an experiment with comments is a YAML file: --output ends in .yaml; received {output}")
    for path in (output, page):
        if path.exists() and not force:
            raise ValueError(f"{path} is there already: name another --output, or add --force to write over it")
        reading.check_place(path)


def _work(
    given: str,
    output: Path,
    page: Path,
    minutes: float,
    resolution: int | None,
    task: Task | None,
    console: "Console",
) -> None:
    from pipeline.new import facts, looking, pairing, planning, telling, timing, writing
    from pipeline.new import page as pages

    source = looking.source_of(given)
    with _bar(console, "looking") as told:
        look = looking.look(source, told)
    paired = pairing.find(look)
    if task == Task.TRANSLATE and not paired:
        raise ValueError(
            f"translate needs pairs: two folders of the same file names and sizes, with edges in the same places, and "
            f"{pairing.LEAST} or more of them; {source} has none"
        )
    found = facts.find(look)
    with _bar(console, "taking training steps"):
        planned = planning.plan(
            look,
            found,
            lambda experiment: timing.measure(experiment, look),
            name=name_of(output),
            minutes=minutes,
            resolution=resolution,
            paired=None if task == Task.GENERATE else paired,
        )
    head = telling.head(look, page.name, shlex.join(["ganworks", *sys.argv[1:]]))
    html = pages.render(look, found, planned)
    reading.write(output, writing.to_yaml(planned.chosen.choices, head))
    reading.write(page, html)
    console.print(telling.table(look, found, planned))
    for line in telling.next_lines(paired, planned, output, page):
        console.print(line, soft_wrap=True)


@contextlib.contextmanager
def _bar(console: "Console", what: str) -> Iterator["Told"]:
    """A progress bar on a terminal; yields what is told how much is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, redirect_stderr=False, disable=not console.is_terminal)
    with bar as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)
