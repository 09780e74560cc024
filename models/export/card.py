"""The card of a model: what it answers, what it scored, what made it. Markdown, for people."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from models.config import Experiment
from models.export.saved import EXPERIMENT, RECORD

ANSWERS = {
    "serving_default": "noise, or what is to be translated, to examples; image pixels in [0, 1]",
    "reverse": "the other direction",
    "sample": "seeds to examples; images as PNG files",
    "sample_truncated": "the same, of noise within so many standard deviations: more typical, less varied",
    "sample_from_examples": "the same, asked by serialized tf.Examples with the features of `sample`",
    "interpolate": "examples on the way from one seed to another, by the share of the way",
    "latent": "the noise of seeds, for arithmetic; `serving_default` takes the result",
    "discriminate": "examples to the discriminator's logit and its sigmoid",
    "discriminate_reverse": "the same, for the other direction",
}
"""What a signature does."""

API = (
    "By TensorFlow Serving's gRPC and REST APIs. The batch comes first and may have any size; equal seeds give equal "
    "examples, whatever else is in the batch."
)
LIMITS = (
    "What it draws follows the training data, with their gaps and their bias, and shows no real object or person. It "
    "may come near to single training examples: see `memorisation` above. It was judged on data like the training data "
    "alone."
)


class Signature(NamedTuple):
    """What TF Serving answers under a name.

    Attributes:
        name: of the signature.
        inputs: `name dtype [shape]`, the batch first.
        outputs: likewise.
        about: what it does; empty for one that is not ours.
    """

    name: str
    inputs: list[str]
    outputs: list[str]
    about: str


def signatures(directory: str) -> list[Signature]:
    """The signatures of a SavedModel, read without loading it; ours in their order, then others.

    Raises:
        ValueError: there is no SavedModel.
    """
    path = tf.io.gfile.join(directory, "saved_model.pb")
    if not tf.io.gfile.exists(path):
        raise ValueError(f"a model is a folder with saved_model.pb; {directory} has none")
    saved = saved_model_pb2.SavedModel()
    with tf.io.gfile.GFile(path, "rb") as file:
        saved.ParseFromString(file.read())
    defined = saved.meta_graphs[0].signature_def
    names = [name for name in ANSWERS if name in defined]
    names += sorted(name for name in defined if name not in ANSWERS and not name.startswith("__"))
    return [
        Signature(name, _tensors(defined[name].inputs), _tensors(defined[name].outputs), ANSWERS.get(name, ""))
        for name in names
    ]


def card(directory: str, judged: Mapping[str, Any] | None = None) -> str:
    """The card of a model that `models.export.saving.save` wrote.

    Args:
        directory: of the SavedModel.
        judged: what `metrics.json` of its evaluation holds, if it was judged.

    Raises:
        ValueError: it is no such model.
    """
    answered = signatures(directory)
    experiment, record = Experiment.from_json(_text(directory, EXPERIMENT)), json.loads(_text(directory, RECORD))
    data, training = experiment.data, experiment.training
    kind = "points" if data.points else f"images of {data.resolution} x {data.resolution} x {data.channels}"
    scheme = experiment.scheme
    parts = [
        f"# {experiment.name}",
        f"A generator of {kind}{' by class' if experiment.conditional else ''}, trained as a GAN on `{data.source}`.",
        "## What it answers",
        API,
        _table(
            ("signature", "takes", "gives", ""),
            [(f"`{each.name}`", ", ".join(each.inputs), ", ".join(each.outputs), each.about) for each in answered],
        ),
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
        f"The whole configuration is `{EXPERIMENT}`.",
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


def _tensors(infos: Mapping[str, meta_graph_pb2.TensorInfo]) -> list[str]:
    described = []
    for name in sorted(infos):
        sizes = ", ".join("batch" if dim.size < 0 else str(dim.size) for dim in infos[name].tensor_shape.dim)
        described.append(f"{name} {tf.as_dtype(infos[name].dtype).name} [{sizes}]")
    return described


def _text(directory: str, name: str) -> str:
    path = tf.io.gfile.join(directory, name)
    if not tf.io.gfile.exists(path):
        raise ValueError(f"a model of ganworks has {name}; {directory} has none")
    with tf.io.gfile.GFile(path) as file:
        return str(file.read())
