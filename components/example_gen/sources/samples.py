"""Images that another system made, read as safely as a source's."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from components.example_gen.images import BadImage, Picture, read_picture
from components.example_gen.ingest import to_example
from components.example_gen.sources.folder import Folder
from components.example_gen.sources.source import Fault, Raw
from models.config import OneSource


class Samples(NamedTuple):
    """What a folder of samples holds."""

    images: int
    resolution: int
    """Pixels a side of each image."""
    labelled: bool


def open_samples(directory: str) -> Folder:
    """The folder of the samples. Raises ValueError where there is none or it has no image."""
    folder = Folder(directory)
    try:
        folder.check()
        folder.check_labels()
    except ValueError as error:
        raise ValueError(str(error).replace("source folder:", "--samples ", 1)) from None
    return folder


def write_samples(
    folder: Folder,
    output: Path,
    *,
    classes: Sequence[str],
    data: OneSource,
    progress: Callable[[int, int], None] = lambda done, count: None,
) -> Samples:
    """Writes the examples of a folder of images, whose subfolders, if there are any, are the classes asked for.

    Args:
        folder: of `open_samples`.
        output: the gzip TFRecord of tf.Example to write, as `ingest` writes them.
        classes: names of the classes of the real images in the order of their labels.
        data: its `pixel_limit` holds for each image.
        progress: is told how many images were read, and of how many.

    Raises:
        ValueError: an image is bad, no square, or of another size than the first;
            a subfolder is no class. One line.
    """
    named = folder.classes()
    strange = [name for name in named if name not in classes]
    if strange:
        raise ValueError(
            f"subfolders of samples are classes of the real images, {', '.join(classes[:20]) or 'which have none'}; "
            f"received {', '.join(strange[:20])}. Without subfolders, images are judged without classes"
        )
    total = sum(len(shard.part.files) for shard in folder.shards())
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    size, count = 0, 0
    with tf.io.TFRecordWriter(str(output), options) as writer:
        for name, picture in _pictures(folder, data):
            if picture.height != picture.width or size not in (0, picture.height):
                others = f", where those before it have {size} x {size}" if size else ""
                raise ValueError(
                    f"samples are squares of one size; {name} has {picture.width} x {picture.height} pixels{others}"
                )
            size, count = picture.height, count + 1
            label = None if picture.label is None else classes.index(named[picture.label])
            writer.write(to_example(picture._replace(label=label)).SerializeToString())
            progress(count, total)
    return Samples(count, size, bool(named))


def _pictures(folder: Folder, data: OneSource) -> Iterator[tuple[str, Picture]]:
    """Every image with its path; the first bad one ends it."""
    for shard in folder.shards():
        for item in folder.read(shard, data=data):
            if isinstance(item, Fault):
                raise ValueError(f"each sample is a sound image; {item}")
            if isinstance(item, Raw):
                try:
                    yield item.name, read_picture(item.content, item.label, pixel_limit=data.pixel_limit)
                except BadImage as error:
                    raise ValueError(f"each sample is a sound image; {item.name} {error}") from None
