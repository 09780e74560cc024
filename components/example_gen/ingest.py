"""Reads a source into the examples of a pipeline."""

import collections
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import apache_beam as beam
import tensorflow as tf
from absl import logging

from components.example_gen.images import BadImage, Picture, header_channels, read_picture
from components.example_gen.sources import EVAL, TRAIN, Fault, Raw, Shard, Source, open_source
from models.config import Data

SPLITS = (TRAIN, EVAL)
REPORT_FILE = "ingest.json"
NAMED_FAULTS = 20
_REPORT = "report"


class Report(NamedTuple):
    """What was read: sound images by split, bad ones, and the first of these by name."""

    counts: dict[str, int]
    bad: int
    faults: list[Fault]

    @classmethod
    def merged(cls, reports: Iterable["Report"]) -> "Report":
        """The sum of several."""
        counts: collections.Counter[str] = collections.Counter()
        bad, faults = 0, list[Fault]()
        for report in reports:
            counts.update(report.counts)
            bad += report.bad
            faults = sorted(faults + report.faults)[:NAMED_FAULTS]
        return cls(dict(counts), bad, faults)

    def to_json(self, classes: list[str]) -> str:
        """The report with the names of the classes."""
        return json.dumps({**self._asdict(), "classes": classes}, indent=2)


def ingest(data: Data, directory: str, make_pipeline: Callable[[], beam.Pipeline]) -> Report:
    """Writes the images of `data.source` as gzip TFRecords of tf.Example, split into train and eval.

    An example has `image/encoded` (PNG or JPEG), `image/height`, `image/width`, `image/channels` and, where the source
    has one, `label`. Whatever is wrong, no file is left below `directory`.

    Args:
        data: the source, its split and its limits.
        directory: where Split-train/, Split-eval/ and ingest.json are written.
        make_pipeline: makes the Beam pipeline that does it.

    Returns:
        The counts, and the first faults; the same, with the classes' names, is in ingest.json.

    Raises:
        ValueError: the source is missing or unusable, more of it is bad than `data.bad_image_tolerance` allows, or a
            split is empty. One line.
    """
    source = open_source(data.source)
    with _nothing_left_behind(directory):
        report_path = tf.io.gfile.join(directory, REPORT_FILE)
        with make_pipeline() as pipeline:
            _build(pipeline, source, data, directory, report_path)
        with tf.io.gfile.GFile(report_path) as file:
            tree = json.load(file)
        report = Report(tree["counts"], tree["bad"], [Fault(*fault) for fault in tree["faults"]])
        _judge(report, data)
    return report


def _build(pipeline: beam.Pipeline, source: Source, data: Data, directory: str, report_path: str) -> None:
    shards = (
        pipeline
        | "Source" >> beam.Create([None])
        | "Shards" >> beam.FlatMap(lambda _: source.shards())
        | "Spread" >> beam.Reshuffle()
    )
    channels: Any = source.channels
    if channels is None:
        channels = beam.pvalue.AsSingleton(
            shards
            | "Headers" >> beam.FlatMap(_census, source, data.pixel_limit)
            | "Count" >> beam.CombineGlobally(_sums)
            | "MostCommon" >> beam.Map(lambda sums: 1 if sums[0] >= sums[1] else 3)
        )
    parts = shards | "Read" >> beam.ParDo(_Read(source, data), channels).with_outputs(*SPLITS, _REPORT)
    for split in SPLITS:
        # No shuffle before the write: it would hold all images in memory on a local runner.
        prefix = tf.io.gfile.join(directory, f"Split-{split}", "data_tfrecord")
        _ = parts[split] | f"Write[{split}]" >> beam.io.WriteToTFRecord(prefix, file_name_suffix=".gz")
    _ = (
        parts[_REPORT]
        | "Sum" >> beam.CombineGlobally(Report.merged)
        | "Save" >> beam.Map(_save, report_path, source.classes())
    )


