"""Pairs of image files: two folders whose files belong together by their names, or both images in one file."""

import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from components.example_gen.aligned import Aligned
from components.example_gen.notes import note
from components.example_gen.sources.folder import SHARD_FILES, Files
from components.example_gen.sources.layout import Layout, lay_out
from components.example_gen.sources.source import TRANSFER, Fault, Shard, make_source
from components.example_gen.sources.trees import Listing, Tree
from models.config import OfPairs, OneSource

NAMED = 3


class Part(NamedTuple):
    """Pairs of a tree: where each lies, and its files; and what the tree has instead of files."""

    places: tuple[str, ...]
    files: tuple[tuple[str, ...], ...]
    faults: tuple[Fault, ...] = ()


class PairedFiles(Files):
    """The pairs below one place: A/FILE and B/FILE, or FILE with A and B side by side.

    Folders of splits may be around the two folders or within them: train/A/FILE or A/train/FILE. They mean what they do
    for single images. What `data.transfer` finds in the path of a pair, which is without the folder A or B, is its own
    split.

    Args:
        data: says where and how they lie.
    """

    def __init__(self, data: OfPairs) -> None:
        self._tree = cast(Files, make_source(data.source))._tree
        self._data = data
        self._seen: tuple[Listing, Layout] | None = None
        self._files: Mapping[str, tuple[str, ...]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """See `Files`."""
        return super().__getstate__() | {"_files": {}}

    def check(self) -> None:
        """Lists all files. Raises ValueError as `pair_up` and `lay_out` do, or where `data.transfer` finds none."""
        _, layout = self._look()
        places = [place for group in layout.groups for place in group.files]
        held_out = [place for place in places if self._held_out(place)]
        if self._data.transfer and len(held_out) in (0, len(places)):
            raise ValueError(
                f"data.transfer holds out some pairs of {self._tree.source}; {self._data.transfer!r} is found in "
                f"{'all' if held_out else 'none'} of {len(places):,} paths, such as {places[0]}"
            )

    def shards(self) -> Iterator[Shard]:
        """Groups of pairs, in an order by the hash of their names."""
        listing, layout = self._look()
        faults = tuple(listing.faults)
        groups = [(sides, [each for each in places if not self._held_out(each)]) for sides, places, _ in layout.groups]
        groups.append(((TRANSFER,), [each for group in layout.groups for each in group.files if self._held_out(each)]))
        for sides, places in groups:
            ordered = sorted(places, key=lambda place: hashlib.sha256(place.encode()).digest())
            size = max(1, len(ordered)) if self._tree.whole else SHARD_FILES
            for start in range(0, max(1, len(ordered)) if faults else len(ordered), size):
                some = tuple(ordered[start : start + size])
                yield Shard(sides, Part(some, tuple(self._files[place] for place in some), faults))
                faults = ()

    def read(self, shard: Shard, *, data: OneSource) -> Iterator[Any]:
        """The bytes of each pair; the limits wait for whoever decodes them."""
        part: Part = shard.part
        yield from part.faults
        # the files of a pair come one after the other
        ends = {files[-1]: (place, files) for place, files in zip(part.places, part.files, strict=True)}
        contents: list[bytes | Fault] = []
        for name, content in self._tree.read([name for files in part.files for name in files]):
            contents.append(content)
            if name not in ends:
                continue
            place, files = ends[name]
            sound = tuple(each for each in contents if not isinstance(each, Fault))
            if len(sound) == len(files):
                yield Aligned(tuple(map(self._tree.path, files)), sound, place)
            else:
                yield next(each for each in contents if isinstance(each, Fault))
            contents = []

    def classes(self) -> list[str]:
        """See `Source`: none."""
        return []

    def check_labels(self) -> None:
        """See `Source`: there are no labels."""

    def _held_out(self, place: str) -> bool:
        return bool(self._data.transfer and re.search(self._data.transfer, place))

    def _look(self) -> tuple[Listing, Layout]:
        """The files and what they mean, found once in each process."""
        if self._seen is None:
            self._tree.check()
            listing = self._tree.listing()
            self._files = {name: (name,) for name in listing.images}
            paired = listing
            if self._data.layout == "folders":
                self._files = pair_up(self._tree, listing, self._data.folders)
                matched = {name for files in self._files.values() for name in files}
                notes = dict(listing.notes)
                for name in listing.images:
                    if name not in matched:
                        note(notes, "passed_over", name)
                paired = listing._replace(images=sorted(self._files), notes=notes)
            self._seen = listing, lay_out(self._tree, paired, labelled=False)
        return self._seen


def pair_up(tree: Tree, listing: Listing, folders: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """The two files of each pair, by the path of the first without its folder.

    Args:
        tree: for messages.
        listing: of the tree; images outside of both folders belong to no pair.
        folders: names of the folders of A and of B, wherever they are.

    Raises:
        ValueError: a folder has no image, one image has no partner, or two have one name but for its ending. One line.
    """
    found: dict[str, dict[str, tuple[str, str]]] = {folder: {} for folder in folders}
    for name in listing.images:
        *above, last = name.split("/")
        at = next((number for number, folder in enumerate(above) if folder in folders), None)
        if at is None:
            continue
        place = "/".join([*above[:at], *above[at + 1 :], last])
        mine, stem = found[above[at]], posixpath.splitext(place)[0]
        if stem in mine:
            raise ValueError(
                f"source {tree.source} needs one image a name in {above[at]}; it has {mine[stem][1]} and {name}: take "
                "one of them out"
            )
        mine[stem] = place, name
    first, second = (found[folder] for folder in folders)
    for folder, images in found.items():
        if not images:
            raise ValueError(
                f"source {tree.source} needs images in the folders {' and '.join(folders)} that belong together by "
                f"their names; {folder} has none: name the two by data.folders, or set data.layout=halves where a file "
                "holds both images side by side"
            )
    lonely = [*(first[stem][1] for stem in first.keys() - second), *(second[stem][1] for stem in second.keys() - first)]
    if lonely:
        more = f" and {len(lonely) - NAMED:,} more" if len(lonely) > NAMED else ""
        raise ValueError(
            f"source {tree.source} needs for each image of {folders[0]} one of the same name in {folders[1]}; "
            f"{folders[0]} has {len(first):,} and {folders[1]} {len(second):,}, and without a partner are "
            f"{', '.join(sorted(lonely)[:NAMED])}{more}"
        )
    return {place: (name, second[stem][1]) for stem, (place, name) in first.items()}
