"""A server whose model takes pictures: large ones, and uploads that are none."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from models.catalog import lookup
from models.export.signatures import Sampler
from serving.client import Client, ServingError
from serving.options import ServerOptions, find
from serving.server import EmbeddedServer
from tests.translators import enlarger

TILE = 32


@pytest.fixture(scope="module")
def sampler():
    """Doubles pictures of any size, by tiles."""
    config = enlarger(2)
    return Sampler(lookup("scheme", config.scheme.name)(config).samplers(), config, tile=TILE)


@pytest.fixture(scope="module", params=["grpc", "rest"])
def client(request, sampler, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures") / "small"
    sampler.save(str(folder / "1"))
    options = ServerOptions(models=find(folder), grpc_port=0, rest_port=0, poll_seconds=0)
    with EmbeddedServer(options) as server:
        port = {"grpc": server.grpc_port, "rest": server.rest_port}[request.param]
        with Client(f"127.0.0.1:{port}", "small", api=request.param) as client:
            yield client


def image(height, width):
    return np.random.default_rng(height).integers(0, 256, [height, width, 3], np.uint8)


def png(height, width) -> bytes:
    return bytes(tf.io.encode_png(image(height, width)).numpy())


def claiming(height, width) -> bytes:
    """A PNG whose header claims another size, with the CRC of that. PNG, sections 5.3 and 11.2.2."""
    file = png(4, 4)
    header = b"IHDR" + struct.pack(">II", width, height) + file[24:29]
    return file[:12] + header + struct.pack(">I", zlib.crc32(header)) + file[33:]


def made(client, *files):
    answer = client.predict({"image_bytes": list(files)}, "from_bytes")["image_bytes"]
    return [tf.io.decode_png(each).numpy().astype(np.float32) for each in answer]


def test_large_pictures_among_small_ones(client, sampler):
    """If this fails, a server does otherwise with tiles than the graph does that was exported."""
    sizes = [(2 * TILE + 7, TILE + 1), (9, 5), (TILE, 3 * TILE)]
    for size, found in zip(sizes, made(client, *(png(*size) for size in sizes)), strict=True):
        x = image(*size).astype(np.float32)[None] / 127.5 - 1
        expected = (np.asarray(sampler.main({"input": x}, training=False))[0] + 1) * 127.5
        np.testing.assert_allclose(found, expected.clip(0, 255), atol=0.51)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"no picture", "an image is a whole PNG or JPEG file; received other bytes"),
        (b"", "an image is a whole PNG or JPEG file; received other bytes"),
        (png(40, 40)[:1_000], "Invalid PNG data"),
        (bytes(tf.io.encode_jpeg(image(40, 40)).numpy())[:500], "Invalid JPEG data"),
        (claiming(9_000, 8_000), "an image has at most 64000000 pixels; received one whose header claims 8000 x 9000"),
        (claiming(2**31 - 1, 2**31 - 1), "at most 64000000 pixels; .* claims 2147483647 x 2147483647"),
        (claiming(0, 5), "Invalid PNG"),
    ],
    ids=["text", "nothing", "half a PNG", "half a JPEG", "too large", "far too large", "no rows"],
)
def test_a_bad_upload_is_refused_and_the_next_is_answered(client, file, message):
    """If this fails, a bad upload ends the server, or says nothing that its sender can mend."""
    (before,) = made(client, png(9, 5))
    for sent in ([file], [png(9, 5), file]):
        with pytest.raises(ServingError, match=message) as refused:
            made(client, *sent)
        assert refused.value.status == "INVALID_ARGUMENT"
    (after,) = made(client, png(9, 5))
    np.testing.assert_array_equal(before, after)
