"""Files of pairs, and how they are read and ingested."""

import json

import numpy as np

from components.example_gen.aligned import Row, read_row
from components.example_gen.images import BadImage
from components.example_gen.ingest import ingest
from components.example_gen.sources.source import SPLITS, TRANSFER, open_source, split_key
from models.config import Pairs
from tests.components.images import decode, image_file, make_pipeline, noise, read_split

COUNT = 24


def picture(number: int, side: str, size: int = 8) -> np.ndarray:
    """Noise, where the first pixel of A and of B says the number of the pair, and the second which of them it is."""
    pixels = noise(2 * number + (side == "B"), size, size, 3)
    pixels[0, 0], pixels[0, 1] = number, 255 * (side == "B")
    return pixels


def write_folders(root, count=COUNT, names=("A", "B"), name="{number}.png", endings=("png", "png")):
    """root/A/N.png and root/B/N.png."""
    for folder, side, ending in zip(names, "AB", endings, strict=True):
        for number in range(count):
            path = root / folder / name.format(number=number)
            path = path.with_suffix(f".{ending}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image_file(picture(number, side)))
    return root


def write_halves(root, count=COUNT, **options):
    """root/N.png, A to the left of B."""
    root.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        both = np.concatenate([picture(number, "A"), picture(number, "B")], axis=1)
        (root / f"{number}.png").write_bytes(image_file(both, **options))
    return root


def run(root, out, **settings):
    """Ingests; the report, and the examples by split."""
    out.mkdir(exist_ok=True)
    source = settings.pop("source", f"folder:{root}")
    ingest(Pairs(**{"resolution": 8, "eval_share": 0.3} | settings, source=source), str(out), make_pipeline)
    tree = json.loads((out / "ingest.json").read_text())
    return tree, {split: read_split(out, split) for split in (*SPLITS, TRANSFER)}


def rows(data: Pairs) -> list[Row | str]:
    """Each pair of a source in the order of its place, or what is wrong with it; without a pipeline."""
    return [each for _, each in sorted(read(data))]


def keys(data: Pairs) -> dict[str, bytes]:
    """The place of each pair -> the key by which it gets its split."""
    opened = open_source(data)
    items = [item for shard in opened.shards() for item in opened.read(shard, data=data)]
    return {item.place: split_key(item, read_row(item, data).key, data) for item in items}


def read(data):
    opened = open_source(data)
    for shard in opened.shards():
        for item in opened.read(shard, data=data):
            try:
                yield item.place, read_row(item, data)
            except BadImage as error:
                yield item.place, f"{item.name} {error}"


def numbers(examples) -> list[int]:
    """The pair of each example, by its target."""
    return sorted(int(decode(each["target/encoded"])[0, 0, 0]) for each in examples)


def check_aligned(by_split, taken="A", drawn="B"):
    """Each example has the two images of one pair, pixel by pixel, and each pair is there once."""
    examples = [each for split in by_split.values() for each in split]
    for each in examples:
        found = {role: decode(each[f"{role}/encoded"]) for role in ("input", "target")}
        number = int(found["input"][0, 0, 0])
        np.testing.assert_array_equal(found["input"], picture(number, taken))
        np.testing.assert_array_equal(found["target"], picture(number, drawn))
        assert each["input/height"] == each["target/width"] == 8
    assert numbers(examples) == list(range(COUNT))
