"""What made a model: the ML Metadata of its run, and the record that a saved model carries."""

import contextlib
import dataclasses
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from models.config import Experiment
from models.export.saved import EXPERIMENT, RECORD
from pipeline.records import Artifact, Execution, Records, locate, pushes

SERVED = "Format-Serving"
"""Below a Model artifact; see tfx.utils.path_utils."""

UNCOMPARED = ("name", "description")
"""Fields of an experiment that decide nothing."""

TOLD = Experiment.model_fields.keys() - {"evaluation", "serving", "resources"}
"""Fields that every stage which is told an experiment reads."""


def lineage(path: Path) -> dict[str, Any]:
    """All that made a model, as plain values.

    Args:
        path: as `locate` takes it, where a root stands for the model of its last run; or a saved model alone, which
            tells what its record holds.

    Returns:
        model: where it lies, and `root`, that of its run or None; experiment, the configuration; data: source,
        fingerprint and the digest of the examples; code: the hash of the source of each stage; seed and step;
        versions; verdict, `pushed`, executions and artifacts: empty for a saved model alone.

    Raises:
        ValueError: as `locate`, or nothing was trained.
    """
    path = path.resolve()
    alone = _json(path / EXPERIMENT) if path.is_dir() else {}
    try:
        known, artifact = locate(path)
    except ValueError:
        if not alone:
            raise
        return _tree(path, None, alone, _json(path / RECORD))
    artifact = artifact or known.latest("GanTrainer", "model")
    if artifact is None:
        raise ValueError(f"the lineage of a run is that of its model; {stopped(known)}")
    served = path if alone else known.path(artifact) / SERVED
    makers = known.makers(artifact.id)
    tree = _tree(
        served if served.is_dir() else known.path(artifact), known.root, config(makers), _json(served / RECORD)
    )
    tree["data"]["fingerprint"] = next((str(each.properties.get("fingerprint")) for each in makers), None)
    tree["code"] = code(makers)
    tfx = artifact.properties.get("tfx_version")
    tree["versions"] |= {"tfx": tfx} if tfx else {}
    ids = {each for execution in makers for ids in execution.outputs.values() for each in ids}
    return tree | {
        "verdict": _verdict(known, artifact),
        "pushed": [str(each) for each in _destinations(known, artifact)],
        "executions": [dataclasses.asdict(each) for each in makers],
        "artifacts": [
            {"id": each.id, "kind": each.kind, "path": str(known.path(each))} for each in known.taken(sorted(ids))
        ],
    }


def config(makers: Iterable[Execution]) -> dict[str, Any]:
    """The experiment that the last of the executions was told, with its defaults; empty where none was.

    One of another format is given as it was told.
    """
    told = [each for each in makers if "experiment" in each.properties]
    if not told:
        return {}
    tree = dict(json.loads(told[-1].properties["experiment"]))
    read = TOLD | ({"evaluation"} if told[-1].stage == "GanEvaluator" else set())
    with contextlib.suppress(ValueError):
        tree = json.loads(Experiment.parse(tree).to_json(read))
    return tree


def code(makers: Iterable[Execution]) -> dict[str, str]:
    """The hash of the source of each stage that has code of ours."""
    found = {}
    for each in makers:
        # TFX's own components take what is not theirs in one property.
        more = json.loads(each.properties.get("custom_config") or "null") or {}
        source = each.properties.get("source") or more.get("source")
        if source:
            found[each.stage] = str(source)
    return found


def stopped(known: Records) -> str:
    """Where the last run of a root ended without a result, in words."""
    last = known.executions[max(known.executions)] if known.executions else None
    return f"the last run in {known.root} " + (f"ended in {last.stage}, {last.state}" if last else "began nothing")


def _tree(path: Path, root: Path | None, experiment: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    data, versions = experiment.get("data", {}), ("python", "numpy", "tensorflow", "keras")
    # two domains have a source each
    source = data.get("source", data.get("input", {}).get("source"))
    return {
        "model": str(path),
        "root": root and str(root),
        "experiment": experiment,
        "data": {"source": source, "fingerprint": None, "examples": record.get("examples")},
        "code": {"models": record["source"]} if "source" in record else {},
        "seed": experiment.get("training", {}).get("seed", record.get("seed")),
        "step": record.get("step"),
        "versions": {name: record[name] for name in versions if name in record},
        "machine": {name: record[name] for name in ("machine", "strategy", "replicas", "precision") if name in record},
        "verdict": None,
        "pushed": [],
        "executions": [],
        "artifacts": [],
    }


def _verdict(known: Records, model: Artifact) -> dict[str, Any] | None:
    """What the last judgement said of a model, by its blessing."""
    judgement = known.judgement(model.id)
    if judgement is None or "blessing" not in judgement.outputs:
        return None
    (blessing,) = known.taken(judgement.outputs["blessing"])
    (evaluation,) = known.taken(judgement.outputs["evaluation"])
    return {
        "blessed": bool(blessing.properties.get("blessed")),
        "reason": blessing.properties.get("blessing_message"),
        "evaluation": str(known.path(evaluation)),
    }


def _destinations(known: Records, model: Artifact) -> list[Path]:
    return [path for pushed, path in pushes(known) if pushed.id == model.id and path.is_dir()]


def _json(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree with their dotted paths."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def show(tree: Mapping[str, Any], console: Console) -> None:
    """Prints what `lineage` returns."""
    verdict, machine = tree["verdict"], tree["machine"]
    rows = {
        "model": [tree["model"]],
        "verdict": [verdict["reason"], verdict["evaluation"]] if verdict else [],
        "pushed": tree["pushed"],
        "data": [f"{name} {value}" for name, value in tree["data"].items() if value],
        "experiment": [tree["experiment"].get("name")],
        "config": [f"{name}={json.dumps(value)}" for name, value in flat(_chosen(tree["experiment"]))],
        "seed": [tree["seed"]],
        "step": [tree["step"]],
        "code": [f"{name} {value}" for name, value in tree["code"].items()],
        "versions": [", ".join(f"{name} {value}" for name, value in tree["versions"].items())],
        "machine": [", ".join(f"{name} {value}" for name, value in machine.items())],
    }
    for name, values in rows.items():
        for number, value in enumerate(each for each in values if each not in (None, "")):
            console.print(f"{'' if number else name:<12}{value}", soft_wrap=True)
    if tree["executions"]:
        console.print()
        console.print(_parents(tree))


def _parents(tree: Mapping[str, Any]) -> Table:
    """The executions, each with the artifacts that it took and made."""
    table = Table(box=None, pad_edge=False)
    for header in ("execution", "began", "seconds", "took", "made"):
        table.add_column(header, justify="right" if header == "seconds" else "left", overflow="fold")
    for each in tree["executions"]:
        sides = (
            ", ".join(f"{key} {number}" for key, ids in sorted(each[side].items()) for number in ids)
            for side in ("inputs", "outputs")
        )
        began = time.strftime("%Y-%m-%d %H:%M", time.localtime(each["began"]))
        table.add_row(f"{each['id']} {each['stage']}", began, f"{each['seconds']:.1f}", *sides)
    return table


def _chosen(tree: dict[str, Any]) -> dict[str, Any]:
    """The fields that are not at their defaults; all of them where the experiment is of another version."""
    with contextlib.suppress(ValueError):
        tree = Experiment.parse(tree).model_dump(exclude_defaults=True)
    return {name: value for name, value in tree.items() if name not in UNCOMPARED}
