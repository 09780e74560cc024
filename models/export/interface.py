"""The interface of a model: what it takes and gives, written by the export and read by everything after it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationError

from models.catalog import near_misses
from models.config.frozen import Frozen, one_line

FORMAT = 2
"""The number of the form that interfaces are written in. It counts up with every field or role that is added or
changed; 2 came with the role `kernel`."""

OLDER = 0
"""The number of an interface that was derived from a model's signatures, because the model has none of its own."""

MAIN = "serving_default"
"""The signature that a model is made for; the others are further ways to ask it."""

INTERFACE = "interface"
"""The signature that answers the interface, and the name of what it answers."""

Role = Literal[
    # what the data have
    "input", "target", "label", "kernel",
    # what a generator is driven by
    "noise", "code", "seed", "share", "truncation", "example",
    # what a discriminator answers
    "logit", "probability",
    "row", "interface", "other",
]  # fmt: skip
"""What a tensor is for. `input` is an example that the model is made to take, `target` one like those that it is made
to draw, as in the data; `kernel` is what an input was blurred by, its middle in the middle, at least 0, of sum 1;
`example` is a serialized tf.Example; `row` asks for a row of the answer, and is not read."""

Kind = Literal["image", "point", "number", "text", "example"]
"""What a value is. An image of dtype string is a file: PNG or JPEG where it is taken, PNG where it is given."""

Shape = tuple[int | None, ...]

ABOUT_MAIN = {
    "generate": "makes examples of noise",
    "translate": "makes examples of the one domain examples of the other",
    "restore": "gives degraded examples back as they were",
}
"""What the main signature does, by the task."""

ABOUT = {
    "reverse": "translates in the other direction",
    "from_bytes": "does to files what `serving_default` does to pixels",
    "from_bytes_reverse": "does to files what `reverse` does to pixels",
    "sample": "draws an example of each seed; images as PNG files",
    "sample_truncated": "draws of noise within so many standard deviations: more typical, less varied",
    "sample_from_examples": "draws like `sample`, asked by serialized tf.Examples with the features that it takes",
    "interpolate": "draws examples on the way from one seed to another, by the share of the way",
    "latent": "gives the noise of seeds, for arithmetic; `serving_default` takes the result",
    "discriminate": "gives the discriminator's logit of examples, and its sigmoid",
    "discriminate_reverse": "gives the same of the other direction's discriminator",
    INTERFACE: "gives this interface as JSON, once a row",
}
"""What any other signature does, in the order in which they are told."""


class Tensor(Frozen):
    """An input or output of a signature.

    Attributes:
        role: what it is for.
        kind: what a value of it is.
        dtype: as NumPy and TensorFlow call it; `string` for bytes.
        shape: with the batch first; None for any size.
        range: the lowest and the highest value; None where there is no bound. A label's are the first and last class.
        categories: of a code, how many of its first values are one category, one-hot.
        pixels: of a file that is given, the height, width and channels of its image; None for any size.
    """

    role: Role
    kind: Kind
    dtype: str
    shape: Shape
    range: tuple[float, float] | None = None
    categories: int = Field(0, ge=0)
    pixels: Shape | None = None

    @property
    def is_file(self) -> bool:
        """True for images that travel as files."""
        return self.kind == "image" and self.dtype == "string"


class Signature(Frozen):
    """What a model answers under a name.

    Attributes:
        about: one sentence, without a full stop, whose subject is the signature.
        inputs: name -> what is taken.
        outputs: name -> what is given.
    """

    about: str = ""
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]

    def taken(self, role: Role) -> str | None:
        """The name of the first input of a role."""
        return next((name for name, each in self.inputs.items() if each.role == role), None)

    def given(self, role: Role) -> str | None:
        """The name of the first output of a role."""
        return next((name for name, each in self.outputs.items() if each.role == role), None)

    @property
    def roles(self) -> set[Role]:
        """The roles of the inputs."""
        return {each.role for each in self.inputs.values()}


