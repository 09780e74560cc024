"""The two SavedModels of a judgement: the generator that is judged and the classifier that looks."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from components.gan_evaluator.measuring.settings import Settings
from models.columns import kind_of
from models.config import Data
from models.tasks import task

BATCH = 100
"""Examples in one call. Fixed, as float results may depend on it in their last digits."""

PROBABILITIES = {"logits": "probabilities", "inception_logits": "inception_probabilities"}
"""An extractor's output of logits -> the name of what it makes probable."""

RANGE_TOLERANCE = 1e-3

REVERSE = "reverse"
"""The signature of the way back."""


class Generator:
    """A generator's `serving_default` signature.

    Args:
        directory: of the SavedModel.
        settings: its data say what the examples have to look like; and which codes there are.

    Attributes:
        directory: as given.
        conditional: whether it takes labels.

    Raises:
        ValueError: it cannot be loaded, lacks the signature, or takes something else than its task says.
    """

    def __init__(self, directory: str, settings: Settings):
        self.directory, self._data = directory, settings.data
        self._module, self._signature = _load(directory, "a generator")
        inputs = self._signature.structured_input_signature[1]
        self._column_kind = kind_of(self._data.drawn)
        self._kind = self._column_kind.served
        self.conditional = "label" in inputs
        if task(settings.task).takes_examples:
            wanted = (self._kind, *task(settings.task).beside(settings.asked))
            if set(inputs) != set(wanted):
                raise ValueError(
                    f"a model that takes examples takes {' and '.join(wanted)}; {directory} takes {_listed(inputs)}"
                )
            return
        if (
            not {"z"} <= set(inputs) <= {"z", "label", "code"}
            or len(inputs["z"].shape) != 2
            or not inputs["z"].shape[1]
        ):
            raise ValueError(
                f"a generator takes z [batch, latent] and may take label and code; {directory} takes {_listed(inputs)}"
            )
        self._latent = int(inputs["z"].shape[1])
        self._codes = int(inputs["code"].shape[1]) if "code" in inputs else 0
        codes = settings.asked["codes"]
        if self._codes != codes:
            raise ValueError(f"{directory} takes codes of width {self._codes}; the experiment's generator has {codes}")
        self._categories = settings.asked["categorical_codes"]

    @property
    def goes_back(self) -> bool:
        """True where it also translates what it gives into what it takes."""
        return REVERSE in self._module.signatures

    def translate(self, inputs: Mapping[str, np.ndarray], signature: str = "serving_default") -> np.ndarray:
        """What it makes of examples.

        Args:
            inputs: `input` and what it takes beside that, each [n, ...] float32, images in [-1, 1].
            signature: `serving_default`, or REVERSE for the way back.

        Returns:
            [n, ...] as `sample`.

        Raises:
            ValueError: as `sample`.
        """
        taken = {self._kind if name == "input" else name: values for name, values in inputs.items()}
        taken[self._kind] = self._column_kind.outside(inputs["input"])
        call = self._module.signatures[signature]
        columns = {each.role: each for each in self._data.columns}
        shape = columns["input" if signature == REVERSE else "target"].shape
        made = []
        for start in range(0, len(inputs["input"]), BATCH):
            part = {name: tf.constant(values[start : start + BATCH]) for name, values in taken.items()}
            made.append(self._checked(call(**part), (len(part[self._kind]), *shape)))
        return np.concatenate(made)

    def sample(self, count: int, *, seed: int, labels: np.ndarray | None, first: int = 0) -> np.ndarray:
        """Generates examples from standard normal noise.

        Args:
            count: how many.
            seed: of the noise: equal seeds and labels give equal examples.
            labels: [count] int, the classes asked for; unused by an unconditional generator.
            first: the number of the first one: example i has noise of its own, whoever draws it with whatever others.

        Returns:
            [count, ...] as examples are held: images uint8, rounded as a served one is, points float32.

        Raises:
            ValueError: examples of another size or dtype, NaN, or pixels out of [0, 1]; labels missing.
        """
        draws = [np.random.default_rng([seed, number]) for number in range(first, first + count)]
        inputs = {"z": np.stack([random.standard_normal(self._latent, np.float32) for random in draws])}
        if self._codes:
            inputs["code"] = np.stack([self._draw_code(random) for random in draws])
        return self._drawn(inputs, labels)

    def interpolate(self, pairs: int, steps: int, *, seed: int, labels: np.ndarray | None) -> np.ndarray:
        """Examples on the way from one noise to another, along the sphere on which noise lies.

        Args:
            pairs: ways, each of one label and one code.
            steps: examples of a way with both ends, at least 2.
            seed: of the noise.
            labels: [pairs] int, the classes asked for; unused by an unconditional generator.

        Returns:
            [pairs, steps, ...], otherwise as `sample`.

        Raises:
            ValueError: as `sample`.

        Reference: White 2016, section 2.1.
        """
        random = np.random.default_rng([seed, 1])
        start, end = random.standard_normal((2, pairs, 1, self._latent))
        norms = (np.linalg.norm(each, axis=-1, keepdims=True) for each in (start, end))
        angle = np.arccos(((start * end).sum(-1, keepdims=True) / np.multiply(*norms)).clip(-1, 1))
        share = np.linspace(0, 1, steps)[:, None]
        way = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
        inputs = {"z": way.reshape(pairs * steps, self._latent).astype(np.float32)}
        if self._codes:
            inputs["code"] = np.repeat([self._draw_code(random) for _ in range(pairs)], steps, axis=0)
        drawn = self._drawn(inputs, None if labels is None else np.repeat(labels, steps))
        return drawn.reshape(pairs, steps, *drawn.shape[1:])

    def _drawn(self, inputs: dict[str, np.ndarray], labels: np.ndarray | None) -> np.ndarray:
        """The examples of these inputs, a batch at a time."""
        if self.conditional:
            if labels is None:
                raise ValueError(f"a conditional generator needs labels; the data of {self.directory} have none")
            inputs |= {"label": labels.astype(np.int64)}
        count = len(inputs["z"])
        examples = np.empty((count, *self._data.shape), self._column_kind.dtype)
        for start in range(0, count, BATCH):
            part = slice(start, min(start + BATCH, count))
            outputs = self._signature(**{name: tf.constant(values[part]) for name, values in inputs.items()})
            examples[part] = self._checked(outputs, examples[part].shape)
        return examples

    def _draw_code(self, random: np.random.Generator) -> np.ndarray:
        """InfoGAN's codes: one-hot, then uniform in [-1, 1]."""
        categories = self._categories
        code = random.uniform(-1, 1, self._codes)
        if categories:
            code[:categories] = np.eye(categories)[random.integers(categories)]
        return code.astype(np.float32)

    def _checked(self, outputs: dict[str, tf.Tensor], shape: tuple[int, ...]) -> np.ndarray:
        name = self._kind
        if name not in outputs:
            raise ValueError(f"a generator gives {name}; {self.directory} gives {', '.join(outputs)}")
        made = outputs[name].numpy()
        if made.shape != shape or made.dtype != np.float32:
            raise ValueError(
                f"generated {name}s are float32 {list(shape)}; {self.directory} made {made.dtype} {list(made.shape)}"
            )
        bad = ~np.isfinite(made.reshape(len(made), -1)).all(axis=1)
        if bad.any():
            raise ValueError(
                f"generated {name}s are finite; {bad.sum()} of {len(made)} of {self.directory} hold NaN or infinity"
            )
        low, high = self._column_kind.range or (-np.inf, np.inf)
        if made.min() < low - RANGE_TOLERANCE or made.max() > high + RANGE_TOLERANCE:
            raise ValueError(
                f"generated {name}s lie in [{low:g}, {high:g}]; {self.directory} made {made.min():.3g} to "
                f"{made.max():.3g}"
            )
        return self._column_kind.held_as(made)


