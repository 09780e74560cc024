"""Describes what the networks of a GAN take and give once they are exported: the model's interface."""

from collections.abc import Mapping, Sequence

import keras

from models.columns import kind_of
from models.config import Experiment, Translator
from models.export.interface import INTERFACE, MAIN, Interface, Kind, Role, Signature, Tensor, about

SEED = Tensor(role="seed", kind="number", dtype="int64", shape=(None,))
SHARE = Tensor(role="share", kind="number", dtype="float32", shape=(None,))
TRUNCATION = Tensor(role="truncation", kind="number", dtype="float32", shape=(None,))
EXAMPLES = Tensor(role="example", kind="example", dtype="string", shape=(None,))
ROW = Tensor(role="row", kind="number", dtype="int64", shape=(None,))
TEXT = Tensor(role="interface", kind="text", dtype="string", shape=(None,))
LOGIT = Tensor(role="logit", kind="number", dtype="float32", shape=(None,))
PROBABILITY = Tensor(role="probability", kind="number", dtype="float32", shape=(None,), range=(0, 1))

FILE = "image_bytes"
"""What an image is called that travels as a file. TF Serving's REST sends what ends in `_bytes` in base64."""

DRIVING: Mapping[str, Role] = {"z": "noise", "code": "code"}
"""What networks call the numbers that drive them -> their role."""

ANY_SIDE = 64
"""Pixels a side of an image that a network of any size is asked about."""


def example_name(*, judging: bool) -> str:
    """What a network calls the example that it takes, or judges."""
    return "target" if judging else "input"


