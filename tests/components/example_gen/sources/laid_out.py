"""Images below a folder, and what is found there."""

from pathlib import Path

from components.example_gen.sources.source import Fault, open_source
from models.config import Images
from tests.components.images import image_file, noise


def png(seed: int = 0) -> bytes:
    return image_file(noise(seed, 6, 5, 3))


def write(root: Path, *names: str) -> Path:
    """Images of noise, a picture of its own each."""
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(number))
    return root


def found(source: str) -> dict[str, tuple[tuple[str, ...], int | None]]:
    """Name below the source -> sides and label, of each image that is read."""
    opened = open_source(source)
    place = source.partition(":")[2]
    return {
        item.name.removeprefix(f"{place}/"): (shard.sides, item.label)
        for shard in opened.shards()
        for item in opened.read(shard, data=Images())
        if not isinstance(item, Fault)
    }


def faults(source: str) -> list[str]:
    opened = open_source(source)
    return [
        str(item) for shard in opened.shards() for item in opened.read(shard, data=Images()) if isinstance(item, Fault)
    ]
