"""What the folders of a user's images mean: splits, classes, or neither; and what label each image has."""

import collections
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from components.example_gen.notes import Notes, note
from components.example_gen.sources import labelling
from components.example_gen.sources.labelling import Label, Labelling
from components.example_gen.sources.source import CHOOSE, EVAL, SPLITS, TRAIN, TRAINED
from components.example_gen.sources.trees import Listing, Tree

SPLIT_NAMES = {
    TRAIN: ("train", "training"),
    CHOOSE: ("val", "valid", "validation"),
    EVAL: ("eval", "test", "testing"),
}
"""Split -> names of folders that are one, in any case."""
SHARD = re.compile(r"\d{5,}")
"""Folders into which StyleGAN's tools deal images; they are no classes."""
ALIKE = 0.8
"""A share of images whose label follows from their folder, above which the folders are taken for classes."""
NAMED = 20


class Group(NamedTuple):
    """Images of the same sides, by their paths below the tree; labels number the classes."""

    sides: tuple[str, ...]
    files: list[str]
    labels: list[int | None]


class Layout(NamedTuple):
    """A tree, understood.

    Attributes:
        groups: the images; those to train on come first.
        classes: names in the order of the labels; empty without labels.
        unlabelled: images without a label where others have one.
        notes: what was passed over.
    """

    groups: list[Group]
    classes: list[str]
    unlabelled: list[str]
    notes: Notes


def lay_out(tree: Tree, listing: Listing, *, labelled: bool = True) -> Layout:
    """Finds out what the folders of a tree mean.

    A folder that alone holds all others is the top. Folders with names of splits are splits where one of them is for
    training; below each, a folder is a class, unless a file of labels says otherwise.

    Args:
        tree: for its files of labels, and for messages.
        listing: of the tree.
        labelled: whether folders and files of labels say what class an image is of.

    Raises:
        ValueError: there is no image, two folders are the same split, a file of labels is wrong or contradicts the
            folders, or a split has a class that training has not. One line.
    """
    notes: Notes = dict(listing.notes)
    if not listing.images and not listing.faults:
        others = f" among {len(listing.others):,} files, such as {listing.others[0]}" if listing.others else ""
        raise ValueError(f"source {tree.source} needs at least one image; {tree.place} has none{others}")
    top = _top(listing)
    if top:
        note(notes, "top", top.rstrip("/"))
    roots = _roots(tree, listing.images, top)
    files = {sides: [name for name in listing.images if name.startswith(root)] for sides, root in roots.items()}
    outside = set(listing.images).difference(*files.values())
    for name in sorted(outside):
        note(notes, "outside", name)
    read = _records(tree, listing, {top, *roots.values()}, notes) if labelled else []
    for name in sorted(set(listing.others).difference(each.record for each in read)):
        note(notes, "passed_over", name)
    folders = {name: _folder(name, root) for sides, root in roots.items() for name in files[sides]}
    if any(posixpath.basename(each.record) == labelling.STYLEGAN for each in read):
        folders = {name: folder and (None if SHARD.fullmatch(folder) else folder) for name, folder in folders.items()}
    labels: dict[str, Label] = {}
    if found := _together(tree, read):
        labels = _from_record(tree, found, folders, notes)
    elif labelled:
        by_folder = {name: folder for name, folder in folders.items() if folder is not None}
        _check_classes(tree, roots, files, by_folder)
        labels = dict(by_folder)
    classes = sorted(set(labels.values()), key=lambda label: (isinstance(label, str), label))
    unlabelled = [name for name in folders if name not in labels] if classes else []
    numbers = {} if unlabelled else {label: number for number, label in enumerate(classes)}
    groups = [
        Group(sides, names, [numbers.get(labels.get(name, "")) for name in names]) for sides, names in files.items()
    ]
    return Layout(groups, list(map(str, numbers)), unlabelled, notes)


def _folder(name: str, root: str) -> str | None:
    """The first folder of a path below a root; None for a file that lies in the root itself."""
    first, slash, _ = name[len(root) :].partition("/")
    return first if slash else None


def _top(listing: Listing) -> str:
    """The folder below which all is, with a slash, or nothing: archives often hold one folder, with all in it."""
    top, names = "", listing.images
    while names:
        firsts = {_folder(name, top) for name in names}
        (first, *more) = firsts
        if more or first is None or _has_record(listing, top):
            break
        below = f"{top}{first}/"
        directly = any(_folder(name, below) is None for name in names)
        if directly and not _has_record(listing, below) and _split_of(first) is None:
            break
        top = below
    return top


def _has_record(listing: Listing, root: str) -> bool:
    return any(f"{root}{name}" in listing.others for name in labelling.RECORDS)


def _split_of(folder: str) -> str | None:
    return next((split for split, names in SPLIT_NAMES.items() if folder.lower() in names), None)


