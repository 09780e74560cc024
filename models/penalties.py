"""What keeps the discriminator's gradients in bounds, and what is done to its inputs for the same end.

A penalty is a function `(critic, real, fake, key) -> [batch]`; the train step weights it and takes the mean. `real`
and `fake` are images [batch, height, width, channels] or points [batch, d], float32; the result is float32, at least 0.

All randomness is a function of the key, an int64 [2] tensor that differs from use to use. It is drawn for the global
batch, of which a replica takes its rows (see `models.randomness`): the number of replicas changes nothing of it.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

from models.objectives import PerExample
from models.randomness import Key, Name, draw
from models.replicas import global_mean

Critic = Callable[[tf.Tensor], tf.Tensor]
"""Examples [batch, ...] -> logits [batch], the condition already applied."""

ANY_KEY = (0, 0)
"""For a call outside of training: it draws the same each time."""


def r1(critic: Critic, real: tf.Tensor, fake: tf.Tensor, key: Key = ANY_KEY) -> PerExample:
    """Half the squared norm of the critic's gradient at real images.

    Args:
        critic: the discriminator.
        real: real images, [batch, height, width, channels], float32.
        fake: not read.
        key: not read.

    Returns:
        |grad critic(real)|^2 / 2 an example, [batch] float32, at least 0.

    Reference: Mescheder, Geiger & Nowozin 2018, equation 9; their gamma is the weight.
    """
    del fake, key
    return squared_gradient_norm(critic, real) / 2


def r2(critic: Critic, real: tf.Tensor, fake: tf.Tensor, key: Key = ANY_KEY) -> PerExample:
    """Half the squared norm of the critic's gradient at generated images: |grad critic(fake)|^2 / 2.

    `real` and `key` are not read.

    Reference: Mescheder, Geiger & Nowozin 2018, equation 10; their gamma is the weight.
    """
    del real, key
    return squared_gradient_norm(critic, fake) / 2


def wgan_gp(critic: Critic, real: tf.Tensor, fake: tf.Tensor, key: Key = ANY_KEY) -> PerExample:
    """Pulls the gradient's norm to 1 on straight lines from real to generated images: (|grad| - 1)^2.

    Raises:
        ValueError: `real` and `fake` differ in shape.

    Reference: Gulrajani et al. 2017, algorithm 1; their lambda, 10, is the weight.
    """
    return (gradient_norm(critic, interpolated(real, fake, key)) - 1) ** 2


def wgan_gp_one_sided(critic: Critic, real: tf.Tensor, fake: tf.Tensor, key: Key = ANY_KEY) -> PerExample:
    """Is `wgan_gp`, but that a norm below 1 costs nothing, as a 1-Lipschitz function may have it: relu(|grad| - 1)^2.

    Raises:
        ValueError: `real` and `fake` differ in shape.

    Reference: Petzka, Fischer & Lukovnikov 2018 (WGAN-LP), equation 8; 10 is a usual weight.
    """
    return tf.nn.relu(gradient_norm(critic, interpolated(real, fake, key)) - 1) ** 2


def dragan(critic: Critic, real: tf.Tensor, fake: tf.Tensor, key: Key = ANY_KEY) -> PerExample:
    """Pulls the gradient's norm to 1 around real images: (|grad| - 1)^2 at real + a * noise.

    As in the authors' code, the noise is uniform in [0, half the standard deviation of the whole batch's pixels] and
    `a`, one an image, uniform in [0, 1); the paper's text has Gaussian noise of a fixed variance. The deviation is that
    of the global batch. `fake` is not read.

    Reference: Kodali et al. 2017, section 2.3; their lambda, 10, is the weight.
    """
    del fake
    deviation = tf.sqrt(global_mean((real - global_mean(real)) ** 2))
    noise = deviation / 2 * draw(key, "noise", real.shape)
    return (gradient_norm(critic, real + draw(key, "share", _one_a_row(real)) * noise) - 1) ** 2


def consistency(critic: Critic, real: tf.Tensor, fake: tf.Tensor, key: Key = ANY_KEY) -> PerExample:
    """Keeps the critic's opinion of a real image when the image is moved: (critic(moved) - critic(real))^2.

    The change is a random translation by up to 1/8 of each side; the paper's other one, a flip, would turn a digit into
    none. `fake` is not read.

    Raises:
        ValueError: `real` are no images.

    Reference: Zhang et al. 2020 (CR-GAN), equation 3; their lambda, 10, is the weight.
    """
    del fake
    moved = diff_augment(real, key, policy=("translation",))
    return tf.cast(critic(moved) - critic(real), tf.float32) ** 2


def path_length(
    generate: Callable[[tf.Tensor], tf.Tensor], z: tf.Tensor, key: Key, memory: tf.Tensor
) -> tuple[PerExample, tf.Tensor]:
    """Makes a step of fixed size in the latent space change the image by a fixed amount, wherever it is made.

    The length is |J^T y| for the generator's Jacobian J at z and Gaussian noise y of the image's shape, divided by the
    root of the number of its pixels; the penalty is its squared distance from a running mean.

    Args:
        generate: latents [batch, d] -> images [batch, ...].
        z: latents [batch, d], float32.
        key: int64 [2].
        memory: the running mean, a scalar; 0 at the start.

    Returns:
        (length - mean)^2 an example, [batch] float32, at least 0; and the mean, moved by 1/100 to that of this batch.

    Reference: Karras et al. 2020, equation 4, decay and scale as in their code; their weight is 2.
    """
    with tf.GradientTape() as tape:
        tape.watch(z)
        image = tf.cast(generate(z), tf.float32)
        noise = draw(key, "direction", image.shape, tf.random.stateless_normal)
        places = image.shape[1:-1].num_elements()
        total = tf.reduce_sum(image * noise) / places**0.5
    slope = tape.gradient(total, z)
    # the root's derivative is infinite at 0; below the floor it is 0
    length = tf.sqrt(tf.maximum(tf.reduce_sum(slope**2, axis=1), 1e-12))
    mean = memory + 0.01 * (global_mean(tf.stop_gradient(length)) - memory)
    return (length - mean) ** 2, mean


def squared_gradient_norm(critic: Critic, images: tf.Tensor) -> PerExample:
    """|grad critic(images)|^2 an example, [batch] float32; differentiable."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        # examples do not mix in the critic, so the gradient of the sum holds each example's own gradient
        total = tf.reduce_sum(critic(images))
    gradient = tf.cast(tape.gradient(total, images), tf.float32)
    return tf.reduce_sum(gradient**2, axis=list(range(1, len(images.shape))))


