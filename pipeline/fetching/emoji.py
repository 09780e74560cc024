"""Emoji in four styles, drawn from their SVG: one folder a style, the same file names in each."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from pipeline.fetching.registries import Artefact, Progress

SIDE = 64
"""Pixels of a picture; networks see it made smaller, or as it is."""

STYLES = {
    "noto": Artefact(
        "npm",
        "@iconify-json/noto",
        "1.2.9",
        "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
        3_102_958,
    ),
    "twemoji": Artefact(
        "npm",
        "@iconify-json/twemoji",
        "1.2.5",
        "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7",
        1_555_888,
    ),
    "openmoji": Artefact(
        "npm",
        "@iconify-json/openmoji",
        "1.2.29",
        "03181e2c156cab35cf4a62f1f7886bd971d59212e75ac3f189d5a4cae3930fc5",
        1_264_633,
    ),
    "fluent": Artefact(
        "npm",
        "@iconify-json/fluent-emoji-flat",
        "1.2.6",
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
        1_172_438,
    ),
}


def draw_emoji(files: Sequence[Path], target: Path, progress: Progress) -> None:
    """Draws every emoji that all styles have, on white, to STYLE/CODE-POINTS.png.

    Args:
        files: the packages, in the order of STYLES.
        target: an empty folder.
        progress: is told of the pictures.

    Raises:
        ValueError: the package that draws SVG is not installed; a package does not hold what it should.
    """
    sets = {style: _icons(file) for style, file in zip(STYLES, files, strict=True)}
    shared = sorted(set.intersection(*(set(chars) for _, chars in sets.values())))
    done, total = 0, len(shared) * len(sets)
    for style, (icons, chars) in sets.items():
        (target / style).mkdir()
        for code_points in shared:
            picture = _drawn(_svg(icons, chars[code_points]))
            picture.save(target / style / f"{code_points}.png")
            done += 1
            progress(done, total)


def _icons(package: Path) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """The icons of a package, and the name of each by its code points, such as 1f44d-1f3fd."""
    with tarfile.open(package) as archive:
        found = []
        for name in ("icons.json", "chars.json"):
            try:
                member = archive.extractfile(f"package/{name}")
            except KeyError:
                member = None
            if member is None:
                raise ValueError(f"{package.name} must hold {name}; it has none")
            found.append(json.load(member))
    return found[0], found[1]


def _svg(icons: Mapping[str, Any], name: str) -> str:
    """The drawing of an icon; an alias may be the mirror image of another."""
    mirrored = False
    while name in icons.get("aliases", {}):
        alias = icons["aliases"][name]
        if strange := alias.keys() - {"parent", "hFlip"}:
            raise ValueError(f"icons are drawn as they are or mirrored; {name} has {', '.join(sorted(strange))}")
        mirrored ^= alias.get("hFlip", False)
        name = alias["parent"]
    icon = icons["icons"][name]
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    body = icon["body"]
    if mirrored:
        body = f'<g transform="translate({width} 0) scale(-1 1)">{body}</g>'
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {names} viewBox="0 0 {width} {height}" width="{SIDE}" height="{SIDE}">{body}</svg>'


def _drawn(svg: str) -> Image.Image:
    try:
        import resvg_py
    except ModuleNotFoundError:
        raise ValueError(
            "emoji are drawn by the package resvg-py, which is not installed: make setup, or pip install resvg-py"
        ) from None
    # none has text, and looking for fonts costs more than drawing
    content = resvg_py.svg_to_bytes(svg_string=svg, background="white", skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(content))).convert("RGB")
