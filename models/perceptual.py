"""Losses in the features of pretrained networks, which never learn: how far two images look apart.

The networks stand in the catalog's EXTRACTORS, with those that judge; what a model was trained on never judges it (see
`models.config.Experiment`).
"""

import keras
import tensorflow as tf

from models import pixels
from models.catalog import EXTRACTORS, lookup
from models.config import Content
from models.training import precision


class ContentDistance:
    """The content loss: squared distance of the maps that a layer makes of two images.

    Args:
        content: names the network, its layer and its file of weights.

    Raises:
        ValueError: the file is not there, holds other weights, or is not the one that is meant.

    Reference: Ledig et al. 2017, equation 5; Johnson, Alahi & Fei-Fei 2016, equation 2.
    """

    def __init__(self, content: Content):
        file = content.file or EXTRACTORS[content.network].fetched
        with precision.scope("float32"):
            network, digest = lookup("content network", content.network)(file)
            if digest != content.digest:
                raise ValueError(
                    f"the weights of {content.network} have the SHA-256 {content.digest}; received {file} of {digest}: "
                    "ganworks fetch brings the right ones, or name others by scheme.content.file and .sha256"
                )
            self._maps = keras.Model(network.input, network.output[content.layer], trainable=False)

    def __call__(self, real: tf.Tensor, made: tf.Tensor) -> tf.Tensor:
        """Distances of pairs.

        Args:
            real: [batch, h, w, 1 or 3] in [-1, 1], any float dtype; no gradient flows into it.
            made: likewise; of any range.

        Returns:
            [batch] float32: mean over the places and channels of the layer.
        """
        return tf.reduce_mean((self._seen(made) - tf.stop_gradient(self._seen(real))) ** 2, axis=[1, 2, 3])

    def _seen(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.cast(x, tf.float32)
        colour = tf.repeat(x, 3, axis=-1) if x.shape[-1] == 1 else x
        return self._maps(pixels.centred_bgr(colour), training=False)
