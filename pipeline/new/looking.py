"""A look at a source of images: the headers of all, the pixels of a sample."""

import collections
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from components.example_gen import near, notes
from components.example_gen.images import BadImage, Picture, read_header, read_picture
from components.example_gen.sources.source import Fault, Head, Raw, Shard, Source, open_source
from models.catalog import SOURCES
from models.config import Images
from pipeline.new import pixels

SAMPLE = 10_000
"""Images that are decoded, at most."""
SAMPLE_PIXELS = 3_000_000_000
"""Pixels that are decoded, at most: those of some hundreds of photographs."""
NAMED_FAULTS = 200

Told = Callable[[int, int], None]
"""Is told how many images were looked at, and of how many; 0 where that is not known."""


class Seen(NamedTuple):
    """An image of which the header was read.

    Attributes:
        name: of its file, for people.
        head: channels, key, label, and a thumbnail where it is of the sample.
        sides: the splits among which its key decides.
        side: pixels of its shorter side; `longer` of the other one.
        longer: see `side`.
        kind: of the file.
    """

    name: str
    head: Head
    sides: tuple[str, ...]
    side: int
    longer: int
    kind: str


class Shown(NamedTuple):
    """An image of the sample: its number among those seen, and what its pixels are.

    Attributes:
        number: in `Look.seen`.
        small: [64, 64, 3] uint8, its centred square.
        grey: whether it has no colour, whatever its file says.
        flat: whether it is nearly of one colour.
    """

    number: int
    small: pixels.Pixels
    grey: bool
    flat: bool


class Look(NamedTuple):
    """What was seen of a source.

    Attributes:
        source: as `data.source` has it.
        files: whether it has files of a user's.
        classes: names in the order of the labels; empty without.
        unlabelled: why the classes cannot be used, as some images have none; empty otherwise.
        seen: all images that are sound by their headers.
        sample: some or all of these, decoded.
        bad: images that cannot be used; `faults` has the first of them.
        faults: see `bad`.
        notes: what was passed over, and what was done to the sample on decoding it.
        pairs: groups of numbers of the sample, in `seen`, that are almost equal.
    """

    source: str
    files: bool
    classes: list[str]
    unlabelled: str
    seen: list[Seen]
    sample: list[Shown]
    bad: int
    faults: list[Fault]
    notes: notes.Notes
    pairs: list[list[int]]

    @property
    def whole(self) -> bool:
        """True where the sample is all there is."""
        return len(self.sample) == len(self.seen)

    @property
    def copies(self) -> list[list[int]]:
        """Numbers of images that are equal to one another, in groups of two or more."""
        by_key: dict[bytes, list[int]] = collections.defaultdict(list)
        for number, each in enumerate(self.seen):
            by_key[each.head.key].append(number)
        return [numbers for numbers in by_key.values() if len(numbers) > 1]


def source_of(given: str) -> str:
    """The source that a user means: a place alone becomes `folder:`, `idx:`, `zip:` or `tar:`.

    Raises:
        ValueError: there is no such place, or the source has no images to look at. One line.
    """
    kind = given.partition(":")[0]
    if kind in ("mixture", "stacked"):
        raise ValueError(
            f"new looks at images of your own: folder:DIR, zip:FILE, tar:FILE, idx:DIR, tfds:NAME or digits; "
            f"received {given}"
        )
    if kind in SOURCES and (given != kind or kind == "digits"):
        return given
    place = Path(given).expanduser()
    if place.is_dir():
        has_idx = any(name.startswith("train-images-idx3-ubyte") for name in os.listdir(place))  # noqa: PTH208
        return f"{'idx' if has_idx else 'folder'}:{given}"
    if not place.exists():
        raise ValueError(f"new looks at a folder or an archive of images; there is none at {given}")
    name = place.name.lower()
    if name.endswith(".zip"):
        return f"zip:{given}"
    if ".tar" in name or name.endswith(".tgz"):
        return f"tar:{given}"
    raise ValueError(f"new looks at a folder or an archive of images, .zip or .tar; received the file {given}")


def look(source: str, told: Told = lambda done, total: None) -> Look:
    """Reads the header of each image, and decodes a sample.

    Args:
        source: as `source_of` gives it.
        told: see `Told`.

    Raises:
        ValueError: the source is unusable, has no image that can be used, or all are identical. One line.
    """
    opened = open_source(source)
    looking = _Looking(opened, source)
    looking.read(told)
    if not looking.seen:
        raise ValueError(
            f"source {source} needs images that can be used; of {looking.bad:,} none can: "
            f"{'; '.join(map(str, looking.faults[:3])) or 'it is empty'}"
        )
    if len({each.head.key for each in looking.seen}) == 1:
        raise ValueError(f"source {source} needs images that differ; all {len(looking.seen):,} are identical")
    return looking.result()


