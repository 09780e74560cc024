"""The two SavedModels of a judgement: the generator that is judged and the classifier that looks."""

import json
from typing import Any

import numpy as np
import tensorflow as tf

from models.config import Experiment
from models.features import RECORD, as_input

BATCH = 100
"""Examples in one call. Fixed, as float results may depend on it in their last digits."""

RANGE_TOLERANCE = 1e-3


class Generator:
    """A generator's `serving_default` signature.

    Args:
        directory: of the SavedModel.
        experiment: its `data` say what the examples have to look like, its `network` which codes there are.

    Attributes:
        conditional: whether it takes labels.

    Raises:
        ValueError: it cannot be loaded or lacks the signature or the input `z`.
    """

    def __init__(self, directory: str, experiment: Experiment):
        self._directory, self._data, self._network = directory, experiment.data, experiment.network
        self._module, self._signature = _load(directory, "a generator")
        inputs = self._signature.structured_input_signature[1]
        if (
            not {"z"} <= set(inputs) <= {"z", "label", "code"}
            or len(inputs["z"].shape) != 2
            or not inputs["z"].shape[1]
        ):
            raise ValueError(
                f"a generator takes z [batch, latent] and may take label and code; {directory} takes "
                + ", ".join(f"{name} {spec.shape}" for name, spec in inputs.items())
            )
        self._latent = int(inputs["z"].shape[1])
        self._codes = int(inputs["code"].shape[1]) if "code" in inputs else 0
        network = experiment.network
        if self._codes != network.categorical_codes + network.continuous_codes:
            raise ValueError(
                f"{directory} takes codes of width {self._codes}; the experiment's network has "
                f"{network.categorical_codes} + {network.continuous_codes}"
            )
        self.conditional = "label" in inputs

    def sample(self, count: int, *, seed: int, labels: np.ndarray | None) -> np.ndarray:
        """Generates examples from standard normal noise.

        Args:
            count: how many.
            seed: of the noise: equal seeds and labels give equal examples.
            labels: [count] int, the classes asked for; unused by an unconditional generator.

        Returns:
            [count, r, r, c] uint8, rounded as a served image is, or [count, 2] float32 points.

        Raises:
            ValueError: examples of another size or dtype, NaN, or pixels out of [0, 1]; labels missing.
        """
        if self.conditional and labels is None:
            raise ValueError(f"a conditional generator needs labels; the data of {self._directory} have none")
        inputs = {"z": np.random.default_rng(seed).standard_normal((count, self._latent), np.float32)}
        if self._codes:
            inputs["code"] = self._draw_codes(count, seed)
        if self.conditional and labels is not None:
            inputs["label"] = labels.astype(np.int64)
        examples = np.empty((count, *self._data.shape), np.float32 if self._data.points else np.uint8)
        for start in range(0, count, BATCH):
            part = slice(start, min(start + BATCH, count))
            outputs = self._signature(**{name: tf.constant(values[part]) for name, values in inputs.items()})
            examples[part] = self._checked(outputs, examples[part].shape)
        return examples

    def _draw_codes(self, count: int, seed: int) -> np.ndarray:
        """InfoGAN's codes: one-hot, then uniform in [-1, 1]."""
        random, categories = np.random.default_rng([seed, 1]), self._network.categorical_codes
        picked = np.eye(categories)[random.integers(categories, size=count)] if categories else np.empty((count, 0))
        others = random.uniform(-1, 1, (count, self._codes - categories))
        return np.concatenate([picked, others], axis=1).astype(np.float32)

    def _checked(self, outputs: dict[str, tf.Tensor], shape: tuple[int, ...]) -> np.ndarray:
        name = "point" if self._data.points else "image"
        if name not in outputs:
            raise ValueError(f"a generator gives {name}; {self._directory} gives {', '.join(outputs)}")
        made = outputs[name].numpy()
        if made.shape != shape or made.dtype != np.float32:
            raise ValueError(
                f"generated {name}s are float32 {list(shape)}; {self._directory} made {made.dtype} {list(made.shape)}"
            )
        bad = ~np.isfinite(made.reshape(len(made), -1)).all(axis=1)
        if bad.any():
            raise ValueError(
                f"generated {name}s are finite; {bad.sum()} of {len(made)} of {self._directory} hold NaN or infinity"
            )
        if self._data.points:
            return made
        if made.min() < -RANGE_TOLERANCE or made.max() > 1 + RANGE_TOLERANCE:
            raise ValueError(
                f"generated images lie in [0, 1]; {self._directory} made {made.min():.3g} to {made.max():.3g}"
            )
        return np.rint(made.clip(0, 1) * 255).astype(np.uint8)


class Extractor:
    """The classifier's `serving_default` signature.

    Args:
        directory: of the SavedModel.

    Attributes:
        record: what it is: name, steps, eval_accuracy where it was trained on labels; empty when it does not say.

    Raises:
        ValueError: it cannot be loaded or lacks the signature.
    """

    def __init__(self, directory: str):
        self._directory = directory
        self._module, self._signature = _load(directory, "a feature extractor")
        path, self.record = f"{directory}/{RECORD}", dict[str, Any]()
        if tf.io.gfile.exists(path):
            with tf.io.gfile.GFile(path) as file:
                self.record = json.loads(file.read())

    def extract(self, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Features and class probabilities.

        Args:
            examples: [n, r, r, c] uint8, or [n, 2] float32 points.

        Returns:
            Features, [n, d] float64, and probabilities, float64, as the logits are, or None without classes.

        Raises:
            ValueError: there are no examples; the extractor takes examples of another size, gives no features, or gives
                some that are no matrix of one width, or not finite.
        """
        name = "image" if examples.ndim == 4 else "point"
        if not len(examples):
            raise ValueError(f"a judgement needs {name}s on both sides; received none on one")
        features, logits = list[np.ndarray](), []
        for start in range(0, len(examples), BATCH):
            batch = tf.constant(as_input(examples[start : start + BATCH]))
            try:
                outputs = self._signature(**{name: batch})
            except (TypeError, tf.errors.InvalidArgumentError):
                raise ValueError(
                    f"the feature extractor {self._directory} does not take {name}s {batch.shape}"
                ) from None
            if "features" not in outputs:
                raise ValueError(f"a feature extractor gives features; {self._directory} gives {', '.join(outputs)}")
            features.append(self._checked(outputs["features"].numpy(), len(batch), features))
            logits += [outputs["logits"].numpy().astype(np.float64)] if "logits" in outputs else []
        probabilities = _softmax(np.concatenate(logits)) if logits else None
        return np.concatenate(features), probabilities

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


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


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
