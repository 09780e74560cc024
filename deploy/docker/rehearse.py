"""Carries out a Dockerfile without Docker: each step in a fresh Debian root, by chroot.

    sudo python3 deploy/docker/rehearse.py --root /var/tmp/ganworks-root

Needs root and debootstrap. All stages share the one root, so what it shows is that every RUN succeeds as its user, with
what COPY brought, on a Debian of the base's suite; not that a stage copied all it needs from another, nor what a base
image holds beyond debootstrap's minimum.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
BASE = re.compile(r"FROM debian:(\w+)-slim")
CHROOT = shutil.which("chroot") or "chroot"
"""Found here: the PATH of a step is that of the image."""

PASSED_ON = ("PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
"""Variables of this machine that a network may need."""


def main() -> int:
    """Returns 0 where every step succeeded; the first that fails ends it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--root", type=Path, required=True, help="the folder to make, which must not be there")
    parser.add_argument("--file", type=Path, default=HERE / "Dockerfile")
    parser.add_argument("--certificates", type=Path, help="PEM of who signed what this network answers with")
    parser.add_argument("--keep", action="store_true", help="leaves the root for a look")
    options = parser.parse_args()
    steps = list(instructions(options.file.read_text()))
    suite = next(match[1] for line in steps if (match := BASE.match(line)))
    options.root.mkdir(parents=True)
    try:
        run("debootstrap", "--variant=minbase", suite, str(options.root))
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", options.root / "etc")
        if options.certificates:
            shutil.copy(options.certificates, options.root / "etc/certificates.pem")
        run("mount", "-t", "proc", "proc", str(options.root / "proc"))
        try:
            carry_out(steps, options.root, {"PIP_CERT": "/etc/certificates.pem"} if options.certificates else {})
        finally:
            # a mount that is still there would be emptied with the root
            run("umount", str(options.root / "proc"))
    finally:
        if not options.keep and not (options.root / "proc").is_mount():
            shutil.rmtree(options.root, ignore_errors=True)
    sys.stdout.write("every step succeeded\n")
    return 0


def instructions(text: str) -> Iterator[str]:
    """The instructions, each on one line, without comments."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    yield from re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()


def carry_out(steps: list[str], root: Path, more: dict[str, str]) -> None:
    """Does what each step says, with these variables beside those of the file."""
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **more}
    environment |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    folder, user = "/", "0"
    for step in steps:
        word, _, rest = step.partition(" ")
        began = time.monotonic()
        if word == "FROM":
            folder, user, environment["HOME"] = "/", "0", "/root"
        elif word == "WORKDIR":
            folder = rest
            (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "USER":
            user = rest
            environment["HOME"] = home(root, user)
        elif word == "ENV":
            environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for source in sources:
                copy(PROJECT / source, root / folder.lstrip("/") / target)
        elif word == "RUN":
            inside = f"cd {shlex.quote(folder)} && {rest}"
            run(
                CHROOT,
                f"--userspec={user}:{user}",
                str(root),
                "/bin/bash",
                "-o",
                "pipefail",
                "-c",
                inside,
                **environment,
            )
        sys.stdout.write(f"{time.monotonic() - began:7.1f} s  {step[:100]}\n")
        sys.stdout.flush()


def home(root: Path, user: str) -> str:
    """Of the user of this number, which Docker sets likewise."""
    lines = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()]
    return next((line[5] for line in lines if line[2] == user), "/")


def copy(source: Path, target: Path) -> None:
    """As COPY does: what is in a folder into a folder, a file into a folder."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def run(*command: str, **environment: str) -> None:
    """Runs a command; its output is shown where it fails."""
    done = subprocess.run(  # noqa: S603 - the steps of our own Dockerfile
        command, env=environment or None, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nerror: {' '.join(command)[:300]} ended with {done.returncode}")


if __name__ == "__main__":
    sys.exit(main())
