"""Every conversion of pixels: between files, grey and colour, sizes, and the ranges of networks and signatures.

Files and arrays hold 0 to 255, networks see -1 to 1, signatures take and give 0 to 1.
"""

from typing import Any

import numpy as np
import tensorflow as tf

PNG_MAGIC, JPEG_MAGIC = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
"""First bytes of a file, by which TensorFlow tells what it is, too."""

PNG_HEADER = 24
"""Bytes up to the end of a PNG's width and height."""


LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R 601."""


def scaled(x: Any) -> Any:
    """Pixels of uint8 as networks take them, float32 in [-1, 1]; anything else as it is.

    Args:
        x: a tensor, or an array of NumPy's, of which an array is made.
    """
    if isinstance(x, np.ndarray):
        return x.astype(np.float32) / 127.5 - 1 if x.dtype == np.uint8 else x
    return tf.cast(x, tf.float32) / 127.5 - 1 if x.dtype == tf.uint8 else x


def centred_bgr(x: Any) -> Any:
    """Images as networks of Caffe were trained on them: blue first, 0 to 255, less ImageNet's mean of each channel.

    Args:
        x: [..., 3] float32 in [-1, 1], red first.
    """
    return (x[..., ::-1] + 1) * 127.5 - tf.constant([103.939, 116.779, 123.68], x.dtype)


def within(x: Any, low: float, high: float) -> Any:
    """A tensor, or an array of NumPy's, whose values are kept within bounds."""
    return x.clip(low, high) if isinstance(x, np.ndarray) else tf.clip_by_value(x, low, high)


def to_bytes(x: np.ndarray) -> np.ndarray:
    """What a network gave, [-1, 1], as uint8, rounded to the nearest."""
    return np.round((np.asarray(x).clip(-1, 1) + 1) * 127.5).astype(np.uint8)


def bytes_of(x: tf.Tensor) -> tf.Tensor:
    """Does in a graph what `to_bytes` does to arrays."""
    return tf.cast(tf.clip_by_value(tf.round((x + 1) * 127.5), 0, 255), tf.uint8)


def files(images: tf.Tensor) -> tf.Tensor:
    """Images of uint8, [batch, h, w, c], as PNG files, [batch] string."""
    return tf.map_fn(tf.io.encode_png, images, fn_output_signature=tf.string)


