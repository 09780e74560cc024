"""`ganworks exec`: what was compiled, run on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import session
from pipeline.commands import running

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.summary import Summary


def exec_(
    spec: Annotated[Path, typer.Argument(help="what `ganworks compile` wrote", show_default=False)],
    root: Annotated[Path, typer.Option(help="where all of the run goes")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="a runtime parameter, e.g. training_steps=500"),
    ] = None,
) -> None:
    """Executes a compiled pipeline here, one process a task. Exit code 3: it ran, and the model was not blessed."""
    root = root.resolve()
    with session.quiet():
        from pipeline.compiled import workers
        from pipeline.compiled.spec import load

        compiled = load(spec)
        given = assigned(parameters or [])
        workers.warm_up(compiled.modules())
        from pipeline.compiled import execute

        experiment, values = execute.prepare(compiled, given, root)

    def work(summary: "Summary", console: "Console") -> None:
        execute.execute(compiled, values, summary, console)

    title = f"{spec} ({compiled.name}, version {compiled.version})"
    running.run(title, experiment, root, root / "logs" / "exec.log", work)


def assigned(parameters: list[str]) -> dict[str, str]:
    """The settings of the command line."""
    pairs = [each.partition("=") for each in parameters]
    for name, equals, _ in pairs:
        if not equals:
            raise ValueError(f"a parameter is written NAME=VALUE; received {name!r}")
    return {name: value for name, _, value in pairs}
