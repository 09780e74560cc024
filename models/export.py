"""The SavedModel of a GAN: signatures that TF Serving answers, the same picture for the same seed."""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models import precision
from models.config import Experiment
from models.files import RECORD, writing
from models.gans.base import GAN
from models.source import source_hash

RECORDED = ("name", "data", "gan", "network", "objective", "training")
"""The parts of an experiment that made a model; they are saved in its `assets.extra/experiment.json`."""


class Sampler(tf.Module):
    """What is exported: networks in float32, each behind a signature of its name, and `sample` for the main one.

    A network's inputs decide its signature: `z` is noise, `code` an InfoGAN code, `label` a class, and `x` an example
    to translate, which is served as `image` in [0, 1] or `point`.

    Args:
        networks: signature's name -> network; the first is the main one.
        experiment: what made them.
    """

    def __init__(self, networks: Mapping[str, keras.Model], experiment: Experiment):
        super().__init__()
        self.networks = dict(networks)
        self.main = next(iter(networks.values()))
        self.network, self.data = experiment.network, experiment.data
        self.kind = "point" if self.data.points else "image"

    def signatures(self) -> dict[str, Any]:
        """The signatures as concrete functions, polymorphic in the batch."""
        made = {name: self._signature(network) for name, network in self.networks.items()}
        if "z" in self.main.input:
            specs = [
                tf.TensorSpec([None], tf.int64, name) for name in ("seed", "label") if name != "label" or self._asks
            ]
            made["sample"] = tf.function(self.sample).get_concrete_function(*specs)
        return made

    @property
    def _asks(self) -> bool:
        return "label" in self.main.input

    def _signature(self, network: keras.Model) -> Any:
        """Inputs to examples: `image` [batch, r, r, c] float32 in [0, 1], or `point` [batch, 2] float32."""

        def serve(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            if self.kind in inputs:
                inputs["x"] = self._inside(inputs.pop(self.kind))
            return {self.kind: self._outside(network(inputs, training=False))}

        return tf.function(serve).get_concrete_function(**self._specs(network))

    def _specs(self, network: keras.Model) -> dict[str, tf.TensorSpec]:
        specs = {}
        for name, tensor in network.input.items():
            served = self.kind if name == "x" else name
            kind = tf.int64 if name == "label" else tf.float32
            specs[served] = tf.TensorSpec([None, *tensor.shape[1:]], kind, served)
        return specs

    def sample(self, seed: tf.Tensor, label: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Seeds to PNG files or points; a row's result depends on its seed and label alone.

        Args:
            seed: [batch] int64.
            label: [batch] int64, of a conditional model.

        Returns:
            image_bytes: [batch] string, PNG; or point: [batch, 2] float32.
        """
        inputs = self._latent(seed) | ({} if label is None else {"label": label})
        x = self.main(inputs, training=False)
        if self.data.points:
            return {"point": x}
        pixels = tf.cast(tf.round((x + 1) * 127.5), tf.uint8)
        return {"image_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)}

    def _latent(self, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        # one stream a seed, by an algorithm that is the same on every device
        network, categories = self.network, self.network.categorical_codes

        def noise(each: tf.Tensor) -> tf.Tensor:
            return tf.random.stateless_normal([network.latent_size], tf.stack([each, 0]), alg="philox")

        def code(each: tf.Tensor) -> tf.Tensor:
            drawn = tf.random.stateless_uniform([1 + network.continuous_codes], tf.stack([each, 1]), alg="philox")
            picked = tf.one_hot(tf.cast(drawn[0] * categories, tf.int32), categories)
            return tf.concat([picked, 2 * drawn[1:] - 1], 0)

        latent = {"z": tf.map_fn(noise, seed, fn_output_signature=tf.float32)}
        if "code" in self.main.input:
            latent["code"] = tf.map_fn(code, seed, fn_output_signature=tf.float32)
        return latent

    def _inside(self, served: tf.Tensor) -> tf.Tensor:
        return served if self.data.points else served * 2 - 1

    def _outside(self, x: tf.Tensor) -> tf.Tensor:
        return x if self.data.points else (x + 1) / 2


def save(gan: GAN, directory: str | Path, *, trained_on: str = "", step: int | None = None) -> None:
    """Writes the SavedModel of a trained GAN; appears under its name only when it is complete.

    Args:
        gan: its `samplers()` are exported.
        directory: a model that it holds, of an earlier end of the same training, is replaced.
        trained_on: digest of the training examples.
        step: of the training, whose weights these are; its last by default.

    Raises:
        CannotWrite: the file system refuses, for example because it is full.
    """
    sampler = Sampler(gan.samplers(), gan.experiment)
    texts = {
        "experiment.json": gan.experiment.to_json(RECORDED, indent=2),
        Path(RECORD).name: json.dumps(record(gan, trained_on, step), indent=2),
    }
    final = str(directory).rstrip("/")
    unfinished = f"{final}.unfinished"
    with writing(directory):
        tf.saved_model.save(sampler, unfinished, signatures=sampler.signatures())
        extra = tf.io.gfile.join(unfinished, "assets.extra")
        tf.io.gfile.makedirs(extra)
        for name, text in texts.items():
            with tf.io.gfile.GFile(tf.io.gfile.join(extra, name), "w") as file:
                file.write(text)
        if tf.io.gfile.exists(final):
            tf.io.gfile.rmtree(final)
        tf.io.gfile.rename(unfinished, final)


def record(gan: GAN, trained_on: str, step: int | None) -> dict[str, Any]:
    """What, besides its experiment, decided a model's weights: enough to make it again."""
    training = gan.experiment.training
    return {
        "seed": training.seed,
        "step": training.total_steps if step is None else step,
        "examples": trained_on,
        "source": source_hash("models"),
        "precision": precision.resolve(training.precision),
        "strategy": training.strategy,
        "replicas": gan.replicas,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "machine": platform.machine(),
    }
