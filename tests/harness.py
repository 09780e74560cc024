"""What tests of the science share: small data, small experiments, and checks that every network passes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.catalog import lookup
from models.config import Data, Experiment, Network, Training

DATA = Data(resolution=16, channels=1, labels=3)


def experiment(**parts: Any) -> Experiment:
    """A conditional GAN that trains in seconds; `training` may be a dict of its fields."""
    training = {"steps": 6, "batch_size": 8, "steps_per_call": 2, "strategy": "one_device", "precision": "float32"}
    defaults = {
        "name": "small",
        "data": DATA,
        "network": Network(latent_size=4, generator_width=4, discriminator_width=4, condition="embedding"),
    }
    return Experiment(**defaults | parts | {"training": Training(**training | parts.get("training", {}))})


def write_examples(directory: Path, data: Data = DATA, count: int = 40, seed: int = 0) -> list[str]:
    """Transformed examples of bright squares on noise, where a class has its corner; returns their pattern."""
    random = np.random.default_rng(seed)
    directory.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(directory / "examples.gz"), "GZIP") as writer:
        for i in range(count):
            image = random.integers(0, 60, [data.resolution, data.resolution, data.channels], np.uint8)
            corner = (i % max(data.labels, 1)) * 3
            image[corner : corner + 6, corner : corner + 6] = 255
            features = {"image": _bytes(tf.io.encode_png(image).numpy())}
            if data.labels:
                features["label"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[i % data.labels]))
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return [str(directory / "*")]


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def check_network(name: str, network: Network, data: Data) -> None:
    """Shapes, range, dtypes, conditioning and initial scale of a pair of networks."""
    module = lookup("network", name)
    generator, discriminator = module.generator(network, data), module.discriminator(network, data)
    z = tf.random.stateless_normal([5, network.latent_size], [1, 2])
    condition = {"label": tf.constant([0, 1, 2, 0, 1])} if network.condition != "none" else {}
    image = generator({"z": z} | condition, training=False)
    assert image.shape == (5, data.resolution, data.resolution, data.channels)
    assert image.dtype == tf.float32
    assert float(tf.reduce_max(tf.abs(image))) <= 1
    logits = discriminator({"image": image} | condition, training=False)
    assert logits.shape == (5,)
    assert logits.dtype == tf.float32
    assert all(variable.dtype == "float32" for variable in generator.trainable_variables)
    if condition:
        other = {"label": (condition["label"] + 1) % data.labels}
        # initial weights are small: it is enough that something moves
        assert not np.array_equal(generator({"z": z} | other, training=False), image), "G does not read its label"
        changed = discriminator({"image": image} | other, training=False)
        assert not np.array_equal(changed, logits), "D does not read its label"


def weights(state: Mapping[str, tf.Variable]) -> dict[str, np.ndarray]:
    """A copy of a GAN's state."""
    return {name: variable.numpy() for name, variable in state.items()}
