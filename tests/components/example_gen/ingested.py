"""Runs of ingestion, and what is read of them."""

from components.example_gen.ingest import ingest
from components.example_gen.sources.source import SPLITS
from models.config import Images, Points, Stacked, Unpaired
from tests.components.images import make_pipeline, read_split


def run(source, directory, unpaired=None, **settings):
    directory.mkdir(exist_ok=True)
    variant = {"mixture": Points, "stacked": Stacked}.get(source.partition(":")[0], Images)
    data = variant(source=source, **settings)
    if unpaired:
        data = Unpaired(input=data, target=variant(source=unpaired, **settings | {"classes": 0}))
    report = ingest(data, str(directory), make_pipeline)
    return report, {split: read_split(directory, split) for split in SPLITS}


def together(splits):
    return [example for examples in splits.values() for example in examples]


def by_bytes(examples):
    return sorted((one["target/encoded"], one.get("label")) for one in examples)
