"""What was done to a source's files on their way into examples, as counts with a few names, and in words.

Ingestion writes them into its report, `ingest.json`; the terminal, `summary.json`, the evaluator's report and the model
card show them. Importing this module needs the standard library alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

REPORT_FILES = ("ingest.json", "ingest_unpaired.json")
"""Reports beside the examples: of the source, and of that of the second domain."""
NAMED = 5
"""Names that a note keeps."""

CROPPED, COPIES, NEAR, NEAR_HELD_OUT = "cropped", "copies", "near_duplicates", "near_duplicates_held_out"

WORDS = {
    "top": "took the folder {} for the top one",
    "passed_over": "passed over {} beside the images",
    "outside": "passed over {} outside of the folders of splits",
    "columns": "passed over the columns of labels files that are not read yet: {}",
    "labels_without_image": "found no file for the labels of {}",
    "first_frame": "took the first frame of {}",
    "turned": "turned {} by EXIF",
    "white": "laid {} with transparency on white",
    "palette": "resolved the palette of {}",
    "one_bit": "read {} of 1 bit as black and white",
    "deep": "scaled {} of 16 bits to 8",
    "cmyk": "converted {} of CMYK to RGB",
    CROPPED: "cropped more than a third of the area of {}",
    "not_compared": "did not look for near duplicates among {}, as they are too many",
    COPIES: "found {} equal to another",
    NEAR: "found {} almost equal to another",
    NEAR_HELD_OUT: "held out {} almost equal to training images, which flatters every score "
    "(data.split_by=near_duplicates keeps them together)",
}
"""Note -> what was done; the braces stand for a number of files and, in brackets, names."""


class Note(NamedTuple):
    """How many files something was done to, and the first names in the order of the alphabet."""

    files: int
    names: tuple[str, ...] = ()


Notes = dict[str, Note]


def note(notes: Notes, what: str, name: str | None = None, count: int = 1) -> None:
    """Adds to a count.

    Args:
        notes: changed in place.
        what: a key of WORDS.
        name: of the file; None where it has none.
        count: of files.
    """
    notes[what] = _joined(notes.get(what, Note(0)), Note(count, (name,) if name else ()))


def merged(parts: Iterable[Notes]) -> Notes:
    """The sum of several."""
    total: Notes = {}
    for part in parts:
        for what, each in part.items():
            total[what] = _joined(total.get(what, Note(0)), each)
    return total


def read(tree: Mapping[str, Any]) -> Notes:
    """The notes in a report's JSON; a report of before they were written has none."""
    return {what: Note(count, tuple(names)) for what, (count, names) in tree.get("notes", {}).items()}


def ingested(texts: Iterable[str], sources: Iterable[str], channels: int) -> list[dict[str, Any]]:
    """What became of each source, for people and programs.

    Args:
        texts: the reports of REPORT_FILES.
        sources: as `Data.sources`.
        channels: as in `told`.

    Returns:
        For each source its `source`, `counts` by split, `bad` images, `notes` and what is `told`.
    """
    trees = [json.loads(text) for text in texts]
    return [
        {
            "source": source,
            "counts": tree["counts"],
            "bad": tree["bad"],
            "notes": {what: each._asdict() for what, each in read(tree).items()},
            "told": told(tree, channels),
        }
        for source, tree in zip(sources, trees, strict=True)
    ]


def read_ingested(directory: str, sources: Sequence[str], channels: int) -> list[dict[str, Any]]:
    """What became of each source, from where its examples lie, on any file system; see `ingested`."""
    # the command line imports this module, and TensorFlow would delay its `--help`
    import tensorflow as tf

    texts = []
    for name in REPORT_FILES[: len(sources)]:
        with tf.io.gfile.GFile(f"{directory}/{name}") as file:
            texts.append(file.read())
    return ingested(texts, sources, channels)


def read_classes(directory: str) -> list[str]:
    """The names of the first source's classes, by number, from where its examples lie; empty where they have none."""
    import tensorflow as tf  # late, as in `read_ingested`

    with tf.io.gfile.GFile(f"{directory}/{REPORT_FILES[0]}") as file:
        return [str(name) for name in json.load(file).get("classes", [])]


def told(tree: Mapping[str, Any], channels: int) -> list[str]:
    """What was done to the files of a source, a clause each; none where they were taken as they are.

    Args:
        tree: a report's JSON, as a dict.
        channels: of the images that the networks see, to which Transform converts others.
    """
    lines = []
    if tree.get("bad"):
        names = _names([fault[0] for fault in tree["faults"]], tree["bad"])
        lines.append(f"dropped {tree['bad']:,} that cannot be used ({names})")
    depths = {int(depth): count for depth, count in tree.get("depths", {}).items() if count}
    other = {depth: count for depth, count in depths.items() if depth != channels}
    # that all are of another depth than the networks see is the experiment's doing and no surprise
    if other and len(depths) > 1:
        how = "grey to colour" if channels == 3 else "colour to grey"
        lines.append(f"converted {_images(sum(other.values()))} from {how}")
    notes = read(tree)
    for what, words in WORDS.items():
        if what in notes:
            lines.append(_clause(what, words, notes[what]))
    return lines


def _clause(what: str, words: str, found: Note) -> str:
    if what in ("columns", "top"):
        return words.format(", ".join(found.names))
    files = f"{found.files:,} file{'s' if found.files != 1 else ''}" if what == "passed_over" else _images(found.files)
    if found.names:
        files += f" ({_names(found.names, found.files)})"
    return words.format(files)


def _images(count: int) -> str:
    return f"{count:,} image{'s' if count != 1 else ''}"


def _names(names: Iterable[str], count: int) -> str:
    shown = list(names)[:3]
    more = f" and {count - len(shown):,} more" if count > len(shown) else ""
    return ", ".join(shown) + more


def _joined(one: Note, other: Note) -> Note:
    return Note(one.files + other.files, tuple(sorted({*one.names, *other.names})[:NAMED]))