def reduced(x: tf.Tensor, factor: int) -> tf.Tensor:
    """Makes images smaller by cubic interpolation whose kernel is as many times wider: no pattern becomes another.

    Keys' kernel with a = -1/2, as Pillow has it and MATLAB's `imresize`; beyond an edge, the weights that are left are
    scaled to add up to 1, where MATLAB mirrors the image.

    Args:
        x: [batch, h, w, c] float32, of any range; what is given may leave it a little.
        factor: at least 1, divides both sides.

    Returns:
        [batch, h / factor, w / factor, c] float32.

    Raises:
        ValueError: `factor` is below 1 or does not divide a side.

    Reference: Keys 1981, equation 4.
    """
    height, width = x.shape[1:3]
    if factor < 1 or height % factor or width % factor:
        raise ValueError(f"a factor divides both sides of an image; received {factor} for {height} x {width}")
    if factor == 1:
        return x
    sides = [height // factor, width // factor]
    return tf.image.resize(x, sides, tf.image.ResizeMethod.BICUBIC, antialias=True)


def enlarged(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Makes images as large as others by cubic interpolation, and grey or colour like them.

    Enlarged ones are what super-resolution is held against.

    Args:
        x: [n, h, w, c] float32 in [-1, 1]; c is 1 or 3 where it is not that of the others.
        shape: [height, width, channels] of the others.

    Returns:
        [n, height, width, channels] float32 in [-1, 1]; see `models.layers.resizing.BicubicEnlargement`. Grey is
        repeated, of colour the ITU-R 601 luma is taken.
    """
    *size, channels = shape
    if x.shape[-1] != channels:
        x = np.repeat(x, 3, axis=-1) if channels == 3 else x @ np.array(LUMA, np.float32)[:, np.newaxis]
    if list(x.shape[1:3]) == size:
        return x
    # part by part: TensorFlow has the whole result several times in memory
    parts = [tf.image.resize(x[i : i + 100], size, tf.image.ResizeMethod.BICUBIC) for i in range(0, len(x), 100)]
    return np.concatenate([part.numpy().clip(-1, 1) for part in parts])


def decode(content: tf.Tensor, channels: int) -> tf.Tensor:
    """Decodes a PNG or JPEG and converts its channels.

    Args:
        content: scalar string, a file of 1 or 3 channels.
        channels: 1 (ITU-R 601 luma of a colour image) or 3 (grey repeated).

    Returns:
        [height, width, channels] uint8; bit for bit what the file holds where the channels are the same.
    """
    return _converted(tf.io.decode_image(content, channels=0, expand_animations=False), channels)


def opened(content: tf.Tensor, pixel_limit: int) -> tf.Tensor:
    """Decodes a file as people have them, with the channels that it has.

    The size is read from the header first: a small file may claim more pixels than there is memory.

    Args:
        content: scalar string, PNG or JPEG.
        pixel_limit: height times width that may be decoded, > 0.

    Returns:
        [height, width, 1 to 4] uint8; see `with_channels`.

    Raises:
        tf.errors.InvalidArgumentError: it is no PNG or JPEG, claims more pixels, or does not decode.
    """
    height, width = _claimed(content)
    told = f"an image has at most {pixel_limit} pixels; received one whose header claims {{}} x {{}}"
    rule = tf.debugging.Assert(height * width <= pixel_limit, [tf.strings.format(told, (width, height))])
    with tf.control_dependencies([rule]):
        content = tf.identity(content)
    return tf.io.decode_image(content, channels=0, expand_animations=False)


def with_channels(image: tf.Tensor, channels: int) -> tf.Tensor:
    """Puts what is transparent on white, as in ingestion, and converts channels; each pixel by itself.

    Args:
        image: [height, width, 1 to 4] uint8.
        channels: 1 or 3; see `decode`.

    Returns:
        [height, width, channels] uint8.
    """

    def on_white() -> tf.Tensor:
        share = tf.cast(image[..., -1:], tf.float32) / 255
        put = tf.cast(image[..., :-1], tf.float32) * share + 255 * (1 - share)
        return tf.cast(tf.round(put), tf.uint8)

    transparent = tf.shape(image)[-1] % 2 == 0
    return _converted(tf.cond(transparent, on_white, lambda: image), channels)


def _claimed(content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Height and width, int64, as the header of a PNG or JPEG says; nothing is decoded."""
    is_png, is_jpeg = (tf.strings.substr(content, 0, len(magic)) == magic for magic in (PNG_MAGIC, JPEG_MAGIC))
    rule = tf.debugging.Assert(
        is_jpeg | (is_png & (tf.strings.length(content) >= PNG_HEADER)),
        ["an image is a whole PNG or JPEG file; received other bytes, of which there are", tf.strings.length(content)],
    )
    with tf.control_dependencies([rule]):
        content = tf.identity(content)

    def of_png() -> tf.Tensor:
        # the first chunk starts with width and height, each of four bytes, the highest first
        sizes = tf.io.decode_raw(tf.strings.substr(content, PNG_HEADER - 8, 8), tf.uint8)
        places = tf.constant([2**24, 2**16, 2**8, 1], tf.int64)
        return tf.reduce_sum(tf.reshape(tf.cast(sizes, tf.int64), [2, 4]) * places, axis=1)[::-1]

    def of_jpeg() -> tf.Tensor:
        return tf.cast(tf.io.extract_jpeg_shape(content)[:2], tf.int64)

    height, width = tf.unstack(tf.cond(is_png, of_png, of_jpeg), num=2)
    return height, width


def _converted(image: tf.Tensor, channels: int) -> tf.Tensor:
    """An image of 1 or 3 channels as one of so many."""
    if channels == 3:
        converted = tf.cond(tf.shape(image)[-1] == 3, lambda: image, lambda: tf.repeat(image[..., :1], 3, axis=-1))
    else:
        converted = tf.cond(tf.shape(image)[-1] == 1, lambda: image, lambda: _luma(image))
    return tf.ensure_shape(converted, [None, None, channels])


def fit(image: tf.Tensor, resolution: int, how: str = "crop") -> tf.Tensor:
    """Makes an image a square and resizes it; one of the right size passes unchanged.

    Args:
        image: [height, width, channels] uint8.
        resolution: side of the result, > 0.
        how: `crop` cuts the largest centred square, `pad` repeats the edges beside the image up to the smallest square
            around it, `extend` likewise up to the resolution where that is more, so that a smaller image keeps its
            pixels, `stretch` changes its proportions.

    Returns:
        [resolution, resolution, channels] uint8. Bilinear, antialiased, rounded to the nearest.
    """
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image
    if how == "crop":
        square = image[top : top + side, left : left + side]
    elif how in ("pad", "extend"):
        side = tf.maximum(height, width)
        side = tf.maximum(side, resolution) if how == "extend" else side
        rows, columns = (tf.clip_by_value(tf.range(side) - (side - size) // 2, 0, size - 1) for size in (height, width))
        square = tf.gather(tf.gather(image, rows, axis=0), columns, axis=1)

    def resized() -> tf.Tensor:
        scaled = tf.image.resize(square, [resolution, resolution], method="bilinear", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(scaled), 0, 255), tf.uint8)

    whole = tf.reduce_all(tf.shape(square)[:2] == resolution)
    fitted = tf.cond(whole, lambda: square, resized)
    return tf.ensure_shape(fitted, [resolution, resolution, image.shape[-1]])


def _luma(image: tf.Tensor) -> tf.Tensor:
    grey = tf.tensordot(tf.cast(image[..., :3], tf.float32), tf.constant(LUMA), axes=1)
    return tf.cast(tf.clip_by_value(tf.round(grey), 0, 255), tf.uint8)[..., tf.newaxis]
