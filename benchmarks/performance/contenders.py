"""What `bench throughput` compares: one DCGAN-28, trained by our loop, by bare TensorFlow and by PyTorch.

Each is made for a batch size and a precision and then trains some steps at a time. A step is that of algorithm 1 with
k = 1: the discriminator learns from a real and a generated batch, then the generator from fresh noise. The networks,
losses and optimizers are the same; their weights and noise are not, which no time depends on.
"""

import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SIZE, LATENT, WIDTH, KERNEL = 28, 100, 64, 5
RATE, BETA_1, BETA_2 = 2e-4, 0.5, 0.999
NEVER = 10**9

Run = Callable[[int], Any]
"""Trains so many steps and returns when they are done."""


def serve(pipe: Connection, name: str, batch: int, precision: str, steps: int) -> None:
    """Trains `steps` steps each time the pipe says so, and answers when they are done; the process of a contender."""
    if name == "ganworks":
        train_ganworks(pipe, batch, precision, steps)
        return
    run = {"tensorflow": tensorflow_run, "pytorch": pytorch_run}[name](batch, precision)
    while pipe.recv():
        run(steps)
        pipe.send(True)


def experiment(batch: int, precision: str, steps: int) -> Any:
    """The experiment that our loop trains: all defaults, but for what would interrupt the steps."""
    from models.config import Experiment, Health, Images, Training

    return Experiment(
        name="throughput",
        data=Images(resolution=SIZE, channels=1),
        training=Training(
            steps=NEVER,
            batch_size=batch,
            precision=precision,
            steps_per_call=steps,
            checkpoint_every_steps=NEVER,
            sample_every_steps=NEVER,
            health=Health(check_every_steps=NEVER),
        ),
    )


def train_ganworks(pipe: Connection, batch: int, precision: str, steps: int) -> None:
    """`train` as a pipeline runs it, with data, average and history; a callback waits between calls."""
    import keras

    from models.training.train import train

    class Turns(keras.callbacks.Callback):
        """Waits for the turn before each call of the compiled loop, and ends the process after the last."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.wait()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            pipe.send(True)
            self.wait()

        def wait(self) -> None:
            if not pipe.recv():
                sys.exit()

    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder, "examples.gz")
        write_examples(examples, 4 * batch)
        places = {name: Path(folder, name) for name in ("model_dir", "run_dir", "checkpoint_dir")}
        train(experiment(batch, precision, steps), examples=[str(examples)], callbacks=[Turns()], **places)


def write_examples(path: Path, count: int) -> None:
    """Images of noise, as Transform writes images."""
    import numpy as np
    import tensorflow as tf

    images = np.random.default_rng(0).integers(0, 256, [count, SIZE, SIZE, 1], np.uint8)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for image in images:
            value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[tf.io.encode_png(image).numpy()]))
            writer.write(tf.train.Example(features=tf.train.Features(feature={"target": value})).SerializeToString())


def keras_networks() -> tuple[Any, Any]:
    """Generator and discriminator of Keras' own layers, in the precision of the scope."""
    import keras
    from keras import layers

    def weights() -> keras.initializers.Initializer:
        return keras.initializers.RandomNormal(stddev=0.02)

    def normal(x: Any) -> Any:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)

    z = layers.Input([LATENT])
    size = SIZE // 4
    x = layers.Dense(size * size * 4 * WIDTH, use_bias=False, kernel_initializer=weights())(z)
    x = layers.ReLU()(normal(layers.Reshape([size, size, 4 * WIDTH])(x)))
    for filters, stride in ((2 * WIDTH, 1), (WIDTH, 2)):
        x = layers.Conv2DTranspose(filters, KERNEL, stride, "same", use_bias=False, kernel_initializer=weights())(x)
        x = layers.ReLU()(normal(x))
    x = layers.Conv2DTranspose(1, KERNEL, 2, "same", kernel_initializer=weights())(x)
    generator = keras.Model(z, layers.Activation("tanh", dtype="float32")(x))

    image = layers.Input([SIZE, SIZE, 1])
    x = layers.LeakyReLU(0.2)(layers.Conv2D(WIDTH, KERNEL, 2, "same", kernel_initializer=weights())(image))
    x = normal(layers.Conv2D(2 * WIDTH, KERNEL, 2, "same", use_bias=False, kernel_initializer=weights())(x))
    x = layers.Flatten()(layers.LeakyReLU(0.2)(x))
    logit = layers.Dense(1, kernel_initializer=weights(), dtype="float32")(x)
    return generator, keras.Model(image, layers.Reshape([], dtype="float32")(logit))


