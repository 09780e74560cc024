"""Large pictures in tiles: what comes of them is what the whole picture gives."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from models.config import (
    CrossEntropy,
    DeconvolutionTranslator,
    Experiment,
    PatchGANDiscriminator,
    Photographs,
    ResNetTranslator,
    Restoration,
    SRResNetTranslator,
    UNetTranslator,
)
from models.config.variants import made_by
from models.export.signatures import Sampler
from models.export.tiles import LARGEST_MAP, LARGEST_WHOLE_MAP, MOST_MADE, Tiling, values_per_pixel
from models.kernels import motion
from models.randomness import key
from tests.harness import experiment, trained
from tests.models.export import answering

RANDOM = np.random.default_rng(0)


class TestTiling:
    """Sums over squares are wrong where a single pixel is not seen, or is seen twice."""

    def sums(self, pixels, radius, rows, columns):
        """The sum of the pixels within a radius, those beyond a tile counted as 0, modulo 251."""
        tile = tf.cast(tf.gather(tf.gather(pixels, rows), columns, axis=1), tf.float32)
        ones = tf.ones([2 * radius + 1, 2 * radius + 1, 1, 1])
        return tf.cast(tf.nn.conv2d(tile[tf.newaxis], ones, 1, "SAME")[0] % 251, tf.uint8)

    def joined(self, tiling, pixels, radius):
        @tf.function
        def of(pixels):
            height, width, _ = tf.unstack(tf.shape(pixels), num=3)
            return tiling.joined(height, width, lambda *places: self.sums(pixels, radius, *places))

        return of(tf.constant(pixels)).numpy()

    # smaller than a tile, as large, one pixel wider, one step more, and anything; in both directions
    @pytest.mark.parametrize(
        "size", [(1, 1), (5, 13), (13, 5), (13, 13), (14, 13), (13, 14), (20, 21), (1, 60), (53, 46)]
    )
    def test_joined_is_the_whole(self, size):
        pixels = RANDOM.integers(0, 256, [*size, 1], np.uint8)
        expected = self.sums(pixels, 3, np.arange(size[0]), np.arange(size[1]))
        found = self.joined(Tiling(halo=3, side=13), pixels, 3)
        np.testing.assert_array_equal(found, expected)

    def test_a_halo_that_is_too_narrow_shows(self):
        """If this fails, the tests of this file would hold for any margin."""
        pixels = RANDOM.integers(0, 256, [40, 40, 1], np.uint8)
        expected = self.sums(pixels, 3, np.arange(40), np.arange(40))
        assert np.any(self.joined(Tiling(halo=2, side=13), pixels, 3) != expected)

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"multiple": 4, "halo": 3, "side": 18}, "a multiple of 4, .*; received 18"),
            ({"multiple": 4, "halo": 3, "side": 8}, "more than 8 pixels, as a margin of 4 is lost .*; received 8"),
            ({"halo": 7, "side": 14}, "more than 14 pixels, .*; received 14"),
            ({"side": 64}, "depend on the whole picture has no tiles; received 64"),
        ],
    )
    def test_what_cannot_be_done_is_refused(self, fields, message):
        with pytest.raises(ValueError, match=message):
            Tiling(**fields)

    def test_the_side_that_is_taken(self):
        # by hand: 2^26 bytes are 64 float32 numbers a pixel of 512 x 512
        assert LARGEST_MAP == 2**26
        assert Tiling(halo=27, values=64).tile == 512
        assert Tiling(halo=27, values=64, multiple=24).tile == 504
        assert Tiling(halo=300, values=64, multiple=8).tile == 4 * 304
        assert Tiling(halo=0, values=2**30, multiple=8).tile == 8
        assert Tiling(values=64).tile is None

    def test_neither_tiles_nor_whole_pictures_have_maps_of_too_many_places(self):
        """If this fails, a large picture ends the server: a 9x9 convolution of 5792 x 5792 places throws bad_alloc."""
        # by hand: 2^22 places are 2048 x 2048 of what is made
        assert Tiling(halo=3, values=1).tile == 2048
        assert Tiling(halo=3, values=4, scale=2).tile == 1024
        assert Tiling(values=1).most_pixels(10**9) == 2**22
        assert Tiling(values=4, scale=2).most_pixels(10**9) == 2**20

    def test_the_pixels_that_are_taken(self):
        # by hand: of 64 float32 numbers a pixel, 2^30 bytes are those of 2^22 pixels
        assert (LARGEST_WHOLE_MAP, MOST_MADE) == (2**30, 2**28)
        assert Tiling(values=64).most_pixels(10**9) == 2**22
        assert Tiling(values=64).most_pixels(99) == 99
        assert Tiling(values=64, halo=9).most_pixels(10**9) == 2**28
        assert Tiling(values=64, halo=9, scale=4).most_pixels(10**9) == 2**24


def config(translator, data=None, **fields) -> Experiment:
    parts = {
        "generator": translator,
        "discriminator": PatchGANDiscriminator(width=4, layers=1, norm="none"),
        "objective": CrossEntropy(),
        "degradations": {"noise": 0.1},
    }
    return experiment(data=data or Photographs(source="digits", crop=24), scheme=Restoration(**parts | fields))


def super_resolution(scale):
    network = SRResNetTranslator(scale=scale, width=4, blocks=1, bicubic=scale == 2)
    return config(network, degradations={"downscale": scale} if scale > 1 else {"noise": 0.1})


DECONVOLUTION = config(
    DeconvolutionTranslator(side=5, support=9, width=4, blocks=1),
    Photographs(source="digits", crop=12, margin=2),
    degradations={"known_motion_blur": 5, "noise": 0.02},
)
GIVEN = config(
    DeconvolutionTranslator(kernel="given", side=5, support=9, width=4, blocks=1),
    Photographs(source="digits", crop=12, margin=2),
    degradations={"motion_blur": 5, "noise": 0.02},
)
EXPERIMENTS = {  # and a tile: the smallest that can be, or one that is
    "SRResNet x1": (super_resolution(1), 23),
    "SRResNet x2": (super_resolution(2), 25),
    "SRResNet x4": (super_resolution(4), 24),
    "deconvolution": (DECONVOLUTION, 37),
    "deconvolution, kernels given": (GIVEN, 37),
    "U-Net": (config(UNetTranslator(width=4, levels=2)), 32),
    "ResNet": (config(ResNetTranslator(width=4, blocks=1, norm="batch")), 48),
}


def exported(config, tile=None) -> Sampler:
    generator = config.scheme.generator
    keras.utils.set_random_seed(0)
    network = trained(lambda: made_by("translator", generator)(generator, config.data))
    return Sampler({"serving_default": network}, config, tile=tile)


def png(height, width) -> bytes:
    return bytes(tf.io.encode_png(RANDOM.integers(0, 256, [height, width, 3], np.uint8)).numpy())


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_network_gives_in_tiles_what_it_gives_of_the_whole(name):
    """If this fails, a large photograph has seams, or edges of another kind than a small one has."""
    config, tile = EXPERIMENTS[name]
    sampler = exported(config, tile)
    of_files = sampler.signatures()["from_bytes"]
    interface = sampler.interface
    multiple, scale = interface.size_multiple, interface.scale
    sizes = [(8, 9), (tile, tile), (tile + 1, tile - 1), (tile - 1, tile + 1), (2 * tile + 3, 3 * tile + 5)]
    files = [png(*size) for size in sizes]
    beside = {"kernel": motion(key(0, 0, "test"), len(files), 5).numpy()} if "kernel" in sampler.main.input else {}
    given = {name: tf.constant(values) for name, values in beside.items()}
    made = of_files(image_bytes=tf.constant(files), **given)["image_bytes"].numpy()
    for row, (size, file, each) in enumerate(zip(sizes, files, made, strict=True)):
        # the whole, through the network itself
        beyond = [(0, -side % multiple) for side in size]
        image = np.pad(tf.io.decode_png(file).numpy(), [*beyond, (0, 0)], "edge").astype(np.float32)
        alone = {name: values[row : row + 1] for name, values in beside.items()}
        whole = np.asarray(sampler.main({"input": image[None] / 127.5 - 1, **alone}, training=False))[0]
        expected = ((whole + 1) * 127.5).clip(0, 255)[: scale * size[0], : scale * size[1]]
        assert expected.std() > 5
        found = tf.io.decode_png(each).numpy().astype(np.float32)
        # half a level of rounding, and what kernels of other shapes compute otherwise in their last digits
        np.testing.assert_allclose(found, expected, atol=0.51, err_msg=str(size))


def test_no_map_is_of_more_than_a_tile():
    """If this fails, memory grows with the picture that is sent."""
    config, tile = EXPERIMENTS["SRResNet x2"]
    sizes = set()

    class Noting(keras.layers.Layer):
        def call(self, x):
            noted = tf.py_function(lambda x: (sizes.add(tuple(x.shape)), x)[1], [x], x.dtype)
            return tf.ensure_shape(noted, x.shape)

    network = exported(config).main
    x = keras.Input([None, None, 3], name="input")
    noting = keras.Model({"input": x}, network({"input": Noting()(x)}))
    sampler = Sampler({"serving_default": noting}, config, tile=tile)
    sampler.signatures()["from_bytes"](image_bytes=tf.constant([png(99, 80)]))
    assert sizes == {(1, tile, tile, 3)}


class TestWholePictures:
    """Networks whose pixels depend on the whole picture."""

    CONFIG = config(ResNetTranslator(width=4, blocks=1))

    def test_it_is_one_tile(self):
        """If this fails, each part of a picture is normalised by itself."""
        sampler = exported(self.CONFIG)
        file = png(40, 72)
        made = sampler.signatures()["from_bytes"](image_bytes=tf.constant([file]))["image_bytes"][0]
        image = tf.io.decode_png(file).numpy().astype(np.float32)[None] / 127.5 - 1
        expected = (np.asarray(sampler.main({"input": image}, training=False))[0] + 1) * 127.5
        np.testing.assert_allclose(tf.io.decode_png(made).numpy(), expected.clip(0, 255), atol=0.51)

    def test_a_tile_is_refused(self):
        with pytest.raises(ValueError, match="no tiles; received 64"):
            exported(self.CONFIG, tile=64).signatures()

    def test_one_that_is_too_large_is_refused_by_its_header(self):
        """If this fails, one upload takes all of the memory that there is."""
        sampler = exported(self.CONFIG)
        header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (8_192).to_bytes(4, "big") + (7_000).to_bytes(4, "big")
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"at most 4194304 pixels; .* claims 8192 x 7000\]"):
            sampler.signatures()["from_bytes"](image_bytes=tf.constant([header]))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        # 4 x 4 channels of the convolution before the pixel shuffle, which has as many
        ("SRResNet x2", 16),
        # 16 channels at twice the resolution, and as many before they are laid out again
        ("SRResNet x4", 64),
        # the image and Wiener's answer, side by side
        ("deconvolution", 6),
        ("deconvolution, kernels given", 6),
    ],
)
def test_the_largest_map_is_found(name, values):
    found = values_per_pixel(exported(EXPERIMENTS[name][0]).main, 1)
    # a convolution of a padded map is of a little more
    assert values <= found < values * 1.7


def photograph(height, width) -> bytes:
    """A JPEG of smooth colours and the noise of a camera."""
    small = tf.constant(RANDOM.uniform(40, 215, [1, height // 64, width // 64, 3]), tf.float32)
    pixels = tf.image.resize(small, [height, width], "bicubic")[0].numpy()
    pixels += RANDOM.normal(0, 5, [height, width, 1]).astype(np.float32)
    return bytes(tf.io.encode_jpeg(tf.constant(pixels.clip(0, 255).astype(np.uint8))).numpy())


@pytest.mark.slow
def test_sixteen_megapixels_are_doubled_in_two_gibibytes(tmp_path):
    """If this fails, an upload from a camera ends a server of a few gigabytes.

    The network is narrower than that of `photographs-srresnet-x2`, 32 channels and 8 blocks, and has as large a map on
    a tile. That one took 1,492 MiB.
    """
    network = SRResNetTranslator(scale=2, width=4, blocks=1, bicubic=True)
    exported(config(network, degradations={"downscale": 2})).save(str(tmp_path / "model"))
    (tmp_path / "photograph.jpg").write_bytes(photograph(3264, 4928))
    command = [answering.__file__, *(str(tmp_path / each) for each in ("model", "photograph.jpg", "made.png"))]
    told = subprocess.run([sys.executable, "-P", *command], check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    peak, _ = map(float, told.stdout.split())
    with Image.open(tmp_path / "made.png") as made:
        assert made.size == (2 * 4928, 2 * 3264)
    assert peak < 2048
