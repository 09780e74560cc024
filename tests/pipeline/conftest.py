"""Compiled pipelines: each is compiled once for all tests that read it."""

from collections.abc import Callable
from pathlib import Path

import pytest

CLUSTER = {"root": "gs://bucket/runs", "image": "registry/ganworks:1"}


def on_cluster(experiment):
    """The experiment, with weights of pretrained networks where a cluster reaches them."""
    settings = []
    if experiment.evaluation.extractor == "efficientnet_lite0":
        settings.append("evaluation.extractor_weights=gs://bucket/lite0.pth")
    if experiment.scheme.trained_on:
        settings.append("scheme.content.file=gs://bucket/squeezenet.h5")
    return experiment.override(settings) if settings else experiment


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Callable[..., Path]:
    """Returns the file that an experiment (`tiny` by default) is compiled to; not to be changed."""
    files: dict[tuple[str, str, str], Path] = {}

    def compiled(experiment=None, spec="2.1", suffix=".json") -> Path:
        from pipeline.experiments.named import TINY
        from pipeline.kubeflow_runner import compile_pipeline

        experiment = on_cluster(experiment or TINY)
        key = (experiment.to_json(), spec, suffix)
        if key not in files:
            file = tmp_path_factory.mktemp("compiled") / f"pipeline{suffix}"
            compile_pipeline(experiment, file, spec=spec, **CLUSTER)
            files[key] = file
        return files[key]

    return compiled
