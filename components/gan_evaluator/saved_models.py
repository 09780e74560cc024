"""The two SavedModels of a judgement: the generator that is judged and the classifier that looks."""

import json
from typing import Any

import numpy as np
import tensorflow as tf

from models.config import Data
from models.features import RECORD

BATCH = 100
"""Images in one call. Fixed, as float results may depend on it in their last digits."""

RANGE_TOLERANCE = 1e-3


class Generator:
    """A generator's `serving_default` signature.

    Args:
        directory: of the SavedModel.
        data: what its images have to look like.

    Attributes:
        conditional: whether it takes labels.

    Raises:
        ValueError: it cannot be loaded or lacks the signature or the input `z`.
    """

    def __init__(self, directory: str, data: Data):
        self._directory, self._data = directory, data
        self._module, self._signature = _load(directory, "a generator")
        inputs = self._signature.structured_input_signature[1]
        if not {"z"} <= set(inputs) <= {"z", "label"} or len(inputs["z"].shape) != 2 or not inputs["z"].shape[1]:
            raise ValueError(
                f"a generator takes z [batch, latent] and may take label; {directory} takes "
                + ", ".join(f"{name} {spec.shape}" for name, spec in inputs.items())
            )
        self._latent = int(inputs["z"].shape[1])
        self.conditional = "label" in inputs

    def sample(self, count: int, *, seed: int, labels: np.ndarray | None) -> np.ndarray:
        """Generates images from standard normal noise.

        Args:
            count: how many.
            seed: of the noise: equal seeds and labels give equal images.
            labels: [count] int, the classes asked for; unused by an unconditional generator.

        Returns:
            [count, r, r, c] uint8, rounded as a served image is.

        Raises:
            ValueError: images of another size or dtype, NaN, or values out of [0, 1]; labels missing.
        """
        if self.conditional and labels is None:
            raise ValueError(f"a conditional generator needs labels; the data of {self._directory} have none")
        noise = np.random.default_rng(seed).standard_normal((count, self._latent), np.float32)
        images = np.empty((count, self._data.resolution, self._data.resolution, self._data.channels), np.uint8)
        for start in range(0, count, BATCH):
            part = slice(start, min(start + BATCH, count))
            inputs = {"z": tf.constant(noise[part])}
            if self.conditional and labels is not None:
                inputs["label"] = tf.constant(labels[part], tf.int64)
            images[part] = self._checked(self._signature(**inputs), images[part].shape)
        return images

    def _checked(self, outputs: dict[str, tf.Tensor], shape: tuple[int, ...]) -> np.ndarray:
        if "image" not in outputs:
            raise ValueError(f"a generator gives image; {self._directory} gives {', '.join(outputs)}")
        image = outputs["image"].numpy()
        if image.shape != shape or image.dtype != np.float32:
            raise ValueError(
                f"generated images are float32 {list(shape)}; {self._directory} made {image.dtype} {list(image.shape)}"
            )
        bad = ~np.isfinite(image).all(axis=(1, 2, 3))
        if bad.any():
            raise ValueError(
                f"generated images are finite; {bad.sum()} of {len(image)} of {self._directory} hold NaN or infinity"
            )
        if image.min() < -RANGE_TOLERANCE or image.max() > 1 + RANGE_TOLERANCE:
            raise ValueError(
                f"generated images lie in [0, 1]; {self._directory} made {image.min():.3g} to {image.max():.3g}"
            )
        return np.rint(image.clip(0, 1) * 255).astype(np.uint8)


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

    def extract(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Features and class probabilities.

        Args:
            images: [n, r, r, c] uint8.

        Returns:
            Features, [n, d] float64, and probabilities, [n, classes] float64, or None without classes.

        Raises:
            ValueError: the extractor takes images of another size, or gives no features.
        """
        features, logits = [], []
        for start in range(0, len(images), BATCH):
            batch = tf.constant(images[start : start + BATCH].astype(np.float32) / 255)
            try:
                outputs = self._signature(image=batch)
            except (TypeError, tf.errors.InvalidArgumentError):
                raise ValueError(
                    f"the feature extractor {self._directory} does not take images {batch.shape}"
                ) from None
            if "features" not in outputs:
                raise ValueError(f"a feature extractor gives features; {self._directory} gives {', '.join(outputs)}")
            features.append(outputs["features"].numpy().astype(np.float64))
            logits += [outputs["logits"].numpy().astype(np.float64)] if "logits" in outputs else []
        probabilities = _softmax(np.concatenate(logits)) if logits else None
        return np.concatenate(features), probabilities


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _load(directory: str, what: str) -> tuple[Any, Any]:
    try:
        module = tf.saved_model.load(directory)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{what} is a SavedModel; {directory} cannot be loaded: {reason}") from None
    if "serving_default" not in module.signatures:
        found = ", ".join(module.signatures) or "none"
        raise ValueError(f"{what} has the signature serving_default; {directory} has {found}")
    # The module is kept with its signature: it owns the variables.
    return module, module.signatures["serving_default"]
