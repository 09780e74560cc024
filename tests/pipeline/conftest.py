"""Compiled pipelines: each is compiled once for all tests that read it."""

from collections.abc import Callable
from pathlib import Path

import pytest

CLUSTER = {"root": "gs://bucket/runs", "image": "registry/ganworks:1"}


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Callable[..., Path]:
    """Returns the file that an experiment (`tiny` by default) is compiled to; not to be changed."""
    files: dict[tuple[str, str, str], Path] = {}

    def compiled(experiment=None, spec="2.1", suffix=".json") -> Path:
        from pipeline.experiments import TINY
        from pipeline.kubeflow_runner import compile_pipeline

        experiment = experiment or TINY
        key = (experiment.to_json(), spec, suffix)
        if key not in files:
            file = tmp_path_factory.mktemp("compiled") / f"pipeline{suffix}"
            compile_pipeline(experiment, file, spec=spec, **CLUSTER)
            files[key] = file
        return files[key]

    return compiled
