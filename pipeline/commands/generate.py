"""`ganworks generate`: bulk samples of a saved model, with a progress bar."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import session
from pipeline.commands import reading, running
from pipeline.faults import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from components.sample_generator.order import Order

LOOKS_SECONDS = 1
"""Between looks at what is written."""


def generate(
    model: Annotated[
        Path, typer.Argument(metavar="DIR", help="a saved model, or a folder of its versions", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="the folder that receives them")],
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
    """Draws samples in bulk, on Beam, to sharded TFRecords or PNG files. What was stopped goes on."""
    if any(re.match(r"\w+:/", str(place)) for place in (model, out)):
        raise ValueError(f"samples are drawn from and to folders of this machine; received {model} and {out}")
    try:
        # before there is a folder: a wrong order leaves nothing
        with session.quiet():
            from components.sample_generator.order import Order, fitted
            from models.export.reading import read_interface

            directory = str(reading.latest_version(model))
            labels = [read_interface(directory).label(each) for each in label or ()]
            wanted: dict[str, Any] = {"count": count, "seed": seed, "labels": labels, "truncation": truncation}
            order = fitted(Order.parse(**wanted, format=format_, shard_size=shard_size), directory)
        log = out / ".log"
        with session.locked(out), session.logged(log) as console:
            import apache_beam as beam

            from components.beam import BEAM_ARGS
            from components.sample_generator import drawing

            with progress(order, str(out), console):
                try:
                    drawing.generate(order, directory, str(out), beam.Pipeline(argv=[*BEAM_ARGS, *(beam_arg or ())]))
                except Exception as error:
                    raise ValueError(f"samples were not all drawn: {one_line(error)}; the log is {log}") from error
            console.print(f"{order.count:,} samples in {out}", soft_wrap=True)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(running.STOPPED) from None


@contextmanager
def progress(order: "Order", folder: str, console: "Console") -> Iterator[None]:
    """A bar of the shards that are whole, whoever writes them."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from components.sample_generator.drawing import missing

    columns = (TextColumn("samples"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    ended = threading.Event()
    with Progress(*columns, console=console, transient=True, redirect_stderr=False) as bar:
        task = bar.add_task("samples", total=order.count)

        def look() -> None:
            while not ended.wait(LOOKS_SECONDS):
                left = sum(shard.size for shard in missing(order, folder))
                bar.update(task, completed=order.count - left)

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
