"""What is to be drawn: which seeds and labels of which model, and into which files."""

import hashlib
import json
import math
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
import tensorflow as tf
from pydantic import Field, ValidationError, model_validator

from models.config.frozen import Frozen, one_line
from models.export.interface import Interface, Role, Signature
from models.export.reading import read_interface

MANIFEST = "samples.json"
"""Beside the shards: the order, and the model that it was given to."""

Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Order(Frozen):
    """Samples of consecutive seeds. The label belongs to the seed, so that parts of a range make the whole."""

    count: int = Field(gt=0)
    seed: Int64 = Field(0, description="of the first; the next has the next")
    labels: tuple[Int64, ...] = Field((), description="classes, in turn by seed; of a model that asks for them")
    names: tuple[str, ...] = Field((), description="of the classes, for folders of pictures; those of the model")
    truncation: float | None = Field(None, gt=0, allow_inf_nan=False, description="bound of the noise, in sigmas")
    format: Literal["tfrecord", "png"] = "tfrecord"
    shard_size: int = Field(1_000, gt=0, description="samples that are drawn, written and, when it is done, kept")

    @model_validator(mode="after")
    def _seeds_are_int64(self) -> Self:
        if self.seed + self.count > 2**63:
            raise ValueError(f"seeds end before 2**63; received {self.seed} and {self.count} samples")
        return self

    @classmethod
    def parse(cls, **fields: Any) -> Self:
        """An order of these fields. Raises ValueError, one line, for the first that is wrong."""
        try:
            return cls(**fields)
        except ValidationError as error:
            raise ValueError(one_line(cls, error)) from None

    def shards(self) -> Iterator["Shard"]:
        """The parts, in order."""
        for number in range(self.shard_count):
            first = number * self.shard_size
            yield Shard(number, self.seed + first, min(self.shard_size, self.count - first))

    @property
    def shard_count(self) -> int:
        """How many parts there are."""
        return math.ceil(self.count / self.shard_size)

    def label(self, seed: int) -> int | None:
        """The class that is asked for with a seed; None without classes."""
        return self.labels[seed % len(self.labels)] if self.labels else None

    def inputs(self, seeds: range, asked: Signature) -> dict[str, np.ndarray]:
        """What a signature that draws takes for these seeds."""
        labels = [self.label(seed) for seed in seeds] if self.labels else []
        values: dict[Role, np.ndarray] = {
            "seed": np.array(seeds, np.int64),
            "label": np.array(labels, np.int64),
            "truncation": np.full(len(seeds), self.truncation or 0, np.float32),
        }
        return {name: values[each.role] for name, each in asked.inputs.items()}

    def signature(self, interface: Interface) -> str | None:
        """The signature of a model that draws it; None where none does."""
        return interface.drawing(truncated=self.truncation is not None)

    def picture(self, seed: int) -> str:
        """The path of a sample that is a file of its own; classes are folders, as in a `folder:` source."""
        label = self.label(seed)
        return f"{seed}.png" if label is None else f"{self._folder(label)}/{seed}.png"

    def folders(self) -> set[str]:
        """Where the files lie; an empty name for no folder of theirs."""
        return {self._folder(label) for label in self.labels} if self.format == "png" and self.labels else {""}

    def _folder(self, label: int) -> str:
        """The name of a class, as `ganworks evaluate` looks for it, or its number where that makes no folder."""
        name = self.names[label] if label < len(self.names) else str(label)
        return name if re.fullmatch(r"[^./\\\0][^/\\\0]*", name) else str(label)

    def last_file(self, shard: "Shard") -> str:
        """The file whose presence tells that a shard is whole."""
        if self.format == "png":
            return self.picture(shard.seeds[-1])
        return f"samples-{shard.number:05d}-of-{self.shard_count:05d}.tfrecord.gz"


class Shard(NamedTuple):
    """A part of an order; small, as it travels to workers."""

    number: int
    first: int
    size: int

    @property
    def seeds(self) -> range:
        """The seeds of its samples."""
        return range(self.first, self.first + self.size)


def fitted(order: Order, model: str) -> Order:
    """The order with the labels that the model has, where none were named.

    Args:
        order: what is wanted.
        model: directory of a SavedModel.

    Raises:
        ValueError: the model is none, has no such signature, or the order does not fit it.
    """
    interface = read_interface(model)
    try:
        tf.saved_model.load(model)
    except (OSError, tf.errors.OpError) as error:
        raise ValueError(f"{model} does not load: {str(error).splitlines()[0]}") from None
    name = order.signature(interface)
    if name is None:
        bound = " and a truncation" if order.truncation is not None else ""
        known = ", ".join(interface.signatures) or "none"
        raise ValueError(f"samples are drawn by a signature that takes a seed{bound}; {model} has {known}")
    asked = interface.signatures[name]
    if order.format == "png" and not any(each.is_file for each in asked.outputs.values()):
        raise ValueError(f"format png is for pictures; {model} gives {', '.join(asked.outputs)}")
    asks = asked.taken("label") is not None
    if order.labels and not asks:
        raise ValueError(f"{model} has no labels; received {', '.join(map(str, order.labels))}")
    classes = len(interface.classes) if asks else 0
    if asks and not order.labels and not classes:
        raise ValueError(f"{model} asks for labels and does not say how many there are: name them")
    if classes and not all(0 <= label < classes for label in order.labels):
        raise ValueError(f"a label of {model} is 0 to {classes - 1}; received {', '.join(map(str, order.labels))}")
    if not asks:
        return order
    names = interface.classes if order.format == "png" and interface.named() else ()
    return order.model_copy(update={"labels": order.labels or tuple(range(classes)), "names": names})


def manifest(order: Order, model: str) -> dict[str, Any]:
    """What MANIFEST holds: equal ones have equal samples."""
    return {
        "model_sha256": model_digest(model),
        **order.model_dump(mode="json", exclude=None if order.names else {"names"}),
    }


def model_digest(model: str) -> str:
    """A digest of the graph and the weights of a SavedModel."""
    digest = hashlib.sha256()
    # the index has a checksum of each variable
    for name in ("saved_model.pb", "variables/variables.index"):
        content = b""
        if tf.io.gfile.exists(f"{model}/{name}"):
            with tf.io.gfile.GFile(f"{model}/{name}", "rb") as file:
                content = file.read()
        digest.update(struct.pack("<q", len(content)) + content)
    return digest.hexdigest()


def claim(output: str, wanted: Mapping[str, Any]) -> None:
    """Makes a folder the place of an order, or finds that it is.

    Raises:
        ValueError: it holds samples of another order or model, or other files.
    """
    path = f"{output}/{MANIFEST}"
    if tf.io.gfile.exists(path):
        with tf.io.gfile.GFile(path) as file:
            there = json.loads(file.read())
        if there != wanted:
            differs = ", ".join(key for key in sorted(wanted) if there.get(key) != wanted[key])
            raise ValueError(f"{output} holds samples of another order ({differs} differs): name another folder")
        return
    strange = [name for name in _listed(output) if not name.startswith(".")]
    if strange:
        raise ValueError(f"samples go into a folder of their own; {output} holds {strange[0].rstrip('/')}")
    tf.io.gfile.makedirs(output)
    with tf.io.gfile.GFile(f"{path}.new", "w") as file:
        file.write(json.dumps(wanted, indent=2) + "\n")
    tf.io.gfile.rename(f"{path}.new", path, overwrite=True)


def _listed(directory: str) -> list[str]:
    return sorted(tf.io.gfile.listdir(directory)) if tf.io.gfile.exists(directory) else []
