"""What tests of the science share: small data, small experiments, and checks that every network passes.

`tests.harness.schemes` and `tests.harness.tasks` check every scheme and every task.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.config import (
    Adversarial,
    Data,
    DCGANDiscriminator,
    DCGANGenerator,
    Discriminator,
    Experiment,
    Images,
    Latent,
    NoiseGenerator,
    Training,
)
from models.config.variants import made_by
from models.training import precision

DATA = Images(resolution=16, channels=1, classes=3)


def experiment(**parts: Any) -> Experiment:
    """A conditional GAN that trains in seconds; `training` may be a dict of its fields."""
    training = {"steps": 6, "batch_size": 8, "steps_per_call": 2, "strategy": "one_device", "precision": "float32"}
    defaults = {
        "name": "small",
        "data": DATA,
        "scheme": Adversarial(
            generator=DCGANGenerator(latent=Latent(size=4), width=4, condition="embedding"),
            discriminator=DCGANDiscriminator(width=4, condition="projection"),
        ),
    }
    return Experiment(**defaults | parts | {"training": Training(**training | parts.get("training", {}))})


def write_examples(directory: Path, data: Data = DATA, count: int = 40, seed: int = 0) -> list[str]:
    """Transformed examples of bright squares on noise, where a class has its corner; returns their pattern."""
    random = np.random.default_rng(seed)
    directory.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(directory / "examples.gz"), "GZIP") as writer:
        for i in range(count):
            image = random.integers(0, 60, [data.resolution, data.resolution, data.channels], np.uint8)
            corner = (i % max(data.classes, 1)) * 3
            image[corner : corner + 6, corner : corner + 6] = 255
            features = {"target": _bytes(tf.io.encode_png(image).numpy())}
            if data.classes:
                features["label"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[i % data.classes]))
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return [str(directory / "*")]


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


ROWS = 6
"""Of a batch that the checks show a network."""


def check_network(generator: NoiseGenerator, discriminator: Discriminator, data: Data) -> None:
    """Checks what a pair of networks takes, gives and reads, and that all of it can be trained."""
    codes = generator.codes
    auxiliary = discriminator.condition == "auxiliary"

    makes = trained(lambda: made_by("generator", generator)(generator, data))
    made = check_reads_its_inputs(makes)["output"]
    needed = {"z": True, "label": generator.conditional, "code": codes}
    assert set(makes.input) == {name for name, given in needed.items() if given}
    assert made.shape == (ROWS, *data.shape)
    assert data.points or np.abs(made).max() <= 1

    judges = trained(lambda: made_by("discriminator", discriminator)(discriminator, data, codes=codes))
    judged = check_reads_its_inputs(judges)
    assert set(judges.input) == {"target"} | ({"label"} if discriminator.conditional and not auxiliary else set())
    assert judges.input["target"].shape == (None, *data.shape[:-1], data.shape[-1] * discriminator.pack)
    heads = {"label": (ROWS, data.classes)} if auxiliary else {}
    heads |= {"code": (ROWS, codes)} if codes else {}
    shapes = {"logit": (ROWS,)} | heads if heads else {"output": (ROWS,)}
    assert {name: answer.shape for name, answer in judged.items()} == shapes

    for model in (makes, judges):
        assert all(variable.dtype == "float32" for variable in model.trainable_variables)
        check_trains_without_a_change(model)


def trained(build: Callable[[], keras.Model]) -> keras.Model:
    """A network as after some training: what begins at 0, or is the same for all labels, no longer is."""
    keras.utils.set_random_seed(0)
    model = build()
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign_add(random.normal(0, 0.1, variable.shape))
    return model


def check_reads_its_inputs(model: keras.Model) -> dict[str, tf.Tensor]:
    """Checks that each row of the output depends on each input, and returns the outputs, named "output" if only one."""
    given = inputs_of(model)
    outputs = _named(model(given, training=False))
    assert all(value.dtype == tf.float32 for value in outputs.values())
    for name, value in given.items():
        other = (value + 1) % 3 if value.dtype == tf.int32 else value[::-1] if name == "kernel" else -value
        changed = _matrix(_named(model(given | {name: other}, training=False))) != _matrix(outputs)
        assert changed.any(axis=1).all(), f"{model.name} does not read its {name}"
    return outputs


def check_trains_without_a_change(model: keras.Model) -> None:
    """Checks that `stateless_call` in training has a gradient for every weight and leaves the network as it is."""
    trainable = [variable.value for variable in model.trainable_variables]
    before = [variable.numpy() for variable in model.non_trainable_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(trainable)
        outputs, after = model.stateless_call(trainable, before, inputs_of(model), training=True)
        loss = sum(tf.reduce_sum(value**2) for value in _named(outputs).values())
    for variable, gradient in zip(model.trainable_variables, tape.gradient(loss, trainable), strict=True):
        assert gradient is not None, f"{variable.path} has no gradient"
        assert np.isfinite(tf.convert_to_tensor(gradient)).all(), f"{variable.path} has no finite gradient"
    for variable, old, new in zip(model.non_trainable_variables, before, after, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)
        assert not np.array_equal(new, old), f"training leaves {variable.path} as it is"


def check_all(build: Callable[[], keras.Model]) -> None:
    """Checks of a network what the checks above do; that it gives about the same in bfloat16, and exactly the same when
    it is read from JSON; and that one graph serves batches of any size, as a SavedModel's signature does."""
    model = trained(build)
    check_reads_its_inputs(model)
    check_trains_without_a_change(model)
    with precision.scope("bfloat16"):
        mixed = build()
    mixed.set_weights(model.get_weights())
    assert all(variable.dtype == "float32" for variable in mixed.trainable_variables)
    given = inputs_of(model)
    expected, received = _named(model(given, training=False)), _named(mixed(given, training=False))
    assert all(value.dtype == tf.float32 for value in received.values())
    scale = np.abs(_matrix(expected)).max()
    np.testing.assert_allclose(_matrix(received), _matrix(expected), atol=0.05 * scale)
    assert (_matrix(received) != _matrix(expected)).any(), "the policy has no effect"

    twin = keras.models.model_from_json(mixed.to_json())
    twin.set_weights(mixed.get_weights())
    np.testing.assert_array_equal(_matrix(_named(twin(given, training=False))), _matrix(received))

    signature = {name: tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in model.input.items()}
    serve = tf.function(lambda inputs: _named(model(inputs, training=False)), input_signature=[signature])
    for rows in (ROWS, ROWS - 1, 1):
        fewer = {name: value[:rows] for name, value in given.items()}
        np.testing.assert_allclose(
            _matrix(serve(fewer)), _matrix(_named(model(fewer, training=False))), atol=1e-5 * scale
        )


