"""Data sets of TensorFlow Datasets, as it prepares them on disk."""

import functools
import os
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import tensorflow_datasets as tfds

from components.example_gen.sources.source import CHOOSE, EVAL, SPLITS, TRAIN, TRAINED, Raw, Shard, Source, file_lines
from models.config import OneSource

VALIDATION, TEST = "validation", "test"


class Part(NamedTuple):
    """A range of a TFDS split: what one of its files holds."""

    split: str
    start: int
    stop: int


class Prepared(Source):
    """`tfds:NAME[/CONFIG]`: prepares the data set where that has not been done, then reads its files as they are.

    Validation is choose and test is eval. Where one of them is missing, or test has no labels, the other is eval and
    choose is a share of train; with neither, train is split by hash. The folder is TFDS's own: TFDS_DATA_DIR, or
    tensorflow_datasets in the home directory.
    """

    def __init__(self, argument: str) -> None:
        self.name = argument
        # Kept, as workers may run in another environment.
        self.data_dir = os.environ.get("TFDS_DATA_DIR")

    def check(self) -> None:
        """Prepares the data set. Raises ValueError where there is none, or it has no train split or no image."""
        builder = self._builder()
        try:
            builder.download_and_prepare()
        except Exception as error:
            reason = (str(error).splitlines() or [""])[0]
            raise ValueError(
                f"source tfds:{self.name} is not prepared in {builder.data_dir}, and preparing it failed: "
                f"{type(error).__name__}: {reason}"
            ) from error
        if TRAIN not in builder.info.splits:
            raise ValueError(f"source tfds:{self.name} needs a split train; it has {', '.join(builder.info.splits)}")
        self._image_and_label()

    @property
    def channels(self) -> int | None:  # type: ignore[override]
        """What the data set declares; None leaves it to each image."""
        image, _ = self._image_and_label()
        declared = self._builder().info.features[image].shape[-1]
        return declared if declared in (1, 3) else None

    def shards(self) -> Iterator[Shard]:
        """The files of each split."""
        splits = self._builder().info.splits
        for name, sides in self._sides(splits).items():
            start = 0
            for count in splits[name].shard_lengths:
                if count:
                    yield Shard(sides=sides, part=Part(name, start, start + count))
                start += count

    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Raw]:
        """The image files that the data set's records hold."""
        part: Part = shard.part
        image, label = self._image_and_label()
        only = {image: True} | ({label: True} if label else {})
        records = self._builder().as_dataset(
            split=tfds.core.ReadInstruction(part.split, from_=part.start, to=part.stop, unit="abs"),
            decoders=tfds.decode.PartialDecoding(only, decoders={image: tfds.decode.SkipDecoding()}),
        )
        for number, record in enumerate(records.as_numpy_iterator(), part.start):
            yield Raw(f"tfds:{self.name} {part.split}[{number}]", record[image], int(record[label]) if label else None)

    def fingerprint(self) -> str:
        """Version, and names, sizes and times of the prepared files."""
        builder = self._builder()
        files = sorted(path.name for path in builder.data_path.iterdir())
        return f"{builder.info.full_name}\n{file_lines(str(builder.data_dir), files)}"

    def classes(self) -> list[str]:
        """The names of the label feature."""
        _, label = self._image_and_label()
        return list(self._builder().info.features[label].names) if label else []

    def _sides(self, splits: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The splits of the data set that are read, and what becomes of each."""
        if VALIDATION in splits and TEST in splits and self._labelled(TEST):
            return {TRAIN: (TRAIN,), VALIDATION: (CHOOSE,), TEST: (EVAL,)}
        held_out = next((name for name in (VALIDATION, TEST) if name in splits), None)
        return {TRAIN: TRAINED, held_out: (EVAL,)} if held_out else {TRAIN: SPLITS}

    def _labelled(self, split: str) -> bool:
        """True where a split's first example has the label that it needs: some test splits are published without."""
        _, label = self._image_and_label()
        if label is None:
            return True
        records = self._builder().as_dataset(split=f"{split}[:1]", decoders=tfds.decode.PartialDecoding({label: True}))
        return all(int(record[label]) >= 0 for record in records.as_numpy_iterator())

    def _builder(self) -> Any:
        return _builder(self.name, self.data_dir)

    def _image_and_label(self) -> tuple[str, str | None]:
        """The feature that is an image and the one that is a class: those of supervised keys, else the only ones."""
        info = self._builder().info
        supervised = [key for key in info.supervised_keys or () if isinstance(key, str)]
        images = _of_type(info.features, tfds.features.Image)
        labels = _of_type(info.features, tfds.features.ClassLabel)
        image = next((key for key in supervised if key in images), images[0] if len(images) == 1 else None)
        if image is None:
            raise ValueError(
                f"source tfds:{self.name} needs one image feature; it has {', '.join(images) or 'none'} "
                f"among {', '.join(info.features)}"
            )
        label = next((key for key in supervised if key in labels), labels[0] if len(labels) == 1 else None)
        return image, label


@functools.lru_cache(maxsize=4)
def _builder(name: str, data_dir: str | None) -> Any:
    """A builder reads files when it is made, so each process keeps what it has."""
    try:
        return tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        raise ValueError(
            f"source tfds:{name} names no data set that TFDS knows: {str(error).splitlines()[0]}"
        ) from error


def _of_type(features: Any, kind: type) -> list[str]:
    return [key for key, feature in features.items() if isinstance(feature, kind)]