class Describer:
    """Describes exported networks.

    Args:
        experiment: what made them.
        networks: signature's name -> network that makes examples; one whose name ends in `reverse` makes inputs of
            targets. The first is the main one.
        judges: signature's name -> discriminator, of targets; where the name ends in `reverse`, of inputs.
        classes: their names, by number; empty for numbers.

    Attributes:
        kind: of the examples, as they are called in signatures.
    """

    def __init__(
        self,
        experiment: Experiment,
        networks: Mapping[str, keras.Model],
        judges: Mapping[str, keras.Model],
        classes: Sequence[str] = (),
    ):
        if classes and len(classes) != experiment.data.classes:
            raise ValueError(f"each of the {experiment.data.classes} classes has a name; received {len(classes)} names")
        self._classes = tuple(classes) or tuple(map(str, range(experiment.data.classes)))
        self._experiment, self._data = experiment, experiment.data
        self._networks, self._judges = networks, judges
        self._column_kind = kind_of(self._data.drawn)
        self.kind = self._column_kind.served

    def interface(self) -> Interface:
        """The interface of all signatures."""
        main = next(iter(self._networks.values()))
        found = {name: self._maker(name, network) for name, network in self._networks.items()}
        found |= {by_file(name): self._file(name, self._networks[name]) for name in self.takers()}
        found |= self._seeded(main) if "z" in main.input else {}
        found |= {name: self._judge(name, network) for name, network in self._judges.items()}
        found[INTERFACE] = Signature(inputs={"row": ROW}, outputs={INTERFACE: TEXT})
        task = self._experiment.scheme.task
        reads = any("label" in network.input for network in (*self._networks.values(), *self._judges.values()))
        multiple, halo = self._any_size(main)
        return Interface(
            task=task,
            classes=self._classes if reads else (),
            size_multiple=multiple,
            scale=self._scale(main),
            halo=halo,
            signatures={name: each.model_copy(update={"about": about(name, task)}) for name, each in found.items()},
        )

    def takers(self) -> list[str]:
        """The signatures of networks that take an image."""
        example = example_name(judging=False)
        return [name for name, network in self._networks.items() if self.kind == "image" and example in network.input]

    def _maker(self, name: str, network: keras.Model) -> Signature:
        made = self._example("input" if _backwards(name) else "target", network.output.shape)
        return Signature(inputs=self._inputs(name, network, judging=False), outputs={self.kind: made})

    def _judge(self, name: str, network: keras.Model) -> Signature:
        return Signature(
            inputs=self._inputs(name, network, judging=True), outputs={"logit": LOGIT, "probability": PROBABILITY}
        )

    def _file(self, name: str, network: keras.Model) -> Signature:
        """Like the signature of a network, but that images are files."""
        plain = self._maker(name, network)
        taken = {FILE if key == self.kind else key: each for key, each in plain.inputs.items()}
        taken[FILE] = _file(plain.inputs[self.kind], pixels=False)
        return Signature(inputs=taken, outputs={FILE: _file(plain.outputs[self.kind], pixels=True)})

    def _seeded(self, main: keras.Model) -> dict[str, Signature]:
        """What asks the main network by seed."""
        inputs = self._inputs(MAIN, main, judging=False)
        label = {name: each for name, each in inputs.items() if each.role == "label"}
        made = self._example("target", main.output.shape)
        if self.kind == "image":
            # tfx_bsl's RunInference reads a type off each row, which a row that is one string does not have
            given, rows = {FILE: _file(made, pixels=True)}, {FILE: _file(made, pixels=True, shape=(None, 1))}
        else:
            given = rows = {self.kind: made}
        latent = {name: each for name, each in inputs.items() if each.role in ("noise", "code")}
        way = {"seed": SEED, "other_seed": SEED, "share": SHARE}
        return {
            "sample": Signature(inputs={"seed": SEED, **label}, outputs=given),
            "sample_truncated": Signature(inputs={"seed": SEED, "truncation": TRUNCATION, **label}, outputs=given),
            "sample_from_examples": Signature(inputs={"examples": EXAMPLES}, outputs=rows),
            "interpolate": Signature(inputs=way | label, outputs=given),
            "latent": Signature(inputs={"seed": SEED}, outputs=latent),
        }

    def _inputs(self, name: str, network: keras.Model, *, judging: bool) -> dict[str, Tensor]:
        """What a network takes, by the names that are served."""
        found: dict[str, Tensor] = {}
        for taken, tensor in network.input.items():
            shape = (None, *tensor.shape[1:])
            if taken == example_name(judging=judging):
                found[self.kind] = self._example("target" if judging != _backwards(name) else "input", shape)
            elif judging and taken == example_name(judging=False):
                found[taken] = self._example("input", shape)
            elif taken == "label":
                last = self._data.classes - 1
                found[taken] = Tensor(role="label", kind="number", dtype="int64", shape=shape, range=(0, last))
            elif taken == "kernel":
                found[taken] = Tensor(role="kernel", kind="number", dtype="float32", shape=shape, range=(0, 1))
            elif taken in DRIVING:
                categories = self._experiment.latent.categorical_codes if taken == "code" else 0
                found[taken] = Tensor(
                    role=DRIVING[taken], kind="number", dtype="float32", shape=shape, categories=categories
                )
            else:
                known = ", ".join([*DRIVING, "label", "kernel", example_name(judging=judging)])
                raise ValueError(f"a network that is exported takes some of {known}; {network.name} takes {taken}")
        return found

    def _example(self, role: Role, shape: tuple[int | None, ...]) -> Tensor:
        kind: Kind = "image" if self.kind == "image" else "point" if self.kind == "point" else "number"
        between = self._column_kind.range
        return Tensor(role=role, kind=kind, dtype="float32", shape=(None, *shape[1:]), range=between)

    def _any_size(self, network: keras.Model) -> tuple[int, int | None]:
        """What sides are multiples of, and the halo, of a network that takes images of any size; else 1 and None."""
        generator, example = self._experiment.scheme.generator, example_name(judging=False)
        taken = network.input.get(example)
        if not isinstance(generator, Translator) or taken is None or None not in taken.shape[1:]:
            return 1, None
        return generator.size_multiple, generator.halo

    def _scale(self, network: keras.Model) -> int:
        """How many times as large the image is that a network gives as the one that it takes."""
        example = example_name(judging=False)
        if self.kind != "image" or example not in network.input:
            return 1
        multiple, _ = self._any_size(network)
        any_side = -(-ANY_SIDE // multiple) * multiple
        taken = [1, *(side or any_side for side in network.input[example].shape[1:])]
        given = network.compute_output_shape(
            {**{name: each.shape for name, each in network.input.items()}, example: taken}
        )
        return int(given[1] // taken[1])


def by_file(name: str) -> str:
    """The signature that does to files what this one does to pixels."""
    return "from_bytes" if name == MAIN else f"from_bytes_{name}"


def _file(image: Tensor, *, pixels: bool, shape: tuple[int | None, ...] = (None,)) -> Tensor:
    """An image as a file; `pixels` says whether its size is told."""
    return Tensor(
        role=image.role, kind="image", dtype="string", shape=shape, pixels=image.shape[1:] if pixels else None
    )


def _backwards(name: str) -> bool:
    return name.endswith("reverse")
