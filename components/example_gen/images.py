"""Single images: what a file holds, whether it is sound, and how pixels become PNG."""

import hashlib
import io
import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image, ImageOps

from components.example_gen.notes import CROPPED
from components.example_gen.sources.kinds import HEAD_BYTES, iso_format

# What Pillow's modes hold once alpha and palettes are resolved. Others (floats, 32-bit integers) have no range that
# would say which 8-bit grey a value is.
GREY_MODES = frozenset({"1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N"})
COLOUR_MODES = frozenset({"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"})
ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
PASSED_ON = frozenset({"PNG", "JPEG"})
ORIENTATION_TAG = 0x0112
THUMBNAIL = (9, 8)
"""Width and height of what near duplicates are found by: a difference hash compares neighbours in eight rows."""

GIVEN_PIXELS = 64_000_000
"""The most pixels of a picture that a model is given outside of a pipeline, where nothing else is said."""


class BadImage(Exception):
    """An image that cannot be used; the message says why."""


class Picture(NamedTuple):
    """A sound image, as it goes into an example."""

    encoded: bytes
    height: int
    width: int
    channels: int
    key: bytes
    """Digest of what the source holds: equal images have equal keys, and so fall in the same split."""
    label: int | None = None
    handled: tuple[str, ...] = ()
    """What had to be done to the file: keys of `notes.WORDS`."""
    thumbnail: bytes = b""
    """THUMBNAIL pixels of RGB, by which near duplicates are found; empty where the source has no files."""


def read_picture(content: bytes, label: int | None, *, pixel_limit: int, thumbnail: bool = False) -> Picture:
    """Checks an image file and makes it a picture: PNG and JPEG as they are, any other format as PNG.

    The size is read from the header before anything is decoded. Then the image is decoded whole, so that a truncated
    file is found here and not in training. Transparent pixels are laid on white and EXIF rotations applied; both, like
    formats that TensorFlow cannot read, are encoded once as PNG.

    Args:
        content: the bytes of an image file in any format that Pillow reads; the first frame counts.
        label: its class, or None.
        pixel_limit: height times width that may be decoded, > 0.
        thumbnail: whether the picture has one.

    Raises:
        BadImage: it is no image, is truncated, exceeds `pixel_limit`, or has a mode without an 8-bit meaning.
    """
    with _opened(content, pixel_limit) as image:
        channels = _channels(image)
        try:
            handled = _of_mode(image, content)
            image.load()
            turned = image.getexif().get(ORIENTATION_TAG, 1) != 1
        except Exception as error:  # noqa: BLE001 - decoders raise what they like on damaged files
            raise BadImage(f"does not decode: {error}") from None
        handled += ("turned",) * turned + ("white",) * _shows_through(image)
        if image.format not in PASSED_ON or turned or _transparent(image):
            image, content = _reencoded(image, channels)
        height, width = image.height, image.width
        handled += _cropped(height, width)
        small = _thumbnail(image) if thumbnail else b""
        return Picture(content, height, width, channels, hashlib.sha256(content).digest(), label, handled, small)


def halved(picture: Picture, *, thumbnail: bool = False) -> tuple[Picture, Picture]:
    """The left and the right half of a picture, as PNG; what was done to the file was done to both.

    Args:
        picture: of `read_picture`.
        thumbnail: whether the halves have one.

    Raises:
        BadImage: its width is odd.
    """
    if picture.width % 2:
        raise BadImage(f"is {picture.width} pixels wide: two images side by side have an even width")
    with Image.open(io.BytesIO(picture.encoded)) as opened:
        whole = opened.convert("L" if picture.channels == 1 else "RGB")
    height, width = picture.height, picture.width // 2
    done = tuple(what for what in picture.handled if what != CROPPED) + _cropped(height, width)

    def half(left: int) -> Picture:
        image, buffer = whole.crop((left, 0, left + width, height)), io.BytesIO()
        image.save(buffer, "PNG")
        small = _thumbnail(image) if thumbnail else b""
        key = hashlib.sha256(image.tobytes()).digest()
        return Picture(buffer.getvalue(), height, width, picture.channels, key, picture.label, done, small)

    return half(0), half(width)


def _cropped(height: int, width: int) -> tuple[str, ...]:
    """A note where the centred square, which training takes, leaves much out."""
    return (CROPPED,) * (3 * min(height, width) < 2 * max(height, width))


def too_large(height: int, width: int, pixel_limit: int) -> str:
    """Why an image of this size is bad, in words."""
    return f"has {width} x {height} pixels, more than data.pixel_limit of {pixel_limit}"


class Header(NamedTuple):
    """What a file tells before it is decoded.

    Attributes:
        kind: format and mode as Pillow names them, such as `PNG RGB`.
        height: as stored: an EXIF rotation is not applied. `width` likewise.
        width: see `height`.
        channels: 1 or 3.
        key: that of `Picture`; None where it is known only once the image is decoded.
    """

    kind: str
    height: int
    width: int
    channels: int
    key: bytes | None