class _Looking:
    """What `look` has gathered so far."""

    def __init__(self, opened: Source, source: str):
        self.opened, self.source, self.data = opened, source, Images(source=source)
        self.seen: list[Seen] = []
        self.sample: list[Shown] = []
        self.notes: list[notes.Notes] = [opened.notes()]
        self.bad, self.faults = 0, list[Fault]()
        self.decoded_pixels = 0

    def read(self, told: Told) -> None:
        """Looks at all there is."""
        shards = list(self.opened.shards())
        sizes = [_size(shard) for shard in shards]
        total = sum(sizes) if all(sizes) else 0
        share = min(1.0, SAMPLE / total) if total else 1.0
        for shard in shards:
            for item in self.opened.read(shard, data=self.data):
                self._take(item, shard.sides, share)
                told(len(self.seen) + self.bad, total)

    def _take(self, item: Any, sides: tuple[str, ...], share: float) -> None:
        name = getattr(item, "name", f"{self.source}[{len(self.seen)}]")
        sampled = _drawn(name, share) and len(self.sample) < SAMPLE and self.decoded_pixels < SAMPLE_PIXELS
        if isinstance(item, Fault):
            self._fault(item)
        elif isinstance(item, Picture):
            kind = "grey" if item.channels == 1 else "colour"
            self._see(name, item, sides, kind, item if sampled else None)
        elif isinstance(item, Raw):
            try:
                header = read_header(item.content, pixel_limit=self.data.pixel_limit)
                picture = None
                if sampled:
                    picture = read_picture(
                        item.content, item.label, pixel_limit=self.data.pixel_limit, thumbnail=self.opened.files
                    )
            except BadImage as error:
                self._fault(Fault(item.name, str(error)))
                return
            # what is not decoded has a key of its own all the same, by which the splits are counted
            key = header.key or hashlib.sha256(item.content).digest()
            stored = Picture(b"", header.height, header.width, header.channels, key, item.label)
            self._see(name, picture or stored, sides, header.kind, picture)

    def _see(self, name: str, item: Picture, sides: tuple[str, ...], kind: str, decoded: Picture | None) -> None:
        head = Head(item.channels, item.key, item.label, item.thumbnail)
        side, longer = sorted((item.height, item.width))
        if decoded:
            self.decoded_pixels += side * longer
            small = pixels.small(decoded.encoded)
            self.sample.append(Shown(len(self.seen), small, pixels.is_grey(small), pixels.is_flat(small)))
            done: notes.Notes = {}
            for what in decoded.handled:
                notes.note(done, what, name)
            if done:
                self.notes = [notes.merged([*self.notes, done])]
        self.seen.append(Seen(name, head, sides, side, longer, kind))

    def _fault(self, fault: Fault) -> None:
        self.bad += fault.images
        if len(self.faults) < NAMED_FAULTS:
            self.faults.append(fault)

    def result(self) -> Look:
        """All of it."""
        unlabelled = ""
        try:
            self.opened.check_labels()
        except ValueError as error:
            unlabelled = str(error)
        of_sample = [shown.number for shown in self.sample]
        prints = [near.Print(self.seen[number].head.key, self.seen[number].head.thumbnail) for number in of_sample]
        groups = near.groups(prints) if self.opened.files else []
        return Look(
            source=self.source,
            files=self.opened.files,
            classes=[] if unlabelled else _classes(self.opened, self.seen),
            unlabelled=unlabelled,
            seen=self.seen,
            sample=self.sample,
            bad=self.bad,
            faults=sorted(self.faults),
            notes=notes.merged(self.notes),
            pairs=[[of_sample[number] for number in group] for group in groups],
        )


def _classes(opened: Source, seen: list[Seen]) -> list[str]:
    """The names of the classes; numbers where the source has labels and no names."""
    labels = {each.head.label for each in seen}
    if None in labels:
        return []
    highest = max(label for label in labels if label is not None)
    names = opened.classes()
    return [*names, *map(str, range(len(names), highest + 1))]


def _size(shard: Shard) -> int:
    """Images of a shard, where its part tells; else 0."""
    files = getattr(shard.part, "files", None)
    if files is not None:
        return len(files) + len(getattr(shard.part, "faults", ()))
    return int(getattr(shard.part, "stop", 0)) - int(getattr(shard.part, "start", 0))


def _drawn(name: str, share: float) -> bool:
    """True where an image is of the sample: by its name, so that the same ones are looked at again."""
    if share >= 1:
        return True
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") < share * 2**64


def names(look: Look, numbers: list[int]) -> Iterator[str]:
    """The names of images by their numbers, below the source's place."""
    place = look.source.partition(":")[2].rstrip("/") + "/"
    expanded = str(Path(place).expanduser()) + "/"
    for number in numbers:
        name = look.seen[number].name
        yield name.removeprefix(place).removeprefix(expanded)
