"""What Transform does to an example: the one `preprocessing_fn`, named by its dotted path."""

import json
from typing import Any

import tensorflow as tf

from models.config import parse_data


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Makes images of one size and depth, as compact as a lossless file gets; points pass as they are.

    Args:
        inputs: `image/encoded`, PNG or JPEG of any size, [batch] or [batch, 1], or `point`, float32, [batch, 2];
            `label` and, where there are two domains, `domain`, int64, [batch] or [batch, 1]. Dense or sparse.
        custom_config: `data`, JSON of what the data say: their resolution, channels and classes are read.

    Returns:
        `image`: [batch, 1] string, PNG of [resolution, resolution, channels] uint8, or `point`: [batch, 2] float32;
        `label`: [batch, 1] int64 where `data.classes` is not 0; `domain`: likewise where there are two.
    """
    # a configuration is no graph
    data = tf.autograph.experimental.do_not_convert(parse_data)(json.loads(custom_config["data"]))
    if "point" in inputs:
        outputs = {"point": tf.reshape(_dense(inputs["point"]), [-1, 2])}
    else:
        encoded = tf.map_fn(
            lambda content: tf.io.encode_png(fit(decode(content, data.channels), data.resolution)),
            tf.reshape(_dense(inputs["image/encoded"]), [-1]),
            fn_output_signature=tf.string,
            parallel_iterations=16,
        )
        outputs = {"image": encoded[:, tf.newaxis]}
    for name, wanted in (("label", data.classes), ("domain", "domain" in inputs)):
        if wanted:
            outputs[name] = tf.reshape(_dense(inputs[name]), [-1, 1])
    return outputs


def decode(content: tf.Tensor, channels: int) -> tf.Tensor:
    """Decodes a PNG or JPEG and converts its channels.

    Args:
        content: scalar string, a file of 1 or 3 channels.
        channels: 1 (ITU-R 601 luma of a colour image) or 3 (grey repeated).

    Returns:
        [height, width, channels] uint8; bit for bit what the file holds where the channels are the same.
    """
    return _converted(tf.io.decode_image(content, channels=0, expand_animations=False), channels)


def decode_any(content: tf.Tensor, channels: int) -> tf.Tensor:
    """Decodes a file as people have them: like `decode`, and what is transparent is put on white, as in ingestion.

    Args:
        content: scalar string, PNG or JPEG of 1 to 4 channels.
        channels: 1 or 3; see `decode`.

    Returns:
        [height, width, channels] uint8.
    """
    image = tf.io.decode_image(content, channels=0, expand_animations=False)

    def on_white() -> tf.Tensor:
        share = tf.cast(image[..., -1:], tf.float32) / 255
        put = tf.cast(image[..., :-1], tf.float32) * share + 255 * (1 - share)
        return tf.cast(tf.round(put), tf.uint8)

    transparent = tf.shape(image)[-1] % 2 == 0
    return _converted(tf.cond(transparent, on_white, lambda: image), channels)


def _converted(image: tf.Tensor, channels: int) -> tf.Tensor:
    """An image of 1 or 3 channels as one of so many."""
    if channels == 3:
        converted = tf.cond(tf.shape(image)[-1] == 3, lambda: image, lambda: tf.repeat(image[..., :1], 3, axis=-1))
    else:
        converted = tf.cond(tf.shape(image)[-1] == 1, lambda: image, lambda: _luma(image))
    return tf.ensure_shape(converted, [None, None, channels])


def fit(image: tf.Tensor, resolution: int) -> tf.Tensor:
    """Cuts the largest centred square and resizes it; an image of the right size passes unchanged.

    Args:
        image: [height, width, channels] uint8.
        resolution: side of the result, > 0.

    Returns:
        [resolution, resolution, channels] uint8. Bilinear, antialiased, rounded to the nearest.
    """
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]

    def resized() -> tf.Tensor:
        scaled = tf.image.resize(square, [resolution, resolution], method="bilinear", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(scaled), 0, 255), tf.uint8)

    fitted = tf.cond(side == resolution, lambda: square, resized)
    return tf.ensure_shape(fitted, [resolution, resolution, image.shape[-1]])


def _luma(image: tf.Tensor) -> tf.Tensor:
    grey = tf.tensordot(tf.cast(image[..., :3], tf.float32), tf.constant([0.299, 0.587, 0.114]), axes=1)
    return tf.cast(tf.clip_by_value(tf.round(grey), 0, 255), tf.uint8)[..., tf.newaxis]


def _dense(values: Any) -> tf.Tensor:
    """Transform's inputs are sparse where the schema fixes no shape."""
    return tf.sparse.to_dense(values) if isinstance(values, tf.SparseTensor) else tf.convert_to_tensor(values)