class Extractor:
    """The classifier's `serving_default` signature.

    Args:
        directory: of the SavedModel.
        data: what it looks at.

    Raises:
        ValueError: it cannot be loaded or lacks the signature.
    """

    def __init__(self, directory: str, data: Data):
        self._directory, self._kind = directory, kind_of(data.drawn)
        self._module, self._signature = _load(directory, "a feature extractor")

    def extract(self, examples: np.ndarray) -> dict[str, np.ndarray]:
        """Features and class probabilities.

        Args:
            examples: [n, ...], as they are held: images uint8, points float32.

        Returns:
            `features`, [n, d] float64, and where it knows classes `probabilities`, float64, as the logits are; of
            Inception's classes `inception_probabilities`.

        Raises:
            ValueError: there are no examples; the extractor takes examples of another size, gives no features, or gives
                some that are no matrix of one width, or not finite.
        """
        name = self._kind.served
        if not len(examples):
            raise ValueError(f"a judgement needs {name}s on both sides; received none on one")
        seen: dict[str, list[np.ndarray]] = {"features": []}
        for start in range(0, len(examples), BATCH):
            batch = tf.constant(self._kind.shown(examples[start : start + BATCH]))
            try:
                outputs = self._signature(**{name: batch})
            except (TypeError, tf.errors.InvalidArgumentError):
                raise ValueError(
                    f"the feature extractor {self._directory} does not take {name}s {batch.shape}"
                ) from None
            if "features" not in outputs:
                raise ValueError(f"a feature extractor gives features; {self._directory} gives {', '.join(outputs)}")
            seen["features"].append(self._checked(outputs["features"].numpy(), len(batch), seen["features"]))
            for logits, probabilities in PROBABILITIES.items():
                if logits in outputs:
                    seen.setdefault(probabilities, []).append(_softmax(outputs[logits].numpy().astype(np.float64)))
        return {output: np.concatenate(parts) for output, parts in seen.items()}

    def _checked(self, made: np.ndarray, count: int, before: list[np.ndarray]) -> np.ndarray:
        """Holds a batch of features to be finite rows, as wide as those before."""
        width = before[0].shape[1] if before else made.shape[-1]
        if made.shape != (count, width):
            raise ValueError(
                f"features are a matrix of one width, here {[count, width]}; {self._directory} made {list(made.shape)}"
            )
        if not np.isfinite(made).all():
            raise ValueError(f"features are finite; some of {self._directory} are NaN or infinity")
        return made.astype(np.float64)


def _listed(inputs: dict[str, Any]) -> str:
    return ", ".join(f"{name} {spec.shape}" for name, spec in inputs.items())


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def read_record(directory: str, name: str) -> dict[str, Any]:
    """What a SavedModel says of itself in a file of this name; nothing where it has none."""
    path = f"{directory}/{name}"
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return dict(json.loads(file.read()))


def _load(directory: str, what: str) -> tuple[Any, Any]:
    try:
        module = tf.saved_model.load(directory)
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{what} is a SavedModel; {directory} cannot be loaded: {reason}") from None
    if "serving_default" not in module.signatures:
        found = ", ".join(module.signatures) or "none"
        raise ValueError(f"{what} has the signature serving_default; {directory} has {found}")
    # The module is kept with its signature: it owns the variables.
    return module, module.signatures["serving_default"]