def gradient_norm(critic: Critic, images: tf.Tensor) -> PerExample:
    """|grad critic(images)| an example, [batch] float32, at least 1e-6; differentiable."""
    # the root's derivative is infinite at 0; below the floor it is 0
    return tf.sqrt(tf.maximum(squared_gradient_norm(critic, images), 1e-12))


def interpolated(real: tf.Tensor, fake: tf.Tensor, key: Key) -> tf.Tensor:
    """A point on the line from each generated to its real image, uniform in [fake, real).

    Raises:
        ValueError: the shapes differ.
    """
    if real.shape != fake.shape:
        raise ValueError(
            f"real and fake images have the same shape; received {list(real.shape)} and {list(fake.shape)}"
        )
    return fake + draw(key, "share", _one_a_row(real)) * (real - fake)


def instance_noise(images: tf.Tensor, key: Key, *, stddev: float | tf.Tensor) -> tf.Tensor:
    """Images with Gaussian noise, for real and generated ones alike: their distributions overlap, so that D cannot win.

    Args:
        images: [batch, height, width, channels], float.
        key: int64 [2]; another one for each batch.
        stddev: of the noise, at least 0, in units of the pixels; usually annealed to 0 over the training.

    Returns:
        Noisy images, not clipped, same shape and dtype.

    Reference: Sonderby et al. 2017, section 2.2; Arjovsky & Bottou 2017, section 3.
    """
    noise = draw(key, "noise", images.shape, tf.random.stateless_normal)
    return images + tf.cast(stddev * noise, images.dtype)


