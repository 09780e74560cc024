"""What is done to images from elsewhere is told, and colour is not dropped without a word."""

import numpy as np
import pytest
import tensorflow as tf

from components.example_gen.images import read_picture
from components.example_gen.ingest import to_example
from models.config import Images
from pipeline.commands import handling
from tests.components.images import image_file, noise

GREY = Images(source="digits", resolution=16, channels=1)


def side(tmp_path, *files):
    """Images as `ingest` would write them."""
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for content in files:
            writer.write(to_example(read_picture(content, None, pixel_limit=10_000)).SerializeToString())
    return handling.look([str(path)])


def tinted(strength: float) -> bytes:
    grey = np.repeat(noise(0, 16, 16, 1), 3, axis=-1) * np.array([1, 1 - strength, 1 - strength])
    return image_file(grey.astype(np.uint8))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([noise(0, 16, 16)], "1 of 16 x 16 pixels"),
        (
            [noise(0, 28, 28), noise(1, 28, 30)],
            "2 of 28 x 28, 30 x 28 pixels; cut to their centred square; resized to 16 x 16 (bilinear, antialiased)",
        ),
        (
            [noise(0, 16, 16), noise(1, 16, 16, 3)],
            "2 of 16 x 16 pixels; colour turned grey (ITU-R 601 luma): 1",
        ),
    ],
)
def test_every_step_is_told(tmp_path, files, words):
    assert handling.words(side(tmp_path, *map(image_file, files)), GREY) == words


def test_grey_that_is_repeated_and_jpeg_are_told(tmp_path):
    found = side(tmp_path, image_file(noise(0, 16, 16), "JPEG"))
    words = handling.words(found, Images(source="digits", resolution=16, channels=3))
    assert words == "1 of 16 x 16 pixels; grey repeated in three channels: all; JPEG: all"


def test_jpeg_on_one_side_alone_is_a_warning(tmp_path):
    jpeg, png = (side(tmp_path, image_file(noise(0, 16, 16), kind)) for kind in ("JPEG", "PNG"))
    assert handling.check(jpeg, png, GREY)[0].startswith("the samples are JPEG and the real images are not")
    assert handling.check(png, jpeg, GREY)[0].startswith("the real images are JPEG and the samples are not")
    assert handling.check(jpeg, jpeg, GREY) == handling.check(png, png, GREY) == []


def test_tinted_samples_of_grey_data_are_refused(tmp_path):
    real = side(tmp_path, image_file(noise(0, 16, 16)))
    message = r"samples of grey images are grey; their channels differ by \d\d of 255 .* --set data.channels=3"
    with pytest.raises(ValueError, match=message):
        handling.check(side(tmp_path, tinted(0.5)), real, GREY)
    # Grey in three channels is grey, and so is what JPEG leaves of it.
    assert handling.check(side(tmp_path, tinted(0)), real, GREY) == []
    jpeg = side(tmp_path, image_file(np.repeat(noise(0, 16, 16, 1), 3, axis=-1), "JPEG", quality=60))
    assert handling.check(jpeg, jpeg, GREY) == []
    # Where both are in colour, it is told alone.
    assert handling.check(side(tmp_path, tinted(0.5)), side(tmp_path, tinted(0.5)), GREY) == []
