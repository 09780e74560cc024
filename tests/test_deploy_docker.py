"""The image files against the project: no engine builds them here."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "deploy" / "docker"


def rehearse():
    """The module of that name, which is no package's."""
    spec = importlib.util.spec_from_file_location("rehearse", DOCKER / "rehearse.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pinned(name: str) -> dict[str, str]:
    """Package -> version of a lock."""
    return dict(re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", (ROOT / name).read_text(), re.M))


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.gpu"])
def test_what_is_copied_is_there_and_not_ignored(name):
    steps = list(rehearse().instructions((DOCKER / name).read_text()))
    copied = [
        source
        for step in steps
        if step.startswith("COPY") and "--from" not in step
        for source in step.removeprefix("COPY ").split()[:-1]
    ]
    assert copied
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    for source in copied:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_all_packages_are_in_the_image():
    (found,) = re.findall(r"find_packages\(include=\[(.*)\]\)", (ROOT / "setup.py").read_text())
    packages = set(re.findall(r'"(\w+)\*"', found))
    steps = rehearse().instructions((DOCKER / "Dockerfile").read_text())
    assert {step.split()[1] for step in steps if re.fullmatch(r"COPY (\w+) \1", step)} == packages


def test_tensorflow_computes_in_a_container_as_by_the_command_line():
    steps = rehearse().instructions((DOCKER / "Dockerfile").read_text())
    assert any(step.startswith("ENV") and "TF_ENABLE_ONEDNN_OPTS=1" in step.split() for step in steps)


def test_a_step_of_several_lines_is_one():
    text = "# a word\nFROM debian:bookworm-slim AS x\nRUN one \\\n    # in between\n    && two\n"
    assert list(rehearse().instructions(text)) == ["FROM debian:bookworm-slim AS x", "RUN one && two"]


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.gpu"])
def test_no_task_runs_as_root(name):
    users = [step for step in rehearse().instructions((DOCKER / name).read_text()) if step.startswith("USER")]
    assert users[-1] == "USER 10001"


def test_the_image_for_gpus_has_the_same_versions():
    whole, gpu = pinned("requirements.lock"), pinned("requirements-gpu.lock")
    more = gpu.keys() - whole.keys()
    assert more
    assert all(name.startswith("nvidia-") for name in more)
    assert {name: gpu[name] for name in gpu.keys() - more} == {name: whole[name] for name in gpu.keys() - more}
