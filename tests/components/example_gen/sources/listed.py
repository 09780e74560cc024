"""What a source gives, as lists."""

from components.example_gen.sources.source import SPLITS, TRAINED, open_source
from models.config import Images

NAMES = {SPLITS: None, TRAINED: "train"}
"""Sides of a divided shard -> how the tests name it; a shard that is not divided has the name of its split."""


def items(source):
    opened = open_source(source)
    return [
        (NAMES.get(shard.sides, shard.sides[0]), item)
        for shard in opened.shards()
        for item in opened.read(shard, data=Images())
    ]


def heads(source):
    opened = open_source(source)
    return [(head.key, head.label) for shard in opened.shards() for head in opened.heads(shard, data=Images())]
