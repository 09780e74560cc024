"""Roots of runs with a real ML Metadata store, written as TFX writes it."""

import json
import time
from pathlib import Path

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from models.config import Experiment
from pipeline.experiments.named import TINY

METRIC = {
    "value": 0.93,
    "uncertainty": 0.012,
    "threshold": {"at_least": 0.9},
    "floor": 0.97,
    "baseline": None,
    "holds": True,
    "verdict": "holds",
    "required": ["at least 0.9"],
    "limits": [0.9],
    "per_class": [],
    "better": "higher",
    "measures": "real examples that have a generated one near",
}
PNG = "data:image/png;base64,iVBORw0KGgo="


class Root:
    """A root that runs are added to; tests/e2e/test_run.py holds that real runs are read alike."""

    def __init__(self, root: Path):
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = str(root / "metadata.sqlite")
        config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        self.store = metadata_store.MetadataStore(config)
        self.types: dict[tuple[str, str], int] = {}
        self.executions = 0

    def execute(self, stage, inputs=None, outputs=None, *, state="COMPLETE", seconds=0.0, **properties):
        """Writes an execution; `outputs` are kinds by key, or ids of artifacts that come from the cache."""
        self.executions += 1
        execution = pb.Execution(type_id=self.type_of("execution", f"components.{stage}"))
        for name, value in properties.items():
            execution.custom_properties[name].string_value = value
        if seconds:
            execution.last_known_state = pb.Execution.RUNNING
            (execution.id,) = self.store.put_executions([execution])
            time.sleep(seconds)
        execution.last_known_state = pb.Execution.State.Value(state)
        pairs = [self.event(key, number, pb.Event.INPUT) for key, number in (inputs or {}).items()]
        for key, given in (outputs or {}).items():
            artifact = given if isinstance(given, int) else self.artifact(given, stage, key)
            pairs.append(self.event(key, artifact, pb.Event.OUTPUT))
        context = pb.Context(type_id=self.type_of("context", "node"), name=f"tiny.{stage}")
        # One call, and so one transaction: each waits for the disk.
        number, artifacts, _ = self.store.put_execution(execution, pairs, [context], True)
        assert number == self.executions
        ids = artifacts[len(inputs or {}) :]
        return dict(zip(outputs or {}, ids, strict=True))

    def event(self, key, artifact, kind):
        """An artifact, by its id or new, and what an execution did with it."""
        event = pb.Event(type=kind)
        event.path.steps.add().key = key
        event.path.steps.add().index = 0
        if isinstance(artifact, int):
            (artifact,) = self.store.get_artifacts_by_id([artifact])
        return artifact, event

    def artifact(self, kind, stage, output):
        """An artifact of the execution that is being written, with its folder."""
        uri = self.root / "artifacts" / stage / output / str(self.executions)
        uri.mkdir(parents=True)
        artifact = pb.Artifact(type_id=self.type_of("artifact", kind), uri=str(uri))
        artifact.custom_properties["tfx_version"].string_value = "1.21.0"
        return artifact

    def type_of(self, what, name):
        """The id of a type, which is written when it is first asked for."""
        if (what, name) not in self.types:
            kind = {"execution": pb.ExecutionType, "artifact": pb.ArtifactType, "context": pb.ContextType}[what]
            self.types[what, name] = getattr(self.store, f"put_{what}_type")(kind(name=name))
        return self.types[what, name]

    def tell(self, number, **properties):
        """Sets properties of an artifact."""
        (artifact,) = self.store.get_artifacts_by_id([number])
        for name, value in properties.items():
            if isinstance(value, int):
                artifact.custom_properties[name].int_value = value
            else:
                artifact.custom_properties[name].string_value = value
        self.store.put_artifacts([artifact])

    def path(self, number):
        """Where an artifact lies."""
        return Path(self.store.get_artifacts_by_id([number])[0].uri)

    def run(self, experiment: Experiment = TINY, *, blessed=True, push=True, coverage=0.93, fingerprint="f0"):
        """A run from images to a pushed model: the ids of all artifacts by their keys."""
        made = self.execute("ImageExampleGen", outputs={"examples": "Examples"}, fingerprint=fingerprint, source="c0")
        made |= self.execute("StatisticsGen", pick(made, "examples"), {"statistics": "ExampleStatistics"})
        custom = json.dumps({"source": "c1"})
        made |= self.execute(
            "Transform", pick(made, "examples"), {"transformed": "Examples"}, seconds=0.05, custom_config=custom
        )
        read = {"examples": made["transformed"]}
        feature_model = self.execute("FeatureTrainer", read, {"model": "Model"}, custom_config=custom)["model"]
        text = experiment.key()
        made |= self.execute(
            "GanTrainer", read, {"model": "Model", "model_run": "ModelRun"}, experiment=text, source="c2"
        )
        save_model(self.path(made["model"]) / "Format-Serving", experiment)
        self.execute("Baseline")
        inputs = read | {"feature_model": feature_model} | pick(made, "model", "model_run")
        return self.judge(experiment, inputs, made, blessed=blessed, push=push, coverage=coverage)

    def judge(self, experiment, inputs, made, *, blessed, push, coverage):
        """The end of a run: evaluation, blessing, push."""
        outputs = {"evaluation": "ModelEvaluation", "blessing": "ModelBlessing"}
        made = made | self.execute("GanEvaluator", inputs, outputs, experiment=experiment.key(), source="c3")
        reason = "blessed: every threshold holds" if blessed else "refused: coverage is low <b>"
        self.tell(made["blessing"], blessed=int(blessed), blessing_message=reason)
        tree = {"blessed": blessed, "reason": reason, "counts": {}, "protocol": {"health": {"verdict": "healthy"}}}
        tree["metrics"] = {"coverage": METRIC | {"value": coverage, "holds": blessed}}
        folder = self.path(made["evaluation"])
        (folder / "metrics.json").write_text(json.dumps(tree))
        (folder / "report.html").write_text(f'<!doctype html><img alt="" src="{PNG}">')
        inputs = pick(made, "model", "evaluation") | {"model_blessing": made["blessing"]}
        made |= self.execute("ServingValidator", inputs, {"infra_blessing": "InfraBlessing"}, source="c4")
        inputs = {"model_blessing": made["blessing"]} | pick(made, "infra_blessing")
        made |= self.execute("Pusher", inputs, {"pushed_model": "PushedModel"})
        if push and blessed:
            destination = self.root / "serving" / experiment.name / str(1000 + made["pushed_model"])
            save_model(destination, experiment)
            self.tell(made["pushed_model"], pushed=1, pushed_destination=str(destination))
            made["destination"] = destination
        return made


def save_model(directory: Path, experiment: Experiment) -> None:
    """What a saved model tells of itself."""
    extra = directory / "assets.extra"
    extra.mkdir(parents=True)
    (extra / "experiment.json").write_text(experiment.to_json(("format", "name", "data", "scheme", "training")))
    record = {"seed": 0, "step": 10, "examples": "e0", "source": "m0", "python": "3.11.7", "tensorflow": "2.21.0"}
    (extra / "record.json").write_text(json.dumps(record | {"machine": "x86_64"}))


def pick(tree: dict, *keys: str) -> dict:
    """These of its keys."""
    return {key: tree[key] for key in keys}
