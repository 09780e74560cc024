"""`ganworks generate`: bulk samples of a saved model, or what it makes of a folder of pictures; with a progress bar."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import session
from pipeline.commands import reading, running
from pipeline.faults import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from components.sample_generator.making import Work

LOOKS_SECONDS = 1
"""Between looks at what is written."""


def generate(
    model: Annotated[
        Path, typer.Argument(metavar="DIR", help="a saved model, or a folder of its versions", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="the folder that receives them")],
    input_: Annotated[
        Path | None, typer.Option("--input", metavar="DIR", help="a folder of pictures, for a model that takes them")
    ] = None,
    kernel: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="what all were blurred by, for a model that is told: a picture, .npy or .csv",
        ),
    ] = None,
    count: Annotated[int, typer.Option("--n", help="how many")] = 1_000,
    seed: Annotated[int, typer.Option(help="of the first; the next has the next")] = 0,
    label: Annotated[
        list[str] | None, typer.Option(help="a class by name or number; several take turns by seed  [default: all]")
    ] = None,
    truncation: Annotated[
        float | None, typer.Option(help="bound of the noise in standard deviations: more typical, less varied")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="tfrecord or png")] = "tfrecord",
    shard_size: Annotated[int, typer.Option(help="samples that are written together")] = 1_000,
    beam_arg: Annotated[
        list[str] | None, typer.Option(help="of Beam's pipeline, e.g. --beam-arg=--direct_num_workers=2; repeatable")
    ] = None,
) -> None:
    """Draws samples in bulk, on Beam, to sharded TFRecords or PNG files, or makes pictures of pictures.

    What was stopped goes on.
    """
    if any(re.match(r"\w+:/", str(place)) for place in (model, out, input_)):
        raise ValueError(f"samples are drawn from and to folders of this machine; received {model} and {out}")
    if input_ and (label or truncation is not None):
        raise ValueError("--label and --truncation are of what is drawn by seed; leave them out beside --input")
    if kernel and not input_:
        raise ValueError("--kernel says what pictures were blurred by, which --input gives; leave it out, or give both")
    try:
        if input_:
            _make(input_, kernel, model, out, beam_arg or ())
        else:
            fields: dict[str, Any] = {"count": count, "seed": seed, "truncation": truncation}
            _draw(model, out, label or (), fields | {"format": format_, "shard_size": shard_size}, beam_arg or ())
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(running.STOPPED) from None


def _draw(model: Path, out: Path, classes: Sequence[str], fields: dict[str, Any], beam_args: Sequence[str]) -> None:
    """Draws by seeds."""
    # before there is a folder: a wrong order leaves nothing
    with session.quiet():
        from components.sample_generator.order import Order, fitted
        from models.export.reading import read_interface

        directory = str(reading.latest_version(model))
        labels = [read_interface(directory).label(each) for each in classes]
        order = fitted(Order.parse(**fields, labels=labels), directory)
    with session.locked(out), session.logged(out / ".log") as console:
        from components.sample_generator import drawing

        def left() -> int:
            return sum(shard.size for shard in drawing.missing(order, str(out)))

        with progress("samples", order.count, left, console), told(out):
            drawing.generate(order, directory, str(out), _pipeline(beam_args))
        console.print(f"{order.count:,} samples in {out}", soft_wrap=True)


def _make(source: Path, kernel: Path | None, model: Path, out: Path, beam_args: Sequence[str]) -> None:
    """Makes pictures of pictures; bad ones are named at the end."""
    with session.quiet():
        from components.sample_generator import making

        work: Work = making.plan(str(source), str(reading.latest_version(model)), str(out), kernel)
    with session.locked(out), session.logged(out / ".log") as console:
        with progress("pictures", len(work.files), lambda: len(work.missing()), console), told(out):
            bad = making.make(work, _pipeline(beam_args))
        console.print(f"{len(work.files) - len(work.missing()):,} pictures in {out}", soft_wrap=True)
    if bad:
        more = f", and {len(bad) - 1:,} more" if len(bad) > 1 else ""
        raise ValueError(f"nothing was made of {bad[0]}{more}; all others are made")


def _pipeline(beam_args: Sequence[str]) -> Any:
    import apache_beam as beam

    from components.beam import BEAM_ARGS

    return beam.Pipeline(argv=[*BEAM_ARGS, *beam_args])


@contextmanager
def told(out: Path) -> Iterator[None]:
    """Makes one line of whatever a runner raises."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"not all was made: {one_line(error)}; the log is {out / '.log'}") from error


@contextmanager
def progress(what: str, total: int, left: Callable[[], int], console: "Console") -> Iterator[None]:
    """A bar of what is whole, whoever writes it.

    Args:
        what: is counted.
        total: how many there are to be.
        left: how many of them are not there yet.
        console: shows it.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    ended = threading.Event()
    with Progress(*columns, console=console, transient=True, redirect_stderr=False) as bar:
        task = bar.add_task(what, total=total)

        def look() -> None:
            while not ended.wait(LOOKS_SECONDS):
                bar.update(task, completed=total - left())

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
