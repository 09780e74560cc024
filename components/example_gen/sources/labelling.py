"""Labels that lie in a file beside the images: StyleGAN's `dataset.json`, and `metadata.jsonl` or `metadata.csv`."""

import csv
import io
import json
import posixpath
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

STYLEGAN = "dataset.json"
RECORDS = (STYLEGAN, "metadata.jsonl", "metadata.csv")
FILE, LABEL = "file_name", "label"
"""Columns that are read."""
SHOWN_COLUMNS = 20

Label = int | str


class Labelling(NamedTuple):
    """What a file of labels says.

    Attributes:
        record: the file.
        labels: path below the tree -> label; of a file without labels, empty.
        columns: what it holds and is not read.
    """

    record: str
    labels: dict[str, Label]
    columns: tuple[str, ...]


def read(record: str, read_record: Callable[[str], bytes], shown: str) -> Labelling | None:
    """Reads a file of labels; None where a file of this name is something else.

    Args:
        record: its path below a tree, with a name of RECORDS; the paths in it start at its folder.
        read_record: gives its content.
        shown: its name for people.

    Raises:
        ValueError: it is one and cannot be read, or gives an image two labels. One line.
    """
    try:
        text = read_record(record).decode("utf-8-sig")
        rows = _stylegan(text) if posixpath.basename(record) == STYLEGAN else _metadata(record, text)
        if rows is None:
            return None
        labels: dict[str, Label] = {}
        columns: dict[str, None] = {}
        for number, (name, label, others) in enumerate(rows, 1):
            columns |= dict.fromkeys(others if len(columns) < SHOWN_COLUMNS else ())
            if label is None or label == "":
                continue
            path = posixpath.join(posixpath.dirname(record), posixpath.normpath(name.replace("\\", "/")))
            checked = _checked(label, number)
            if labels.setdefault(path, checked) != checked:
                raise ValueError(f"an image has one label; {name} has {labels[path]} and {checked}")
    except UnicodeDecodeError:
        raise ValueError(f"a file of labels is UTF-8; {shown} is not") from None
    except (KeyError, TypeError, csv.Error, json.JSONDecodeError, RecursionError, AttributeError) as error:
        raise ValueError(f"{shown} gives labels and cannot be read: {str(error).splitlines()[0]}") from None
    except ValueError as error:
        raise ValueError(f"{shown}: {error}") from None
    return Labelling(record, _numbers(labels), tuple(columns))


Row = tuple[str, Any, list[str]]
"""Name of the file, its label or None, the other columns."""


def _stylegan(text: str) -> Iterator[Row] | None:
    """`{"labels": [["00000/img.png", 3], ...]}`; a JSON file of this name without `labels` is something else."""
    tree = json.loads(text)
    if not isinstance(tree, dict) or "labels" not in tree:
        return None
    labels, others = tree["labels"] or [], [name for name in tree if name != "labels"]
    pairs = list(labels.items()) if isinstance(labels, dict) else labels
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise ValueError('labels are a list of pairs, ["00000/img.png", 3]')
    return ((name, label, others) for name, label in pairs)


def _metadata(record: str, text: str) -> Iterator[Row] | None:
    """Records with the name of a file each; without such a column it is something else."""
    records: Iterator[Any]
    if record.endswith(".csv"):
        table = csv.DictReader(io.StringIO(text))
        if FILE not in (table.fieldnames or ()):
            return None
        records = iter(table)
    else:
        lines = [line for line in text.splitlines() if line.strip()]
        if lines and FILE not in json.loads(lines[0]):
            return None
        records = map(json.loads, lines)
    return ((each[FILE], each.get(LABEL), [str(key) for key in each if key not in (FILE, LABEL)]) for each in records)


def _checked(label: Any, number: int) -> Label:
    """A class's name, or a number of at least 0."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if isinstance(label, bool) or not isinstance(label, int | str) or (isinstance(label, int) and label < 0):
        raise ValueError(f"a label is a number of at least 0 or the name of a class; label {number} is {label!r}")
    return label


def _numbers(labels: dict[str, Label]) -> dict[str, Label]:
    """Labels as numbers where all of them are: a CSV file has texts alone."""
    if all(isinstance(label, int) or label.isdecimal() for label in labels.values()):
        return {path: int(label) for path, label in labels.items()}
    return {path: str(label) for path, label in labels.items()}