def read_header(content: bytes, *, pixel_limit: int) -> Header:
    """Reads what an image file says of itself, at little cost.

    Args:
        content: the bytes of the file.
        pixel_limit: height times width that may be decoded, > 0.

    Raises:
        BadImage: as `read_picture` does, where that is seen without decoding.
    """
    with _opened(content, pixel_limit) as image:
        channels = _channels(image)
        as_it_is = image.format in PASSED_ON and not _transparent(image) and not _may_be_turned(image, content)
        key = hashlib.sha256(content).digest() if as_it_is else None
        return Header(f"{image.format} {image.mode}", image.height, image.width, channels, key)


def read_head(content: bytes, *, pixel_limit: int) -> tuple[int, bytes] | None:
    """The channels and the key that `read_picture` would give; None for an image that is seen to be bad.

    Where the file is passed on as it is, its header is enough. Others are decoded, as their keys are of what is made of
    them.
    """
    try:
        header = read_header(content, pixel_limit=pixel_limit)
        if header.key:
            return header.channels, header.key
        picture = read_picture(content, None, pixel_limit=pixel_limit)
    except BadImage:
        return None
    return picture.channels, picture.key


def pictures(pixels: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64] | None) -> list[Picture]:
    """Encodes a batch of pixel arrays as PNG.

    Args:
        pixels: [n, height, width, channels], grey or RGB.
        labels: [n], or None.
    """
    _, height, width, channels = pixels.shape
    encoded = _encode_png(pixels).numpy()
    return [
        Picture(
            encoded=png,
            height=height,
            width=width,
            channels=channels,
            # Of the pixels, as PNG bytes may change with the encoder's version.
            key=hashlib.sha256(pixels[i].tobytes()).digest(),
            label=None if labels is None else int(labels[i]),
        )
        for i, png in enumerate(encoded)
    ]


@tf.function(input_signature=[tf.TensorSpec([None, None, None, None], tf.uint8)])
def _encode_png(pixels: tf.Tensor) -> tf.Tensor:
    return tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string, parallel_iterations=16)


def _opened(content: bytes, pixel_limit: int) -> Image.Image:
    """Reads the header and holds it against the limit."""
    try:
        with warnings.catch_warnings():
            # Our limit is the user's, below; Pillow's own warns at a fixed size.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise BadImage(f"is a decompression bomb: {error}") from None
    except Exception:  # noqa: BLE001 - format plugins raise what they like on damaged headers
        if kind := iso_format(content[:HEAD_BYTES]):
            raise BadImage(f"is {kind}, which Pillow does not read here: convert it to JPEG or PNG") from None
        if content[:256].lstrip().lower().startswith((b"<svg", b"<?xml")):
            raise BadImage("is a drawing (SVG), which has no pixels: convert it to PNG") from None
        raise BadImage("is no image" if content else "is no image: it is empty") from None
    if image.width * image.height > pixel_limit:
        raise BadImage(too_large(image.height, image.width, pixel_limit))
    return image


def _channels(image: Image.Image) -> int:
    if image.mode in GREY_MODES:
        return 1
    if image.mode in COLOUR_MODES:
        return 3
    # Pillow opens a grey PNG of 16 bits as "I"
    if image.mode == "I" and image.format == "PNG":
        return 1
    raise BadImage(f"has pixels of mode {image.mode}, which are neither 8-bit nor 16-bit grey or colour")


def _of_mode(image: Image.Image, content: bytes) -> tuple[str, ...]:
    """What is done to an image for its mode alone; to be asked before its pixels are loaded."""
    done = {"1": "one_bit", "P": "palette", "PA": "palette", "CMYK": "cmyk"}.get(image.mode)
    # Pillow reads colour of 16 bits as 8, so the header of a PNG is asked
    if image.mode.startswith("I") or (image.format == "PNG" and content[24] == 16):
        done = "deep"
    frames = image.format != "MPO" and getattr(image, "is_animated", False)
    return ((done,) if done else ()) + (("first_frame",) if frames else ())


def _shows_through(image: Image.Image) -> bool:
    """True where a pixel is not opaque."""
    return _transparent(image) and image.convert("RGBA").getchannel("A").getextrema()[0] != 255


def _thumbnail(image: Image.Image) -> bytes:
    if image.mode.startswith("I"):
        image = _scaled(image)
    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    return image.resize(THUMBNAIL, Image.Resampling.BOX, reducing_gap=2).convert("RGB").tobytes()


def _scaled(image: Image.Image) -> Image.Image:
    """Grey of 16 bits as 8: `convert` clips at 255 instead of scaling."""
    return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))


def _transparent(image: Image.Image) -> bool:
    return image.mode in ALPHA_MODES or "transparency" in image.info


def _may_be_turned(image: Image.Image, content: bytes) -> bool:
    """True where an EXIF rotation is possible. A PNG is not asked for it, as that would decode it."""
    if image.format == "PNG":
        return any(place in content for place in (b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp"))
    try:
        return bool(image.getexif().get(ORIENTATION_TAG, 1) != 1)
    except Exception:  # noqa: BLE001 - decoders raise what they like on damaged files
        return True


def _reencoded(image: Image.Image, channels: int) -> tuple[Image.Image, bytes]:
    """Upright, opaque, 8 bits a channel, as PNG."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = _scaled(image)
    elif _transparent(image):
        opaque = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), opaque)
    image = image.convert("L" if channels == 1 else "RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return image, buffer.getvalue()
