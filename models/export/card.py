"""The card of a model: what it answers, what it scored, what made it. Markdown, for people."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from models.columns import kind_of
from models.config import Experiment
from models.export.interface import OLDER, Interface, Role, Tensor
from models.export.reading import read_interface
from models.export.saved import EXPERIMENT, INTERFACE, RECORD

API = (
    "By TensorFlow Serving's gRPC and REST APIs. The batch comes first and may have any size; equal seeds give equal "
    "examples, whatever else is in the batch."
)
DOES = {
    "generate": "A generator of {kind}",
    "translate": "A translator from one domain of {kind} to another",
    "restore": "A restorer of degraded {kind}",
}
MEANING: dict[Role, str] = {
    "input": "an example like those that it was made to take",
    "target": "an example like those that it was made to draw",
    "label": "the class",
    "kernel": "what the example was blurred by: what a point of light becomes; at least 0, of sum 1",
    "noise": "noise, standard normal",
    "code": "codes, whose parts change one thing each",
    "seed": "any whole number: the noise follows from it",
    "share": "of the way: 0 is the first seed, 1 the other one",
    "truncation": "bound of the noise in standard deviations, above 0",
    "example": "serialized tf.Examples",
    "logit": "what the discriminator says: higher is more like the real ones",
    "probability": "the logit's sigmoid",
    "row": "not read: one answer a row",
    "interface": "all of this as JSON",
    "other": "",
}
"""What a role says, for people."""

LIMITS = (
    "What it draws follows the training data, with their gaps and their bias, and shows no real object or person. It "
    "may come near to single training examples: see `memorisation` above. It was judged on data like the training data "
    "alone."
)


def card(directory: str, judged: Mapping[str, Any] | None = None) -> str:
    """The card of a model that `models.export.saving.save` wrote.

    Args:
        directory: of the SavedModel.
        judged: what `metrics.json` of its evaluation holds, if it was judged.

    Raises:
        ValueError: it is no such model.
    """
    interface = read_interface(directory)
    experiment, record = Experiment.from_json(_text(directory, EXPERIMENT)), json.loads(_text(directory, RECORD))
    data, training = experiment.data, experiment.training
    kind = kind_of(data.drawn).words(data.drawn)
    does = DOES.get(interface.task, "A model of {kind}").format(kind=kind)
    scheme = experiment.scheme
    parts = [
        f"# {experiment.name}",
        f"{does}{' by class' if experiment.conditional else ''}, trained as a GAN on `{'` and `'.join(data.sources)}`.",
        "## What it answers",
        API,
        _table(
            ("signature", "takes", "gives", ""),
            [
                (f"`{name}`", told(each.inputs), told(each.outputs), each.about)
                for name, each in interface.signatures.items()
            ],
        ),
        "## What it takes and gives",
        _table(("name", "what it is", "values"), _tensors(interface)),
        *_sizes(interface),
        "## How it was judged",
        *(_judgement(judged) if judged else ["It comes without a judgement."]),
        *_ingested(judged or {}),
        "## What made it",
        _table(
            ("", ""),
            [
                ("scheme, objective", f"{scheme.name}, {scheme.objective.name}"),
                ("generator, discriminator", f"{scheme.generator.name}, {scheme.discriminator.name}"),
                ("weights", f"step {record['step']:,} of {experiment.total_steps:,}, batches of {training.batch_size}"),
                *((name, f"`{value}`") for name, value in record.items() if name != "step"),
            ],
        ),
        f"The whole configuration is `{EXPERIMENT}`."
        + ("" if interface.format == OLDER else f" What it takes and gives, for programs, is `{INTERFACE}`."),
        "## Use and limits",
        LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


def _ingested(judged: Mapping[str, Any]) -> Iterable[str]:
    """What was done to the files of the training data; nothing where they were taken as they are."""
    lines = [
        f"- `{each['source']}`: {line}"
        for each in judged.get("protocol", {}).get("ingested", [])
        for line in each["told"]
    ]
    if lines:
        yield "## What was done to the images"
        yield "\n".join(lines)


def _judgement(judged: Mapping[str, Any]) -> Iterable[str]:
    rows = []
    for name, line in judged["metrics"].items():
        if line["value"] is None:
            continue
        error = f" ± {line['uncertainty']:.2g}" if line.get("uncertainty") else ""
        holds = {True: "holds", False: "fails", None: "not required"}[line["holds"]]
        rows.append((f"`{name}`", f"{line['value']:.4g}{error}", holds, line["measures"]))
    yield judged["reason"][:1].upper() + judged["reason"][1:]
    yield _table(("metric", "value", "threshold", "measures"), rows)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def told(tensors: Mapping[str, Tensor]) -> str:
    """Inputs or outputs in words: `name dtype [shape]`, the batch first."""
    return ", ".join(f"{name} {each.dtype} {_shape(each)}" for name, each in tensors.items())


def _shape(tensor: Tensor) -> str:
    sizes = ["batch" if not place else "any" for place in range(len(tensor.shape))]
    return "[" + ", ".join(str(size or word) for size, word in zip(tensor.shape, sizes, strict=True)) + "]"


def _tensors(interface: Interface) -> Iterable[tuple[str, ...]]:
    """A row for each name and role of an input or output."""
    seen = set()
    for signature in interface.signatures.values():
        for name, each in [*signature.inputs.items(), *signature.outputs.items()]:
            if (name, each.role) not in seen:
                seen.add((name, each.role))
                yield f"`{name}`", MEANING[each.role], "; ".join(_values(each, interface))


def _values(tensor: Tensor, interface: Interface) -> Iterable[str]:
    if tensor.kind in ("image", "point"):
        file = " as a file, PNG or JPEG" if tensor.pixels is None else " as a PNG file"
        yield f"{tensor.kind}{file if tensor.is_file else ''}"
    if tensor.pixels:
        yield " x ".join(str(size or "any") for size in tensor.pixels)
    if tensor.role == "label" and interface.classes:
        names = interface.named()
        yield f"0 to {len(interface.classes) - 1}{': ' + ', '.join(names) if names else ''}"
    elif tensor.range:
        yield f"{tensor.range[0]:g} to {tensor.range[1]:g}"
    if tensor.categories:
        yield f"the first {tensor.categories} are one-hot"


def _sizes(interface: Interface) -> Iterable[str]:
    """What is to know of the sizes of images; nothing where they are plain."""
    lines = [f"An image that is given is {interface.scale} times as high and wide."] if interface.scale > 1 else []
    if interface.size_multiple > 1:
        lines.append(f"The sides of an image that is taken are multiples of {interface.size_multiple}.")
    if interface.halo is not None:
        lines.append(f"A pixel depends on those within {interface.halo} of it alone: of large files, tiles are made.")
    if lines:
        yield " ".join(lines)


def _text(directory: str, name: str) -> str:
    path = tf.io.gfile.join(directory, name)
    if not tf.io.gfile.exists(path):
        raise ValueError(f"a model of ganworks has {name}; {directory} has none")
    with tf.io.gfile.GFile(path) as file:
        return str(file.read())
