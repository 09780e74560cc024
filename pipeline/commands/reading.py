"""Commands that read what was made: reports, comparisons, lineage, models."""

import contextlib
import json
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline import session

RUN_HELP = "the root of a run, a model or evaluation below ROOT/artifacts/, or ROOT/serving/NAME/VERSION"


def report(
    name: Annotated[str | None, typer.Argument(help="an experiment: the report is that of runs/NAME")] = None,
    root: Annotated[Path | None, typer.Option(help="the root of a run")] = None,
    open_: Annotated[bool, typer.Option("--open", help="shows it in the browser")] = False,
) -> None:
    """Prints where the latest report lies: of a run, or of all below runs/."""
    if name and root:
        raise ValueError(f"a report is found by a name or by --root; received {name} and {root}")
    from pipeline.commands import reports

    found = reports.latest(root or (Path("runs", name) if name else None))
    typer.echo(found)
    if open_ and not webbrowser.open(found.resolve().as_uri()):
        raise ValueError(f"--open needs a browser, and none was found for {found}")


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help=RUN_HELP, show_default=False)],
    html: Annotated[Path, typer.Option(help="the page to write")] = Path("runs/compare.html"),
) -> None:
    """Puts judged models side by side: verdicts, metrics, what differs in their settings, times."""
    if len(runs) < 2:
        raise ValueError(f"a comparison takes two runs or more; received {runs[0]} alone")
    check_place(html)
    from pipeline.commands import compare as comparing

    judged = [comparing.judged(each) for each in runs]
    write(html, comparing.page(judged))
    console = Console(highlight=False, markup=False)
    comparing.show(judged, console)
    console.print(f"\npage  {html}", soft_wrap=True)


def lineage(
    model: Annotated[Path, typer.Argument(help=RUN_HELP + ", or a saved model alone", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="all of it, as JSON")] = False,
) -> None:
    """Prints what made a model: data, code, configuration, seed, versions, executions and artifacts."""
    from pipeline.commands import lineage as tracing

    tree = tracing.lineage(model)
    if as_json:
        typer.echo(json.dumps(tree, indent=2))
    else:
        tracing.show(tree, Console(highlight=False, markup=False))


def show_model(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="a saved model, or a folder of its versions", show_default=False)
    ],
    card: Annotated[bool, typer.Option("--card", help="the whole card, as Markdown")] = False,
) -> None:
    """Prints what a model answers: its signatures, what they take and give."""
    with session.quiet() as console:
        from models.export import card as cards
        from models.export import saved
        from models.export.reading import read_interface

        model = latest_version(directory)
        if card:
            pushed = model / saved.CARD
            text = pushed.read_text() if pushed.is_file() else cards.card(str(model))
            console.print(text, soft_wrap=True, end="")
            return
        console.print(f"{model}\n", soft_wrap=True)
        interface = read_interface(str(model))
        if named := interface.named():
            console.print(f"classes  {', '.join(named)}\n", soft_wrap=True)
        for name, each in interface.signatures.items():
            console.print(f"{name:<20} {each.about}", soft_wrap=True)
            console.print(f"    takes  {cards.told(each.inputs)}", soft_wrap=True)
            console.print(f"    gives  {cards.told(each.outputs)}", soft_wrap=True)


def latest_version(directory: Path) -> Path:
    """The folder of the highest number where a folder holds versions, else the folder itself."""
    versions = [each for each in directory.iterdir() if each.name.isdigit()] if directory.is_dir() else []
    return max(versions, key=lambda each: int(each.name), default=directory)


def check_place(path: Path) -> None:
    """Tries whether a file can be written, before the work whose result it takes; leaves nothing behind.

    Raises:
        ValueError: the system refuses. One line.
    """
    there = path.exists()
    made = [each for each in path.absolute().parents if not each.exists()]
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        with path.open("a"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def write(path: Path, text: str) -> None:
    """Writes a text file and the folders above it. Raises ValueError where the system refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from None