def _roots(tree: Tree, images: Sequence[str], top: str) -> dict[tuple[str, ...], str]:
    """Where images are, by the sides of their shards; train comes first."""
    folders = sorted({folder for name in images if (folder := _folder(name, top)) is not None})
    named: dict[str, list[str]] = collections.defaultdict(list)
    for folder in folders:
        if split := _split_of(folder):
            named[split].append(folder)
    if TRAIN not in named or len(named) == 1:
        _refuse_half_splits(tree, images, top, folders, [each for several in named.values() for each in several])
        return {SPLITS: top}
    for split, several in named.items():
        if len(several) > 1:
            raise ValueError(
                f"source {tree.source} needs one folder for each split; {' and '.join(several)} are both {split}: "
                "put their images together or take one of them out"
            )
    train, choose, held_out = (named[split][0] if split in named else None for split in (TRAIN, CHOOSE, EVAL))
    if choose and held_out:
        places: dict[tuple[str, ...], str | None] = {(TRAIN,): train, (CHOOSE,): choose, (EVAL,): held_out}
    else:
        places = {TRAINED: train, (EVAL,): held_out or choose}
    return {sides: f"{top}{folder}/" for sides, folder in places.items()}


def _refuse_half_splits(
    tree: Tree, images: Sequence[str], top: str, folders: Sequence[str], named: Sequence[str]
) -> None:
    """Raises ValueError where folders of splits, with folders of classes in them, would be taken for classes."""
    places = [f"{top}{folder}/" for folder in named]
    deep = named and all(_folder(name, root) for root in places for name in images if name.startswith(root))
    if deep and len(folders) > 1:
        others = [folder for folder in folders if folder not in named]
        raise ValueError(
            f"source {tree.source} has the folders {', '.join([*named, *others][:NAMED])}: folders of splits are train "
            "and val or test beside it, and folders of classes hold images: rename them, or name the one folder of "
            "classes as the source"
        )


def _records(tree: Tree, listing: Listing, roots: set[str], notes: Notes) -> list[Labelling]:
    """What the files of labels in the roots say."""
    read = [
        found
        for name in listing.others
        if posixpath.basename(name) in labelling.RECORDS
        and name[: -len(posixpath.basename(name))] in roots
        and (found := labelling.read(name, tree.read_record, tree.path(name)))
    ]
    for each in read:
        for column in each.columns:
            note(notes, "columns", f"{column} of {each.record}")
    return read


def _together(tree: Tree, read: Sequence[Labelling]) -> Labelling | None:
    """All labels in one; None without any."""
    giving = [each for each in read if each.labels]
    if not giving:
        return None
    together: dict[str, Label] = {}
    for each in giving:
        for name, label in each.labels.items():
            if together.setdefault(name, label) != label:
                raise ValueError(
                    f"source {tree.source} needs one label an image; {each.record} gives {name} the label {label} and "
                    f"another file {together[name]}: keep one of the files"
                )
    if len({type(label) for label in together.values()}) > 1:
        together = {name: str(label) for name, label in together.items()}
    return Labelling(giving[0].record, together, ())


def _from_record(tree: Tree, found: Labelling, folders: Mapping[str, str | None], notes: Notes) -> dict[str, Label]:
    """The labels of images that are there; a folder that says something else is an error."""
    labels = {name: label for name, label in found.labels.items() if name in folders}
    gone = sorted(found.labels.keys() - labels.keys())
    if not labels:
        raise ValueError(
            f"source {tree.source} has labels in {found.record} for none of its {len(folders):,} images, but for "
            f"{gone[0]}: give paths from the folder of {posixpath.basename(found.record)}"
        )
    for name in gone:
        note(notes, "labels_without_image", name)
    placed = {name: folder for name in labels if (folder := folders[name]) and not SHARD.fullmatch(folder)}
    meant = _meant(placed, labels)
    for name, folder in placed.items():
        if folder in meant and labels[name] != meant[folder]:
            raise ValueError(
                f"source {tree.source} has a label in {found.record} that its folder contradicts: {name} has the label "
                f"{labels[name]}, where {folder}/ means {meant[folder]}: correct one of them"
            )
    return labels


def _meant(placed: Mapping[str, str], labels: Mapping[str, Label]) -> dict[str, Label]:
    """The label that each folder means, where folders are classes: by their names, or as almost all images agree."""
    texts = {str(label): label for label in labels.values()}
    named = {folder: texts[folder] for folder in set(placed.values()) if folder in texts}
    if named:
        return named
    counts: dict[str, collections.Counter[Label]] = collections.defaultdict(collections.Counter)
    for name, folder in placed.items():
        counts[folder][labels[name]] += 1
    most = {folder: counter.most_common(1)[0] for folder, counter in counts.items()}
    agreeing = sum(count for _, count in most.values())
    distinct = len({label for label, _ in most.values()}) == len(most) > 1
    return {folder: label for folder, (label, _) in most.items()} if distinct and agreeing > ALIKE * len(placed) else {}


def _check_classes(
    tree: Tree,
    roots: Mapping[tuple[str, ...], str],
    files: Mapping[tuple[str, ...], Sequence[str]],
    labels: Mapping[str, str],
) -> None:
    """Raises ValueError for a class that only a held-out split has."""
    trained = next(iter(roots))
    known = sorted({labels[name] for name in files[trained] if name in labels})
    for sides, root in roots.items():
        strange = sorted({labels[name] for name in files[sides] if name in labels} - set(known))
        if strange:
            raise ValueError(
                f"source {tree.source} needs the classes of {tree.path(root.rstrip('/'))} to be among those of "
                f"{roots[trained].rstrip('/')}, {', '.join(known[:NAMED]) or 'which has none'}; received "
                f"{', '.join(strange[:NAMED])}"
            )
