"""`ganworks submit`: an experiment's pipeline, handed to Vertex AI or Kubeflow Pipelines."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import session
from pipeline.commands import execute as exec_command
from pipeline.commands import running

if TYPE_CHECKING:
    from pipeline.clusters.cluster import Cluster, Order

LOOKS_SECONDS = 20
"""Between looks at a run that is waited for."""

SUFFIXES = (".json", ".yaml", ".yml")


def submit(
    what: Annotated[
        str, typer.Argument(metavar="NAME", help="an experiment, or a file of `ganworks compile`", show_default=False)
    ],
    to: Annotated[str, typer.Option(help="vertex or kfp")],
    root: Annotated[str | None, typer.Option(help="where the runs' files go, as the cluster sees it")] = None,
    image: Annotated[str | None, typer.Option(help="the container image that has ganworks installed")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="changes a field of the experiment")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="a runtime parameter, e.g. training_steps=500"),
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="cron expression: runs again and again; of five fields on Vertex, six on kfp")
    ] = None,
    service_account: Annotated[str | None, typer.Option(help="that the tasks run as")] = None,
    project: Annotated[str | None, typer.Option(help="vertex: of Google Cloud")] = None,
    location: Annotated[str, typer.Option(help="vertex: region")] = "us-central1",
    host: Annotated[str | None, typer.Option(help="kfp: URL of its API  [default: as the kubeconfig says]")] = None,
    namespace: Annotated[str | None, typer.Option(help="kfp: of the runs, where users have their own")] = None,
    group: Annotated[str, typer.Option("--experiment", help="kfp: that the runs are shown in")] = "ganworks",
    endpoint: Annotated[str | None, typer.Option(help="vertex: another host than the region's own")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="until it ends; exit code 1 where it fails")] = False,
) -> None:
    """Hands a pipeline to a cluster, and prints the page that shows its run."""
    if to not in ("vertex", "kfp"):
        raise ValueError(f"--to is vertex or kfp; received {to}")
    if to == "vertex" and not project:
        raise ValueError("vertex needs a --project")
    if wait and schedule:
        raise ValueError("--wait is for one run; a --schedule has no end")
    with session.quiet() as console, tempfile.TemporaryDirectory(prefix="ganworks-") as scratch:
        from pipeline.clusters import cluster as clusters

        order = _order(
            what, to, Path(scratch), root, image, settings or [], parameters or [], service_account, schedule
        )
        cluster = _cluster(to, project, location, endpoint, host, namespace, group)
        run = cluster.submit(order)
        console.print(f"{'schedule' if schedule else 'run':<9} {run.name}", soft_wrap=True)
        console.print(f"page      {run.page}", soft_wrap=True)
        if wait:
            try:
                clusters.wait(cluster, run, console, seconds=LOOKS_SECONDS)
            except KeyboardInterrupt:
                console.print(f"no longer waiting; the run goes on: {run.page}", soft_wrap=True)
                raise typer.Exit(running.STOPPED) from None


def _order(
    what: str,
    to: str,
    scratch: Path,
    root: str | None,
    image: str | None,
    settings: list[str],
    parameters: list[str],
    service_account: str | None,
    schedule: str | None,
) -> "Order":
    """What is handed over, checked as far as it can be here."""
    import yaml

    from pipeline.clusters.cluster import Order
    from pipeline.compiled import execute
    from pipeline.compiled.spec import load

    path = Path(what)
    if path.suffix in SUFFIXES:
        if root or image or settings:
            raise ValueError(f"--root, --image and --set are for an experiment's name; {what} is compiled already")
    else:
        if not root or not image:
            missing = "--root" if not root else "--image"
            raise ValueError(f"an experiment is submitted with --root and --image; {missing} is missing")
        from pipeline import kubeflow_runner
        from pipeline.experiments.named import find

        path = scratch / "pipeline.json"
        experiment = find(what).override(settings)
        place = f"{root.rstrip('/')}/{what}"
        kubeflow_runner.compile_pipeline(experiment, path, root=place, image=image, baseline=to == "vertex")
    spec = load(path)
    if spec.version != "2.1":
        raise ValueError(f"a spec of version 2.1 is submitted; {path} has {spec.version}: compile it with --spec 2.1")
    if to == "kfp" and any(task.kind == "resolver" for task in spec.tasks.values()):
        raise ValueError(f"Kubeflow Pipelines has no resolvers, and {path} has one: compile it with --no-baseline")
    values = spec.values(exec_command.assigned(parameters))
    execute.check(spec, values)
    tree = json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())
    tree = tree.get("pipelineSpec", tree)
    if "defaultPipelineRoot" not in tree:
        raise ValueError(f"a spec says where its files go; {path} does not: compile it by `ganworks compile`")
    return Order(tree, spec.name, values, service_account, schedule)


def _cluster(
    to: str,
    project: str | None,
    location: str,
    endpoint: str | None,
    host: str | None,
    namespace: str | None,
    group: str,
) -> "Cluster":
    if to == "kfp":
        from pipeline.clusters.kubeflow import Kubeflow

        return Kubeflow(host, namespace=namespace, experiment=group)
    from pipeline.clusters.vertex import Vertex

    return Vertex(str(project), location, endpoint=endpoint)
