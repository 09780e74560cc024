"""What a generator makes examples of: noise, and the codes of an InfoGAN."""

import tensorflow as tf

from models.config import Latent
from models.randomness import Key, draw


def drawn(latent: Latent, key: Key, size: int) -> dict[str, tf.Tensor]:
    """This replica's rows of a global batch.

    Args:
        latent: sizes.
        key: int64 [2].
        size: rows for this replica.

    Returns:
        `z` [size, latent.size] float32, standard normal; and `code` where there are codes, [size, categorical_codes +
        continuous_codes]: one-hot, then uniform in [-1, 1].
    """
    made = {"z": draw(key, "z", [size, latent.size], tf.random.stateless_normal)}
    codes = []
    if latent.categorical_codes:
        picked = tf.cast(draw(key, "category", [size]) * latent.categorical_codes, tf.int32)
        codes.append(tf.one_hot(picked, latent.categorical_codes))
    if latent.continuous_codes:
        codes.append(2 * draw(key, "code", [size, latent.continuous_codes]) - 1)
    return made | ({"code": tf.concat(codes, 1)} if codes else {})
