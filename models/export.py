"""The SavedModel of a generator: signatures that TF Serving answers, the same picture for the same seed."""

import uuid
from pathlib import Path
from typing import Any

import tensorflow as tf

from models.config import Experiment
from models.gans.base import GAN

RECORDED = ("name", "data", "gan", "network", "objective", "training")
"""The parts of an experiment that made a model; they are saved in its `assets.extra/experiment.json`."""


class Sampler(tf.Module):
    """What is exported: the averaged generator in float32 behind two signatures."""

    def __init__(self, generator: Any, experiment: Experiment):
        super().__init__()
        self.generator = generator
        self.latent_size = experiment.network.latent_size
        self.conditional = experiment.network.condition != "none"

    def signatures(self) -> dict[str, Any]:
        """`serving_default` and `sample` as concrete functions, polymorphic in the batch."""
        z = tf.TensorSpec([None, self.latent_size], tf.float32, "z")
        seed = tf.TensorSpec([None], tf.int64, "seed")
        label = [tf.TensorSpec([None], tf.int64, "label")] if self.conditional else []
        return {
            "serving_default": tf.function(self.serve).get_concrete_function(z, *label),
            "sample": tf.function(self.sample).get_concrete_function(seed, *label),
        }

    def serve(self, z: tf.Tensor, label: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Noise to images.

        Args:
            z: [batch, latent_size] float32, standard normal.
            label: [batch] int64, of a conditional model.

        Returns:
            image: [batch, r, r, c] float32 in [0, 1].
        """
        return {"image": (self._image(z, label) + 1) / 2}

    def sample(self, seed: tf.Tensor, label: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Seeds to PNG files; a row's picture depends on its seed and label alone.

        Args:
            seed: [batch] int64.
            label: [batch] int64, of a conditional model.

        Returns:
            image_bytes: [batch] string, PNG.
        """
        image = (self._image(self._noise(seed), label) + 1) * 127.5
        pixels = tf.cast(tf.round(image), tf.uint8)
        return {"image_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)}

    def _image(self, z: tf.Tensor, label: tf.Tensor | None) -> tf.Tensor:
        inputs = {"z": z}
        if label is not None:
            inputs["label"] = label
        return self.generator(inputs, training=False)

    def _noise(self, seed: tf.Tensor) -> tf.Tensor:
        # one stream a seed, by an algorithm that is the same on every device
        def row(each: tf.Tensor) -> tf.Tensor:
            return tf.random.stateless_normal([self.latent_size], tf.stack([each, 0]), alg="philox")

        return tf.map_fn(row, seed, fn_output_signature=tf.float32)


def save(gan: GAN, directory: str | Path) -> None:
    """Writes the SavedModel of a trained GAN; appears under its name only when it is complete.

    Args:
        gan: its `sampler()` is exported.
        directory: must not hold a model yet.
    """
    sampler = Sampler(gan.sampler(), gan.experiment)
    unfinished = f"{str(directory).rstrip('/')}.{uuid.uuid4().hex[:8]}"
    tf.saved_model.save(sampler, unfinished, signatures=sampler.signatures())
    extra = tf.io.gfile.join(unfinished, "assets.extra")
    tf.io.gfile.makedirs(extra)
    with tf.io.gfile.GFile(tf.io.gfile.join(extra, "experiment.json"), "w") as file:
        file.write(gan.experiment.to_json(RECORDED, indent=2))
    tf.io.gfile.rename(unfinished, str(directory))
