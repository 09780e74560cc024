"""Inception-v3, whose features the Frechet inception distance is of, and whose classes the Inception score."""

import hashlib
from pathlib import Path

import keras

from models.config import Data

SIZE = 299
"""Pixels a side that it looks at."""


def load_inception(data: Data, weights: str | None) -> tuple[keras.Model, str]:
    """Inception-v3 of Keras Applications, trained on ImageNet.

    The network of Heusel et al. is another training of the same architecture: compare with figures of Keras' weights.

    Args:
        data: what the images are; one channel is seen as three equal ones.
        weights: file of all its weights with its last layer, `.h5`; None for Keras' own, downloaded once.

    Returns:
        A model from images in [0, 1], [b, r, r, c], to {"features": [b, 2048], "inception_logits": [b, 1000]}, and the
        SHA-256 of the weights, which tells them from others.

    Raises:
        ValueError: the examples are no images; the file is not there or holds other weights; nothing can be downloaded.

    Reference: Szegedy et al. 2016; for GANs, Salimans et al. 2016, section 4, and Heusel et al. 2017, section 3.
    """
    if data.channels not in (1, 3):
        raise ValueError(f"Inception-v3 looks at images of 1 or 3 channels; received {data.channels}")
    network = _load(weights)
    image = keras.Input(data.shape, name="image")
    hidden = keras.layers.Concatenate()([image] * 3) if data.channels == 1 else image
    hidden = keras.layers.Lambda(_resized, output_shape=(SIZE, SIZE, 3))(hidden)
    both = keras.Model(network.input, [network.get_layer("avg_pool").output, network.output])
    features, logits = both(keras.layers.Rescaling(2, -1)(hidden))
    return keras.Model(image, {"features": features, "inception_logits": logits}), _digest(network)


def _load(weights: str | None) -> keras.Model:
    """The network with its last layer, which gives logits."""
    if weights is not None and not Path(weights).is_file():
        raise ValueError(f"evaluation.extractor_weights is a file of Inception-v3's weights; none is at {weights}")
    try:
        return keras.applications.InceptionV3(weights=weights or "imagenet", classifier_activation=None)
    except Exception as error:  # noqa: BLE001 - what Keras itself raises where it cannot download
        reason = str(error).strip().splitlines()[0]
        if weights is not None:
            raise ValueError(f"{weights} does not hold Inception-v3's weights: {reason}") from None
        raise ValueError(
            f"Inception-v3's weights cannot be downloaded ({reason}); name a file of them by "
            "evaluation.extractor_weights"
        ) from None


def _resized(images: keras.KerasTensor) -> keras.KerasTensor:
    return keras.ops.image.resize(images, (SIZE, SIZE), interpolation="bilinear", antialias=True)


def _digest(network: keras.Model) -> str:
    return hashlib.sha256(b"".join(each.tobytes() for each in network.get_weights())).hexdigest()
