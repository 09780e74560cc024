"""Photographs of several sizes, for super-resolution: to train on, to choose by, and five that are never trained on."""

import hashlib
import importlib.resources
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from pipeline.fetching.registries import Artefact, Progress, run

PACKAGES = (
    Artefact(
        "apt",
        "lomiri-wallpapers-16.04",
        sha256="a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab",
        size=15_783_184,
    ),
    Artefact(
        "apt",
        "mate-backgrounds",
        sha256="7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04",
        size=46_638_500,
    ),
    Artefact(
        "apt",
        "plasma-workspace-wallpapers",
        sha256="32cd18b71c8c938a18b3b351f217c02ac590e323caa3cf322fbb875ce8892f8b",
        size=94_047_772,
    ),
)
PLACES = (
    "usr/share/backgrounds/*.jpg",
    "usr/share/backgrounds/mate/nature/*.jpg",
    "usr/share/wallpapers/*/contents/images/2560x1600.jpg",
)
"""Where each package has its photographs."""

DRAWN = ("Autumn", "umang_by_Abhishek_Mudgal")
"""Pictures among them that are no photographs."""

VAL = ("picosdeeuropa_by_Aitzol_Berasategi", "LadyBird", "EveningGlow")
"""Photographs to choose by."""

TEST = {
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}
"""Photographs of scikit-image that judge: file -> SHA-256."""

SIDE = 96
"""The side of the squares that photographs to choose and judge by are cut into, pixels."""

MOST_PIXELS = 2_000_000


def cut_photographs(files: Sequence[Path], target: Path, progress: Progress) -> None:
    """Makes photographs smaller, so that nothing is left of JPEG's blocks, and cuts those that judge into squares.

    Args:
        files: the packages.
        target: an empty folder; receives train/ with whole photographs, val/ and test/ with squares of SIDE pixels
            that share none, as PNG.
        progress: is told of the photographs.

    Raises:
        ValueError: a package does not hold what it should, or cannot be unpacked.
    """
    for split in ("train", "val", "test"):
        (target / split).mkdir()
    found = list(_unpacked(files))
    lacking = [name for name in (*VAL, *DRAWN) if name not in dict(found)]
    if lacking:
        raise ValueError(f"the packages must hold the picture {lacking[0]}; it is in none")
    kept = [(name, path) for name, path in found if name not in DRAWN]
    for number, (name, path) in enumerate(kept):
        made = _reduced(Image.open(path))
        if name in VAL:
            _cut(made, target / "val", name)
        else:
            made.save(target / "train" / f"{name}.png")
        progress(number + 1, len(kept) + len(TEST))
    for name, image in _of_scikit_image():
        _cut(image, target / "test", name)
    progress(1, 1)


def _unpacked(files: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """The pictures of all packages, by name."""
    for file, place in zip(files, PLACES, strict=True):
        run(["dpkg-deb", "-x", file.name, "unpacked"], file.parent, needs="dpkg-deb, of Debian or Ubuntu")
        for path in sorted((file.parent / "unpacked").glob(place)):
            # the third package has a folder a picture
            yield (path.parents[2].name if path.parent.name == "images" else path.stem), path


def _reduced(image: Image.Image) -> Image.Image:
    """A photograph of at most MOST_PIXELS, each the mean of at least 2 x 2 of the file's."""
    factor = max(2, math.ceil(math.sqrt(image.width * image.height / MOST_PIXELS)))
    return image.convert("RGB").reduce(factor)


def _cut(image: Image.Image, folder: Path, name: str) -> None:
    """Writes the squares of a photograph, around its middle."""
    columns, rows = image.width // SIDE, image.height // SIDE
    left, top = (image.width - columns * SIDE) // 2, (image.height - rows * SIDE) // 2
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * SIDE, top + row * SIDE
            image.crop((x, y, x + SIDE, y + SIDE)).save(folder / f"{name}-{row:02}-{column:02}.png")


def _of_scikit_image() -> Iterator[tuple[str, Image.Image]]:
    """The photographs that judge, as they are."""
    folder = importlib.resources.files("skimage") / "data"
    for name, digest in TEST.items():
        content = (folder / name).read_bytes()
        received = hashlib.sha256(content).hexdigest()
        if received != digest:
            raise ValueError(f"{name} of scikit-image must have the SHA-256 {digest}; received {received}")
        with (folder / name).open("rb") as file:
            yield name.partition(".")[0], Image.open(file).convert("RGB")