class Interface(Frozen):
    """All that a model answers.

    Attributes:
        format: FORMAT, or OLDER.
        task: what the model is made to do: generate, translate, restore, or the name of a user's own task.
        classes: their names, by number; empty where no label is read.
        size_multiple: of an image of any size, what both of its sides have to be multiples of.
        scale: how many times as large as what is taken an image that is given is.
        halo: how many pixels around a pixel decide it, where that is known: a larger image can be cut into tiles.
        signatures: name -> what it takes and gives.
    """

    format: int = FORMAT
    task: str
    classes: tuple[str, ...] = ()
    size_multiple: int = Field(1, gt=0)
    scale: int = Field(1, gt=0)
    halo: int | None = Field(None, ge=0)
    signatures: dict[str, Signature]

    @property
    def inputs(self) -> Mapping[str, Tensor]:
        """What the main signature takes."""
        return self.signatures[MAIN].inputs if MAIN in self.signatures else {}

    @property
    def outputs(self) -> Mapping[str, Tensor]:
        """What the main signature gives."""
        return self.signatures[MAIN].outputs if MAIN in self.signatures else {}

    def drawing(self, *, truncated: bool = False) -> str | None:
        """The signature that draws an example of a seed, as a file where it is an image; None where none does.

        Args:
            truncated: whether it also takes the bound of the noise.
        """
        asked: set[Role] = {"seed", "truncation"} if truncated else {"seed"}
        for name, each in self.signatures.items():
            seeds = [tensor for tensor in each.inputs.values() if tensor.role == "seed"]
            if each.roles - {"label"} == asked and len(seeds) == 1 and each.given("target"):
                return name
        return None

    def label(self, text: str) -> int:
        """The number of a class by its name, or else by its number.

        Raises:
            ValueError: there is no such class; a model that does not name its classes takes any number.
        """
        if text in self.classes:
            return self.classes.index(text)
        number = int(text) if re.fullmatch(r"-?\d{1,18}", text) else None
        if number is None or (self.classes and not 0 <= number < len(self.classes)):
            known = f"a name or a number from 0 to {len(self.classes) - 1}" if self.classes else "a number"
            raise ValueError(f"a class is given by {known}; received {text}{near_misses(text, self.classes)}")
        return number

    def named(self) -> list[str]:
        """The classes that have names other than their numbers, each as `0 is ant`."""
        return [f"{number} is {name}" for number, name in enumerate(self.classes) if name != str(number)]

    def by_file(self) -> str | None:
        """The signature that takes an image as a file and gives one; None where none does."""
        for name, each in self.signatures.items():
            taken = each.taken("input")
            if taken and each.inputs[taken].is_file:
                return name
        return None

    def to_json(self, indent: int | None = None) -> str:
        """The interface as JSON: equal ones read the same."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True) | {"format": self.format}, indent=indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: it is no interface, or one of a newer format; one line.
        """
        try:
            tree = json.loads(text)
        except ValueError as error:
            raise ValueError(f"an interface is written as JSON; received text that is not: {error}") from None
        found = tree.get("format") if isinstance(tree, dict) else None
        if not isinstance(found, int) or found < 1:
            raise ValueError(f"an interface is a JSON object with its format, a number from 1; received {_short(tree)}")
        if found > FORMAT:
            raise ValueError(
                f"this ganworks reads interfaces up to format {FORMAT}; received format {found}, which a newer one "
                "wrote: install that one"
            )
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            fault = error.errors()[0]
            path = ".".join(map(str, fault["loc"]))
            unknown = fault["type"] == "extra_forbidden"
            what = f"{path} is no field of format {found}" if unknown else one_line(cls, error)
            raise ValueError(f"an interface does not fit its format: {what}") from None


class TensorInfo(NamedTuple):
    """What any SavedModel tells of an input or output: its dtype's name, such as float32 or string, and its shape.

    Attributes:
        dtype: as NumPy and TensorFlow call it.
        shape: None for any size.
    """

    dtype: str
    shape: Shape


Told = Mapping[str, TensorInfo]

_KNOWN: Mapping[str, tuple[Role, Kind]] = {
    "z": ("noise", "number"),
    "code": ("code", "number"),
    "label": ("label", "number"),
    "seed": ("seed", "number"),
    "other_seed": ("seed", "number"),
    "share": ("share", "number"),
    "truncation": ("truncation", "number"),
    "examples": ("example", "example"),
    "image": ("input", "image"),
    "point": ("input", "point"),
    "image_bytes": ("target", "image"),
    "logit": ("logit", "number"),
    "probability": ("probability", "number"),
}
"""What models called their tensors before they had interfaces."""


def derived(signatures: Mapping[str, tuple[Told, Told]], classes: int = 0) -> Interface:
    """The interface of a model that has none of its own: an older one, or somebody else's.

    Args:
        signatures: name -> its inputs and outputs.
        classes: how many there are, where that is known.
    """
    task = "translate" if {"image", "point"} & signatures.get(MAIN, ({}, {}))[0].keys() else "generate"
    found = {
        name: Signature(
            about=about(name, task) if _is_ours(inputs, outputs) else "",
            inputs={key: _guessed(key, info, name, classes, given=False) for key, info in inputs.items()},
            outputs={key: _guessed(key, info, name, classes, given=True) for key, info in outputs.items()},
        )
        for name, (inputs, outputs) in _ordered(signatures)
    }
    return Interface(format=OLDER, task=task, classes=tuple(map(str, range(classes))), signatures=found)


def about(signature: str, task: str) -> str:
    """What a signature of ours does; empty for any other, and for the main one of a user's own task."""
    return ABOUT_MAIN.get(task, "") if signature == MAIN else ABOUT.get(signature, "")


def _is_ours(inputs: Told, outputs: Told) -> bool:
    return inputs.keys() <= _KNOWN.keys() and outputs.keys() <= _KNOWN.keys()


def _ordered(signatures: Mapping[str, tuple[Told, Told]]) -> Iterator[tuple[str, tuple[Told, Told]]]:
    """Ours in their order, then others."""
    known = [MAIN, *ABOUT]
    ours = [name for name in known if name in signatures]
    others = sorted(name for name in signatures if name not in known)
    return ((name, signatures[name]) for name in [*ours, *others])


def _guessed(name: str, info: TensorInfo, signature: str, classes: int, *, given: bool) -> Tensor:
    other: tuple[Role, Kind] = ("other", "text" if info.dtype == "string" else "number")
    role, kind = _KNOWN.get(name, other)
    backwards = signature.endswith("reverse")
    if role == "input" and (given or signature.startswith("discriminate")) != backwards:
        role = "target"
    between: tuple[float, float] | None = None
    if (kind == "image" and info.dtype != "string") or role == "probability":
        between = (0, 1)
    if role == "label" and classes:
        between = (0, classes - 1)
    return Tensor(role=role, kind=kind, dtype=info.dtype, shape=info.shape, range=between)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
