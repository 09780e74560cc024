"""What single images look like: grey or coloured, flat or not; and how well classes can be told apart."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 64
"""Pixels a side of what is kept of an image."""
GREY_DIFFERENCE = 12
"""Differences of two channels up to which a pixel has no colour: JPEG gives grey pixels some."""
GREY_SHARE = 0.995
FLAT_DEVIATION = 2.5
"""Standard deviation of the pixels, of 255, below which an image shows nothing."""

Pixels = npt.NDArray[np.uint8]


def small(content: bytes) -> Pixels:
    """The centred square of an image file, as training takes it, but of SIDE pixels.

    Args:
        content: a sound PNG or JPEG file of 1 or 3 channels.

    Returns:
        [64, 64, 3] uint8.
    """
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
        if image.mode.startswith("I"):
            # `convert` clips grey of 16 bits instead of scaling it
            image_8: Image.Image = Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
        else:
            image_8 = image.convert("RGB")
    side = min(image_8.size)
    left, top = (image_8.width - side) // 2, (image_8.height - side) // 2
    box = (left, top, left + side, top + side)
    fitted = image_8.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box, reducing_gap=2)
    return np.asarray(fitted.convert("RGB"))


def is_grey(image: Pixels) -> bool:
    """True where almost no pixel of an image, [h, w, 3], has a colour."""
    difference = image.max(axis=-1).astype(np.int16) - image.min(axis=-1)
    return bool((difference <= GREY_DIFFERENCE).mean() >= GREY_SHARE)


def is_flat(image: Pixels) -> bool:
    """True where an image, [h, w, 3], is of nearly one colour."""
    return bool(image.reshape(-1, 3).std(axis=0).max() < FLAT_DEVIATION)


def contrast(image: Pixels) -> float:
    """The standard deviation of the values of an image, [h, w, 3], over its places, the mean of its channels: of 2."""
    return float(image.reshape(-1, 3).std(axis=0).mean() / 127.5)


def edges(images: Pixels) -> npt.NDArray[np.float32]:
    """Where the edges of images are, whatever their colours.

    Args:
        images: [n, 64, 64, 3].

    Returns:
        [n, 63 * 63] float32: magnitudes of the grey gradient, each row of mean 0 and deviation 1; 0 where it is flat.
    """
    grey = images.mean(axis=-1, dtype=np.float32)
    down, across = np.diff(grey, axis=1)[:, :, :-1], np.diff(grey, axis=2)[:, :-1]
    rows = np.hypot(down, across).reshape(len(images), -1)
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-3), np.float32)


def told_apart(images: Pixels, labels: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """How well a linear classifier of 16 x 16 pixels reads the classes of images that it did not learn from.

    Args:
        images: [n, 64, 64, 3], in random order.
        labels: [n].

    Returns:
        The share that is read right, that of the most frequent class, which is guessed right, and the standard error of
        the first.
    """
    from sklearn.linear_model import RidgeClassifier

    size = SIDE // 16
    rows = images.reshape(len(images), 16, size, 16, size, 3).mean(axis=(2, 4)).reshape(len(images), -1) / 255 - 0.5
    learnt = 2 * len(images) // 3
    read = RidgeClassifier(alpha=len(images) / 10).fit(rows[:learnt], labels[:learnt])
    right = float((read.predict(rows[learnt:]) == labels[learnt:]).mean())
    guessed = float(np.unique(labels, return_counts=True)[1].max() / len(labels))
    count = len(images) - learnt
    return right, guessed, float(np.sqrt(max(right * (1 - right), 1 / count) / count))