def clip_weight(weight: tf.Tensor, *, limit: float = 0.01) -> tf.Tensor:
    """The critic's weight after an update, clipped to [-limit, limit]: all its weights then make it Lipschitz.

    Raises:
        ValueError: `limit` is not positive.

    Reference: Arjovsky, Chintala & Bottou 2017, algorithm 1 (c = 0.01).
    """
    if limit <= 0:
        raise ValueError(f"limit is above 0; received {limit}")
    return tf.clip_by_value(weight, -limit, limit)


def diff_augment(
    images: tf.Tensor, key: Key, *, policy: Sequence[str] = ("color", "translation", "cutout")
) -> tf.Tensor:
    """Random changes that the gradient passes through, for all that D sees, in both players' steps.

    Args:
        images: [batch, height, width, channels] in [-1, 1], float.
        key: int64 [2]; another one for each batch.
        policy: any of `color` (brightness, saturation, contrast), `translation` (by up to 1/8 of each side) and
            `cutout` (of a square of half the side), in the order of application.

    Returns:
        Changed images, same shape and dtype; colours are not clipped, what is cut or moved in is 0 (grey).

    Raises:
        ValueError: `policy` names something else, or what is to be changed are no images.

    Reference: Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training"; ranges of their code.
    """
    if len(images.shape) != 4:
        raise ValueError(f"augmentation changes images [batch, height, width, channels]; received {list(images.shape)}")
    for name in policy:
        if name not in AUGMENTATIONS:
            raise ValueError(f"policy names any of {', '.join(AUGMENTATIONS)}; received {name}")
        images = AUGMENTATIONS[name](images, key)
    return images


def _one_a_row(x: tf.Tensor) -> list[int]:
    """[batch, 1, ...], which broadcasts against `x`."""
    return [x.shape[0], *[1] * (len(x.shape) - 1)]


def _color(images: tf.Tensor, key: Key) -> tf.Tensor:
    brightness, saturation, contrast = (
        tf.cast(draw(key, name, [images.shape[0], 1, 1, 1]), images.dtype)
        for name in ("brightness", "saturation", "contrast")
    )
    images += brightness - 0.5
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = grey + (images - grey) * (2 * saturation)
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    return mean + (images - mean) * (contrast + 0.5)


def _translation(images: tf.Tensor, key: Key) -> tf.Tensor:
    for axis, name in ((1, "rows moved"), (2, "columns moved")):
        side = images.shape[axis]
        most = int(side / 8 + 0.5)
        first = _integers(key, name, images.shape[0], 2 * most + 1)
        padded = tf.pad(images, [[most, most] if i == axis else [0, 0] for i in range(4)])
        images = tf.gather(padded, first[:, None] + tf.range(side), axis=axis, batch_dims=1)
    return images


def _cutout(images: tf.Tensor, key: Key) -> tf.Tensor:
    batch, *sides, _ = images.shape
    inside = []
    for side, name in zip(sides, ("rows cut", "columns cut"), strict=True):
        size = int(side / 2 + 0.5)
        # the square's centre is anywhere in the image, so that part of the square may be outside
        first = _integers(key, name, batch, side + 1 - size % 2) - size // 2
        place = tf.range(side) - first[:, None]
        inside.append((place >= 0) & (place < size))
    cut = inside[0][:, :, None] & inside[1][:, None, :]
    return images * tf.cast(~cut, images.dtype)[..., None]


def _integers(key: Key, name: Name, rows: int, count: int) -> tf.Tensor:
    """Uniform in 0 .. count - 1, [rows] int32."""
    return tf.cast(draw(key, name, [rows]) * count, tf.int32)


AUGMENTATIONS = {"color": _color, "translation": _translation, "cutout": _cutout}