@beam.typehints.with_output_types(bytes)
class _Read(beam.DoFn):
    """Shards to serialized examples, by split, and a report a shard."""

    def __init__(self, source: Source, data: Data) -> None:
        self._source = source
        self._pixel_limit = data.pixel_limit
        self._eval_below = int(data.eval_share * 2**64)
        self._good = beam.metrics.Metrics.counter("ImageExampleGen", "images")
        self._bad = beam.metrics.Metrics.counter("ImageExampleGen", "bad_images")

    def process(self, shard: Shard, channels: int) -> Iterator[beam.pvalue.TaggedOutput]:
        counts = dict.fromkeys(SPLITS, 0)
        bad, faults = 0, list[Fault]()
        for item in self._source.read(shard, pixel_limit=self._pixel_limit):
            found = self._checked(item, channels)
            if isinstance(found, Fault):
                bad += found.images
                faults = sorted([*faults, found])[:NAMED_FAULTS]
                continue
            split = shard.split or self._split(found)
            counts[split] += 1
            yield beam.pvalue.TaggedOutput(split, to_example(found).SerializeToString())
        self._good.inc(sum(counts.values()))
        self._bad.inc(bad)
        yield beam.pvalue.TaggedOutput(_REPORT, Report(counts, bad, faults))

    def _checked(self, item: Raw | Picture | Fault, channels: int) -> Picture | Fault:
        if not isinstance(item, Raw):
            return item
        try:
            picture = read_picture(item.content, item.label, pixel_limit=self._pixel_limit)
        except BadImage as error:
            return Fault(item.name, str(error))
        if picture.channels != channels:
            return Fault(item.name, f"has {picture.channels} channels where most images have {channels}")
        return picture

    def _split(self, picture: Picture) -> str:
        return EVAL if int.from_bytes(picture.key[:8], "big") < self._eval_below else TRAIN


def to_example(picture: Picture) -> tf.train.Example:
    """A picture as the pipeline's examples hold it."""

    def integer(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    feature = {
        "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture.encoded])),
        "image/height": integer(picture.height),
        "image/width": integer(picture.width),
        "image/channels": integer(picture.channels),
    }
    if picture.label is not None:
        feature["label"] = integer(picture.label)
    return tf.train.Example(features=tf.train.Features(feature=feature))


def _census(shard: Shard, source: Source, pixel_limit: int) -> Iterator[tuple[int, int]]:
    """How many images of a shard have 1 channel, and how many 3."""
    counts: collections.Counter[int | None] = collections.Counter()
    for item in source.read(shard, pixel_limit=pixel_limit):
        if isinstance(item, Raw):
            counts[header_channels(item.content, pixel_limit=pixel_limit)] += 1
    yield counts[1], counts[3]


def _sums(counts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    pairs = list(counts)
    return sum(grey for grey, _ in pairs), sum(colour for _, colour in pairs)


def _save(report: Report, path: str, classes: list[str]) -> None:
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(report.to_json(classes))


def _judge(report: Report, data: Data) -> None:
    """Names what is bad in the log, and refuses too much of it."""
    total = report.bad + sum(report.counts.values())
    for fault in report.faults:
        logging.warning("bad image: %s", fault)
    if report.bad > data.bad_image_tolerance * total:
        more = f" and {len(report.faults) - 3} more in the log" if len(report.faults) > 3 else ""
        raise ValueError(
            f"source {data.source} has {report.bad} bad of {total} images, more than data.bad_image_tolerance of "
            f"{data.bad_image_tolerance:g} allows: {'; '.join(map(str, report.faults[:3]))}{more}"
        )
    if report.bad:
        logging.warning("skipped %d bad of %d images of %s", report.bad, total, data.source)
    for split in SPLITS:
        if not report.counts.get(split):
            raise ValueError(
                f"source {data.source} needs images in both splits; {split} has none of {total}, with data.eval_share "
                f"of {data.eval_share:g}"
            )


@contextmanager
def _nothing_left_behind(directory: str) -> Iterator[None]:
    """Removes what was written if anything goes wrong, for orchestrators that leave failed outputs in place."""
    try:
        yield
    except BaseException:
        for name in tf.io.gfile.listdir(directory) if tf.io.gfile.isdir(directory) else ():
            path = tf.io.gfile.join(directory, name)
            (tf.io.gfile.rmtree if tf.io.gfile.isdir(path) else tf.io.gfile.remove)(path)
        raise
