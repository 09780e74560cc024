"""The report that ingestion writes beside the examples, for the stages and commands that read it."""

import collections
import json
from collections.abc import Iterable
from typing import NamedTuple

import tensorflow as tf

from components.example_gen.notes import REPORT_FILES, Notes
from components.example_gen.notes import merged as merged_notes
from components.example_gen.notes import read as read_notes
from components.example_gen.sources.source import Fault
from models.config import Data

NAMED_FAULTS = 20


class Report(NamedTuple):
    """What was read.

    Attributes:
        counts: sound examples by split.
        bad: images that were not sound.
        faults: the first of these, by name.
        by_class: label, as text -> split -> examples.
        depths: channels, as text -> images.
        notes: what was done to the files, and what was passed over.
        keys: the two smallest keys that differ: one is there where all images are identical.
    """

    counts: dict[str, int]
    bad: int
    faults: list[Fault]
    by_class: dict[str, dict[str, int]] = {}  # noqa: RUF012 - a tuple's default, never changed
    depths: dict[str, int] = {}  # noqa: RUF012 - as above
    notes: Notes = {}  # noqa: RUF012 - as above
    keys: tuple[str, ...] = ()

    @classmethod
    def merged(cls, reports: Iterable["Report"]) -> "Report":
        """The sum of several."""
        counts: collections.Counter[str] = collections.Counter()
        depths: collections.Counter[str] = collections.Counter()
        bad, faults = 0, list[Fault]()
        by_class: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        told: list[Notes] = []
        keys: tuple[str, ...] = ()
        for report in reports:
            counts.update(report.counts)
            depths.update(report.depths)
            bad += report.bad
            faults = sorted(faults + report.faults)[:NAMED_FAULTS]
            for name, numbers in report.by_class.items():
                by_class[name].update(numbers)
            told = [merged_notes([*told, report.notes])]
            keys = tuple(sorted({*keys, *report.keys})[:2])
        classes = {name: dict(numbers) for name, numbers in by_class.items()}
        return cls(dict(counts), bad, faults, classes, dict(depths), merged_notes(told), keys)

    def to_json(self, classes: list[str]) -> str:
        """The report with the names of the classes."""
        return json.dumps({**self._asdict(), "classes": classes}, indent=2)


def read_reports(directory: str, data: Data) -> list[Report]:
    """What `ingest` found of each of `data.sources`, from where it wrote."""
    reports = []
    for name in REPORT_FILES[: len(data.sources)]:
        with tf.io.gfile.GFile(tf.io.gfile.join(directory, name)) as file:
            tree = json.load(file)
        faults = [Fault(*each) for each in tree["faults"]]
        more = {"depths": tree.get("depths", {}), "notes": read_notes(tree), "keys": tuple(tree.get("keys", ()))}
        reports.append(Report(tree["counts"], tree["bad"], faults, tree["by_class"], **more))
    return reports
