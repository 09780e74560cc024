"""What would make a run fail late, refused early: plain functions, each called as soon as what it needs is known."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from models.catalog import EXTRACTORS
from models.config import Data, Evaluation, Experiment

NAMED = 10
"""Classes that a message names."""


def check_weights(experiment: Experiment) -> None:
    """Raises ValueError where features that judge, or make a loss, need a file of weights that is not here."""
    content = getattr(experiment.scheme, "content", None)
    if content is not None:
        file = content.file or EXTRACTORS[content.network].fetched or ""
        if "://" not in file and not Path(file).is_file():
            remedy = "name a file by scheme.content.file" if content.file else f"ganworks fetch {content.network}"
            raise ValueError(f"scheme.content is {content.network}, whose weights are not at {file}: {remedy}")
    name, given = experiment.evaluation.extractor, experiment.evaluation.extractor_weights
    pretrained = EXTRACTORS.get(name)
    weights = given or (pretrained.fetched if pretrained else None)
    if weights is None or "://" in weights or Path(weights).is_file():
        return
    why = "images without classes are judged by" if not experiment.data.target_classes else "evaluation.extractor is"
    remedy = "name a file by evaluation.extractor_weights" if given else f"ganworks fetch {name}"
    raise ValueError(f"{why} {name}, whose weights are not at {weights}: {remedy}")


def _check_one_class(data: Data) -> None:
    """Raises ValueError for a single class: there is nothing to tell apart."""
    if data.classes == 1:
        raise ValueError(
            f"classes are two or more; {data.source} has one, and data.classes is 1: set data.classes=0 and "
            "condition=none of both players to do without classes"
        )


def check_labels(data: Data, classes: Sequence[str]) -> None:
    """Raises ValueError where a source names its classes, and has not `data.classes` of them, unless that is 0."""
    if data.classes and classes and len(classes) != data.classes:
        raise ValueError(
            f"data.classes is the number of classes; {data.source} has {len(classes)}, {_listed(classes)}, and "
            f"data.classes is {data.classes}: set data.classes={len(classes)}"
        )
    _check_one_class(data)


def check_classes(data: Data, by_class: Mapping[str, Mapping[str, int]], classes: Sequence[str]) -> None:
    """Holds the classes of ingested examples against `data.classes`; without labels none matter.

    Args:
        data: of the source.
        by_class: label, as text -> split -> examples.
        classes: names in the order of the labels, if there are any.

    Raises:
        ValueError: there are fewer or more classes, or one has no example in train or eval. One line.
    """
    if not data.classes:
        return
    numbers = sorted(map(int, by_class))
    if not numbers:
        raise ValueError(
            f"data.classes is the number of classes; {data.source} has no labels, and data.classes is {data.classes}: "
            "set data.classes=0 and condition=none of both players, or give each class a folder of its own"
        )
    strange = [number for number in numbers if not 0 <= number < data.classes]
    found = max(len(classes), numbers[-1] + 1)
    if strange or found != data.classes:
        advice = f": set data.classes={found}" if numbers[0] >= 0 else ""
        raise ValueError(
            f"data.classes is the number of classes, and labels are from 0 to one less; {data.source} has labels "
            f"from {numbers[0]} to {numbers[-1]}, and data.classes is {data.classes}{advice}"
        )
    lacking = [
        f"{_name(number, classes)} has {counts.get('train', 0)} in train and {counts.get('eval', 0)} in eval"
        for number in range(data.classes)
        for counts in [by_class.get(str(number), {})]
        if not (counts.get("train") and counts.get("eval"))
    ]
    if lacking:
        raise ValueError(
            f"each class needs two different examples or more, one to train on and one to hold out; of {data.source}, "
            f"class {_listed(lacking, '; class ')}: add examples of it or leave it out, or set data.classes=0 to do "
            "without classes"
        )


def check_counts(
    data: Data,
    evaluation: Evaluation,
    batch_size: int,
    counts: Sequence[Mapping[str, int]],
    by_class: Mapping[str, Mapping[str, int]],
    task: str,
) -> None:
    """Holds the numbers of examples against what trains on them and what judges by them.

    Args:
        data: what they are.
        evaluation: how many are generated, the split to judge against, the thresholds.
        batch_size: of the training.
        counts: of each domain, split -> examples.
        by_class: of the first domain, label, as text -> split -> examples.
        task: what the model takes; see `models.tasks`.

    Raises:
        ValueError: a batch is larger than the training split, there is nothing to judge against, or a threshold is on a
            metric that needs more examples, or that so few examples cannot resolve. One line.
    """
    # the command line imports this module, and NumPy would delay its `--help`
    from models.metrics.bounds import check_bounds

    # a training row of separated pairs holds one image alone: of each column there are about as many as of the other
    share = len(data.domains) / len({column.group for column in data.columns})
    for source, of_domain in zip(data.sources, counts, strict=True):
        trained = int(share * of_domain.get("train", 0))
        if trained < batch_size:
            raise ValueError(
                f"training.batch_size is at most the number of training examples; received {batch_size}, and {source} "
                f"has {trained} in train: add examples, or set a smaller training.batch_size"
            )
    split = evaluation.split
    held_out = [of_domain.get(split, 0) for of_domain in counts]
    classes = [by_class.get(str(number), {}) for number in range(data.target_classes)]
    lacking = [str(number) for number, each in enumerate(classes) if not each.get(split)]
    if lacking or not all(held_out):
        source, of = next(
            ((source, "") for source, count in zip(data.sources, held_out, strict=True) if not count),
            (data.source, f" of class {_listed(lacking)}"),
        )
        raise ValueError(
            f"evaluation.split={split} needs examples{of} to judge against; {source} has none there: set a larger "
            f"data.{split}_share, or add examples"
        )
    # a model is compared with examples of its target, and made to translate those of its input
    check_bounds(
        data,
        evaluation,
        task=task,
        train=int(share * counts[-1]["train"]),
        real=held_out[-1],
        asked=held_out[0],
        of_class=[each.get(split, 0) for each in classes],
    )


def _name(number: int, classes: Sequence[str]) -> str:
    return classes[number] if number < len(classes) else str(number)


def _listed(names: Sequence[str], comma: str = ", ") -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return comma.join(names[:NAMED]) + more
