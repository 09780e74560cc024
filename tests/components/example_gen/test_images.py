import hashlib
import io
import zlib

import numpy as np
import pytest
from PIL import Image

from components.example_gen.images import BadImage, pictures, read_head, read_picture
from tests.components.images import image_file, noise

LIMIT = 10_000


def pixels_of(picture):
    return np.asarray(Image.open(io.BytesIO(picture.encoded)))


class TestReadPicture:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    @pytest.mark.parametrize(("shape", "channels"), [((7, 9), 1), ((7, 9, 3), 3)])
    def test_png_and_jpeg_pass_as_they_are(self, kind, shape, channels):
        content = image_file(noise(0, *shape), kind)
        picture = read_picture(content, 4, pixel_limit=LIMIT)
        assert picture[:6] == (content, 7, 9, channels, hashlib.sha256(content).digest(), 4)
        assert not picture.handled

    @pytest.mark.parametrize("kind", ["BMP", "TIFF", "WEBP", "GIF"])
    def test_other_formats_become_png_of_the_same_pixels(self, kind):
        pixels = np.repeat(noise(1, 7, 9, 1), 3, axis=-1)  # grey values, which a GIF's palette holds exactly
        options = {"lossless": True} if kind == "WEBP" else {}
        picture = read_picture(image_file(pixels, kind, **options), None, pixel_limit=LIMIT)
        assert picture.encoded.startswith(b"\x89PNG")
        got = pixels_of(picture)
        np.testing.assert_array_equal(got if got.ndim == 3 else np.repeat(got[..., None], 3, -1), pixels)

    def test_16_bit_grey_is_scaled_and_not_clipped(self):
        pixels = np.array([[0, 255, 256, 65_535]], np.uint16)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "TIFF")
        picture = read_picture(buffer.getvalue(), None, pixel_limit=LIMIT)
        assert picture.channels == 1
        np.testing.assert_array_equal(pixels_of(picture), [[0, 0, 1, 255]])

    def test_transparent_pixels_lie_on_white(self):
        pixels = np.array([[[200, 0, 0, 0], [200, 0, 0, 255]]], np.uint8)
        picture = read_picture(image_file(pixels), None, pixel_limit=LIMIT)
        assert picture.channels == 3
        np.testing.assert_array_equal(pixels_of(picture), [[[255, 255, 255], [200, 0, 0]]])

    def test_palette_with_a_transparent_colour(self):
        image = Image.new("P", (2, 1))
        image.putpalette([10, 20, 30, 40, 50, 60])
        image.putdata([0, 1])
        buffer = io.BytesIO()
        image.save(buffer, "PNG", transparency=1)
        picture = read_picture(buffer.getvalue(), None, pixel_limit=LIMIT)
        np.testing.assert_array_equal(pixels_of(picture), [[[10, 20, 30], [255, 255, 255]]])

    def test_exif_rotation_is_applied(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera lay on its side: turn by 90 degrees clockwise
        content = image_file(np.dstack([np.tile([[0], [255]], (8, 16)).astype(np.uint8)[:16]] * 3), "JPEG", exif=exif)
        plain = np.asarray(Image.open(io.BytesIO(content)))
        picture = read_picture(content, None, pixel_limit=LIMIT)
        assert (picture.height, picture.width) == (16, 16)
        np.testing.assert_array_equal(pixels_of(picture), np.rot90(plain, -1))

    def test_a_size_at_the_limit_is_sound_and_one_above_is_not(self):
        content = image_file(noise(2, 10, 10))
        assert read_picture(content, None, pixel_limit=100).height == 10
        with pytest.raises(BadImage, match=r"has 10 x 10 pixels, more than data\.pixel_limit of 99"):
            read_picture(content, None, pixel_limit=99)

    def test_a_bomb_is_refused_from_its_header(self):
        # 2.5 gigapixels in the header, and nothing behind it that could be decoded
        header = bytearray(image_file(noise(3, 4, 4)))
        header[16:24] = (50_000).to_bytes(4, "big") * 2
        header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
        for limit in (LIMIT, 64_000_000):
            with pytest.raises(BadImage, match=r"bomb|pixel_limit"):
                read_picture(bytes(header), None, pixel_limit=limit)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP"])
    def test_a_truncated_file_is_bad(self, kind):
        content = image_file(noise(4, 40, 40, 3), kind)
        with pytest.raises(BadImage, match=r"does not decode|is no image"):
            read_picture(content[: len(content) // 2], None, pixel_limit=LIMIT)

    @pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
    def test_what_is_no_image_is_bad(self, content):
        with pytest.raises(BadImage, match="is no image"):
            read_picture(content, None, pixel_limit=LIMIT)

    def test_floating_point_pixels_have_no_8_bit_meaning(self):
        with pytest.raises(BadImage, match="mode F"):
            read_picture(image_file(np.ones((4, 4), np.float32), "TIFF"), None, pixel_limit=LIMIT)


def turned(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    return image_file(noise(5, 4, 6, 3), kind, exif=exif)


class TestReadHead:
    @pytest.mark.parametrize(
        "content",
        [
            image_file(noise(5, 4, 4)),
            image_file(noise(5, 4, 4, 3), "JPEG"),
            image_file(noise(5, 4, 4, 4)),
            image_file(noise(5, 4, 4, 3), "BMP"),
            image_file(noise(5, 4, 4, 3), "WEBP"),
            turned("JPEG"),
            turned("PNG"),
        ],
        ids=["grey", "JPEG", "transparent", "BMP", "WebP", "turned JPEG", "turned PNG"],
    )
    def test_says_what_the_whole_picture_says(self, content):
        picture = read_picture(content, None, pixel_limit=LIMIT)
        assert read_head(content, pixel_limit=LIMIT) == (picture.channels, picture.key)

    def test_decodes_nothing_that_is_passed_on(self, monkeypatch):
        contents = image_file(noise(5, 4, 4)), image_file(noise(5, 4, 4), "JPEG")
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
        assert [read_head(content, pixel_limit=LIMIT)[0] for content in contents] == [1, 1]

    def test_knows_no_image(self):
        assert read_head(b"nothing", pixel_limit=LIMIT) is None


def test_pictures_are_lossless_and_keyed_by_pixels():
    pixels = noise(6, 3, 5, 4)
    made = pictures(pixels[..., np.newaxis], np.array([3, 1, 2]))
    assert [(one.height, one.width, one.channels, one.label) for one in made] == [(5, 4, 1, n) for n in (3, 1, 2)]
    np.testing.assert_array_equal([pixels_of(one) for one in made], pixels)
    assert [one.key for one in made] == [hashlib.sha256(one.tobytes()).digest() for one in pixels]