def tensorflow_run(batch: int, precision: str) -> Run:
    """A compiled loop of such steps, and nothing else: no data, average, logs or strategy."""
    import keras
    import tensorflow as tf

    from models.training.precision import scope

    with scope(precision):
        generator, discriminator = keras_networks()
    optimizers = [keras.optimizers.Adam(RATE, BETA_1, BETA_2) for _ in range(2)]
    for optimizer, network in zip(optimizers, (generator, discriminator), strict=True):
        optimizer.build(network.trainable_variables)
    real = tf.random.uniform([batch, SIZE, SIZE, 1], -1, 1)

    def noise(step: tf.Tensor, use: int) -> tf.Tensor:
        return tf.random.stateless_normal([batch, LATENT], [step, use])

    def update(optimizer: Any, network: Any, tape: Any, loss: Any) -> None:
        weights = network.trainable_variables
        optimizer.apply(tape.gradient(loss, [each.value for each in weights]), weights)

    def train_step(step: tf.Tensor) -> None:
        fake = generator(noise(step, 0), training=True)
        with tf.GradientTape() as tape:
            logits = discriminator(real, training=True), discriminator(fake, training=True)
            loss = tf.reduce_mean(tf.math.softplus(-logits[0]) + tf.math.softplus(logits[1])) / 2
        update(optimizers[1], discriminator, tape, loss)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([each.value for each in generator.trainable_variables])
            fake = generator(noise(step, 1), training=True)
            loss = tf.reduce_mean(tf.math.softplus(-discriminator(fake, training=True))) / 2
        update(optimizers[0], generator, tape, loss)

    @tf.function
    def loop(steps: tf.Tensor) -> None:
        for step in tf.range(steps):
            train_step(step)

    return lambda steps: loop(tf.constant(steps))


def pytorch_networks() -> tuple[Any, Any]:
    """The same networks of PyTorch's modules."""
    from torch import nn

    def normal(channels: int) -> nn.Module:
        return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1)

    size, half = SIZE // 4, KERNEL // 2
    generator = nn.Sequential(
        nn.Linear(LATENT, size * size * 4 * WIDTH, bias=False),
        nn.Unflatten(1, (4 * WIDTH, size, size)),
        normal(4 * WIDTH),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(4 * WIDTH, 2 * WIDTH, KERNEL, 1, half, bias=False),
        normal(2 * WIDTH),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(2 * WIDTH, WIDTH, KERNEL, 2, half, output_padding=1, bias=False),
        normal(WIDTH),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(WIDTH, 1, KERNEL, 2, half, output_padding=1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, WIDTH, KERNEL, 2, half),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(WIDTH, 2 * WIDTH, KERNEL, 2, half, bias=False),
        normal(2 * WIDTH),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Flatten(),
        nn.Linear(size * size * 2 * WIDTH, 1),
        nn.Flatten(0),
    )
    return generator, discriminator


def pytorch_run(batch: int, precision: str) -> Run:
    """Such steps in eager PyTorch, by its fused Adam and with no gradient that is not needed.

    Args:
        batch: examples a step.
        precision: `float32` or `bfloat16` (autocast), with `, channels_last` for weights and images in that order.
    """
    import torch
    from torch.nn import functional

    autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision.startswith("bfloat16"))
    order = torch.channels_last if precision.endswith("channels_last") else torch.contiguous_format
    networks = generator, discriminator = [network.to(memory_format=order) for network in pytorch_networks()]
    weights = [list(network.parameters()) for network in networks]
    optimizers = [torch.optim.Adam(each, RATE, (BETA_1, BETA_2), fused=True) for each in weights]
    real = torch.empty(batch, 1, SIZE, SIZE).uniform_(-1, 1).to(memory_format=order)

    def update(player: int, loss: torch.Tensor) -> None:
        for weight, gradient in zip(weights[player], torch.autograd.grad(loss, weights[player]), strict=True):
            weight.grad = gradient
        optimizers[player].step()

    def step() -> None:
        with autocast:
            with torch.no_grad():
                fake = generator(torch.randn(batch, LATENT))
            logits = discriminator(real).float(), discriminator(fake).float()
            loss = (functional.softplus(-logits[0]) + functional.softplus(logits[1])).mean() / 2
        update(1, loss)
        with autocast:
            logit = discriminator(generator(torch.randn(batch, LATENT)))
            loss = functional.softplus(-logit.float()).mean() / 2
        update(0, loss)

    def run(steps: int) -> None:
        for _ in range(steps):
            step()

    return run
