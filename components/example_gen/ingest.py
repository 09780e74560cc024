"""Reads a source into the examples of a pipeline."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
import tensorflow as tf
from absl import logging

from components import preflight
from components.example_gen import census, near, notes
from components.example_gen.aligned import Aligned, Row
from components.example_gen.images import BadImage, Picture
from components.example_gen.report import NAMED_FAULTS, REPORT_FILES, Report, read_reports
from components.example_gen.rows import Rows
from components.example_gen.sources.source import (
    CHOOSE,
    EVAL,
    SPLITS,
    TRAIN,
    TRANSFER,
    Example,
    Fault,
    Point,
    Raw,
    Shard,
    Source,
    open_source,
    part_of,
    read_item,
    split_key,
)
from models.columns import GROUP, Value, kind_of
from models.config import Column, Data, OfImages, OfPairs, OneSource

Checked = Picture | Row | Point | Example

_REPORT, _PRINTS = "report", "prints"


def ingest(data: Data, directory: str, make_pipeline: Callable[[], beam.Pipeline]) -> Report:
    """Writes the examples of `data.sources` as gzip TFRecords of tf.Example, split into train, choose and eval.

    An example has the features of `data.columns`: of an image `target/encoded` (PNG or JPEG), `target/height`,
    `target/width` and `target/channels`, of a point `target/point`, two floats; `label` where there are classes. With
    two domains, `group` says which columns a row has: `input/...` or `target/...`; of separated pairs, a training row
    has one of them and a held-out row both. A choosing split without examples is not there; what `data.transfer` holds
    out is a split more. Whatever is wrong, no file is left below `directory`.

    Args:
        data: the sources, their split and their limits.
        directory: where Split-train/, Split-choose/, Split-eval/ and REPORT_FILES are written.
        make_pipeline: makes the Beam pipeline that does it.

    Returns:
        The counts of all sources, and the first faults; those of each, with the classes' names, are in REPORT_FILES.

    Raises:
        ValueError: a source is missing or unusable, more of it is bad than `data.bad_image_tolerance` allows, train or
            eval is empty or lacks a class, or there are not `data.classes` classes. One line.
    """
    sources = [open_source(domain) for domain in data.domains]
    for source, of_one in zip(sources, data.domains, strict=True):
        _check_split_by(source, of_one)
    if data.classes:
        sources[0].check_labels()
    preflight.check_labels(data, sources[0].classes())
    with _nothing_left_behind(directory):
        with make_pipeline() as pipeline:
            for domain, source in enumerate(sources):
                _ = pipeline | f"Domain{domain}" >> _Domain(source, data, domain, directory)
        reports = read_reports(directory, data)
        for of_one, report in zip(data.domains, reports, strict=True):
            _judge(of_one, report)
        preflight.check_classes(data, reports[0].by_class, sources[0].classes())
        choosing = [bool(report.counts.get(CHOOSE)) for report in reports]
        if not all(choosing):
            _drop_choose(data, directory, choosing)
    return Report.merged(reports)


def _check_split_by(source: Source, domain: OneSource) -> None:
    if isinstance(domain, OfImages) and domain.split_by != "content" and not source.files:
        raise ValueError(
            f"data.split_by={domain.split_by} is for images in files, of folder:, zip: and tar:; received "
            f"{domain.source}: set data.split_by=content"
        )


class _Domain(beam.PTransform):
    """Reads one source, and writes its examples and its report."""

    def __init__(self, source: Source, data: Data, domain: int, directory: str) -> None:
        super().__init__()
        self._source, self._data, self._domain, self._directory = source, data.domains[domain], domain, directory
        self._rows = Rows.of(data, domain)

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        source, data, path = self._source, self._data, functools.partial(tf.io.gfile.join, self._directory)
        labelled = any(column.role == "label" for column in self._rows.listed)
        shards = (
            begin
            | "Source" >> beam.Create([None])
            | "Shards" >> beam.FlatMap(lambda _: source.shards())
            | "Spread" >> beam.Reshuffle()
        )
        plan = (
            shards
            | "Headers" >> beam.Map(census.take, source, data, labelled=labelled)
            | "Count" >> beam.CombineGlobally(census.Census.merged)
            | "Plan" >> beam.Map(census.plan, source.channels, data)
        )
        read = _Read(source, data, self._rows)
        splits = splits_of(data)
        tags = (*splits, _REPORT, _PRINTS)
        parts = shards | "Read" >> beam.ParDo(read, beam.pvalue.AsSingleton(plan)).with_outputs(*tags)
        for split in splits:
            # No shuffle before the write: it would hold all images in memory on a local runner.
            prefix = path(f"Split-{split}", ("data_tfrecord", "target_tfrecord")[self._domain])
            _ = parts[split] | f"Write[{split}]" >> beam.io.WriteToTFRecord(prefix, file_name_suffix=".gz")
        duplicates = parts[_PRINTS] | "Gather" >> beam.combiners.ToList() | "Compare" >> beam.Map(_duplicates)
        target, listed, classes = path(REPORT_FILES[self._domain]), source.notes(), source.classes()
        return (
            parts[_REPORT]
            | "Sum" >> beam.CombineGlobally(Report.merged)
            | "Save" >> beam.Map(_save, target, classes, listed, beam.pvalue.AsSingleton(duplicates))
        )


@beam.typehints.with_output_types(bytes)
class _Read(beam.DoFn):
    """Shards to serialized examples, by split, and a report a shard."""

    def __init__(self, source: Source, data: OneSource, rows: Rows) -> None:
        self._source, self._data, self._rows = source, data, rows
        self._good = beam.metrics.Metrics.counter("ImageExampleGen", "images")
        self._bad = beam.metrics.Metrics.counter("ImageExampleGen", "bad_images")

    def process(self, shard: Shard, plan: census.Plan) -> Iterator[beam.pvalue.TaggedOutput]:
        report = Report(dict.fromkeys(splits_of(self._data), 0), 0, [], {}, {}, {})
        prints = list[near.Print]()
        bad, faults, smallest = 0, list[Fault](), set[str]()
        for item in self._source.read(shard, data=self._data):
            found = self._checked(item, plan)
            if isinstance(found, Fault):
                bad += found.images
                faults = sorted([*faults, found])[:NAMED_FAULTS]
                continue
            key = plan.key(split_key(item, found.key, self._data))
            side = plan.side(key, shard.sides, self._data)
            _count(report, found, side, getattr(item, "name", None))
            smallest = set(sorted({*smallest, found.key.hex()})[:2])
            if isinstance(found, Picture | Row) and found.thumbnail and isinstance(item, Raw | Aligned):
                prints.append(near.Print(found.key, found.thumbnail, item.name, side))
            columns, group = self._rows.row(key, side)
            yield beam.pvalue.TaggedOutput(side, to_example(found, columns, group).SerializeToString())
        if self._source.files and not plan.compared:
            notes.note(report.notes, "not_compared", count=sum(report.counts.values()))
        self._good.inc(sum(report.counts.values()))
        self._bad.inc(bad)
        if prints:
            yield beam.pvalue.TaggedOutput(_PRINTS, prints)
        yield beam.pvalue.TaggedOutput(_REPORT, report._replace(bad=bad, faults=faults, keys=tuple(sorted(smallest))))

    def _checked(self, item: Raw | Aligned | Checked | Fault, plan: census.Plan) -> Checked | Fault:
        if not isinstance(item, Raw | Aligned):
            return item
        try:
            found = read_item(item, self._data, thumbnail=self._source.files and plan.compared)
        except BadImage as error:
            return Fault(item.name, str(error))
        if self._data.split_by.startswith("name:") and part_of(item, self._data) is None:
            return Fault(item.name, f"has no part in its path that data.split_by={self._data.split_by} names")
        return self._fitting(item.name, found, plan) if isinstance(found, Picture) else found

    def _fitting(self, name: str, picture: Picture, plan: census.Plan) -> Picture | Fault:
        """The picture, or what is wrong with it beside others."""
        margin = getattr(self._data, "margin", None) or 0
        least = getattr(self._data, "crop", 1) + 2 * margin
        if min(picture.height, picture.width) < least:
            what = f"data.crop with its margins, {least}" if margin else f"data.crop of {least}"
            return Fault(name, f"has {picture.width} x {picture.height} pixels, fewer than {what}")
        if picture.channels != plan.channels and self._data.mixed_channels == "refuse":
            return Fault(name, f"has {picture.channels} channels where most images have {plan.channels}")
        if getattr(self._data, "fit", "") != "crop":
            handled = tuple(what for what in picture.handled if what != notes.CROPPED)
            return picture._replace(handled=handled)
        return picture


def splits_of(data: OneSource) -> tuple[str, ...]:
    """The splits that examples of these data may be in."""
    return (*SPLITS, TRANSFER) if getattr(data, "transfer", "") else SPLITS


def _count(report: Report, found: Checked, side: str, name: str | None) -> None:
    """Adds an example to a report, in place."""
    report.counts[side] += 1
    if found.label is not None:
        of_class = report.by_class.setdefault(str(found.label), {})
        of_class[side] = of_class.get(side, 0) + 1
    if isinstance(found, Picture | Row):
        depth = str(found.channels)
        report.depths[depth] = report.depths.get(depth, 0) + 1
    for picture in [found] if isinstance(found, Picture) else getattr(found, "pictures", {}).values():
        for what in picture.handled:
            kept = min(picture.height, picture.width) / max(picture.height, picture.width)
            of = f" to {100 * kept:.0f} %" if what == notes.CROPPED and name else ""
            notes.note(report.notes, what, name and name + of)


def _duplicates(prints: list[list[near.Print]]) -> notes.Notes:
    return near.notes_of(each for of_shard in prints for each in of_shard)


def to_example(item: Checked, columns: Sequence[Column] = (), group: int | None = None) -> tf.train.Example:
    """What a source gave as the pipeline's examples hold it.

    Args:
        item: what the source gave.
        columns: of its group; a target and its label by default.
        group: its number where there are several.
    """
    values: dict[str, Any] = {} if group is None else {GROUP: group}
    kind = "point" if isinstance(item, Point) else "image"
    for column in columns or (Column("target", kind), Column("label", "label")):
        whole = item.value if isinstance(item, Example) else item
        whole = item.pictures.get(column.role) if isinstance(item, Row) else whole
        value = item.label if column.role == "label" else whole
        # a source may lack a label that is asked for: validation says so, with all that is wrong
        values |= {} if value is None else kind_of(column).features(column, value)
    if item.label is not None and group is None:
        # classes that nothing trains on: `ganworks evaluate` counts them, and judges by them
        values.setdefault("label", item.label)
    return tf.train.Example(features=tf.train.Features(feature={name: _feature(each) for name, each in values.items()}))


def _feature(value: Value) -> tf.train.Feature:
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    return tf.train.Feature(float_list=tf.train.FloatList(value=value if isinstance(value, Sequence) else [value]))


def _save(report: Report, path: str, classes: list[str], *more: notes.Notes) -> None:
    report = report._replace(notes=notes.merged([*more, report.notes]))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(report.to_json(classes))


def _judge(domain: OneSource, report: Report) -> None:
    """Names what is bad in the log, and refuses too much of it."""
    source, total = domain.source, report.bad + sum(report.counts.values())
    tolerance = domain.bad_image_tolerance if isinstance(domain, OfImages) else 0
    what = "pairs" if isinstance(domain, OfPairs) else "images"
    for fault in report.faults:
        logging.warning("bad image: %s", fault)
    if report.bad > tolerance * total:
        more = f" and {len(report.faults) - 3} more in the log" if len(report.faults) > 3 else ""
        raise ValueError(
            f"source {source} has {report.bad} bad of {total} {what}, more than data.bad_image_tolerance of "
            f"{tolerance:g} allows: {'; '.join(map(str, report.faults[:3]))}{more}"
        )
    for line in notes.told(report._asdict(), domain.depth):
        logging.info("%s: %s", source, line)
    if report.bad:
        logging.warning("skipped %d bad of %d images of %s", report.bad, total, source)
    if len(report.keys) == 1 and total - report.bad > 1:
        raise ValueError(
            f"source {source} needs images that differ; all {total - report.bad:,} are identical: add others"
        )
    for split in (TRAIN, EVAL):
        if not report.counts.get(split):
            raise ValueError(
                f"source {source} needs images to train on and others to hold out; {split} has none of {total}: add "
                "images that differ"
            )


def _drop_choose(data: Data, directory: str, choosing: list[bool]) -> None:
    """Removes the empty files of a choosing split; one domain alone makes none."""
    if any(choosing):
        raise ValueError(
            f"a choosing split has images of both domains; {data.sources[choosing.index(False)]} has none there: add "
            "images to it, or set data.choose_share=0"
        )
    tf.io.gfile.rmtree(tf.io.gfile.join(directory, f"Split-{CHOOSE}"))


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