def inputs_of(model: keras.Model) -> dict[str, tf.Tensor]:
    """ROWS rows of what a network takes: labels below 3, kernels, or values in [-1, 1]."""
    random = np.random.default_rng(1)
    return {name: _rows_of(name, tensor, random) for name, tensor in model.input.items()}


def _rows_of(name: str, tensor: keras.KerasTensor, random: np.random.Generator) -> tf.Tensor:
    if tensor.dtype == "int32":
        return tf.constant(np.arange(ROWS) % 3, tf.int32)
    values = random.uniform(-1, 1, [ROWS, *tensor.shape[1:]])
    if name == "kernel":
        values = values**2 / (values**2).sum(axis=(1, 2), keepdims=True)
    return tf.constant(values, tf.float32)


def _named(outputs: Any) -> dict[str, tf.Tensor]:
    return outputs if isinstance(outputs, dict) else {"output": outputs}


def _matrix(outputs: dict[str, tf.Tensor]) -> np.ndarray:
    return np.concatenate([tf.reshape(value, [len(value), -1]) for value in outputs.values()], axis=1)


def weights(state: Mapping[str, tf.Variable]) -> dict[str, np.ndarray]:
    """A copy of a GAN's state."""
    return {name: variable.numpy() for name, variable in state.items()}
