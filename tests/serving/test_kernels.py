"""A server whose model is told the kernel of each picture, asked by the client and by `ganworks sample`."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

from models.catalog import lookup
from models.export.signatures import Sampler
from models.kernels import motion
from models.randomness import key
from pipeline.cli import app
from serving.client import Client, ServingError
from serving.options import ServerOptions, find
from serving.server import EmbeddedServer
from tests.translators import told_deblurrer

KERNELS = motion(key(0, 0, "test"), 2, 5).numpy()
IMAGES = np.random.default_rng(0).integers(0, 256, [2, 12, 10, 3], np.uint8)


@pytest.fixture(scope="module")
def sampler():
    keras.utils.set_random_seed(0)
    config = told_deblurrer()
    return Sampler(lookup("scheme", config.scheme.name)(config).samplers(), config)


@pytest.fixture(scope="module")
def server(sampler, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels") / "told"
    sampler.save(str(folder / "1"))
    with EmbeddedServer(ServerOptions(models=find(folder), grpc_port=0, rest_port=0, poll_seconds=0)) as server:
        yield server


@pytest.fixture(params=["grpc", "rest"])
def client(request, server):
    port = {"grpc": server.grpc_port, "rest": server.rest_port}[request.param]
    with Client(f"127.0.0.1:{port}", "told", api=request.param) as client:
        yield client


def png(image):
    return bytes(tf.io.encode_png(image).numpy())


def expected(sampler, image, kernel):
    """What the network itself makes of a picture, as pixels."""
    x = image[np.newaxis].astype(np.float32) / 127.5 - 1
    made = np.asarray(sampler.main({"input": x, "kernel": kernel[np.newaxis]}, training=False))[0]
    return ((made + 1) * 127.5).clip(0, 255)


def test_each_picture_is_made_by_its_own_kernel(client, sampler):
    inputs = {"image_bytes": [png(each) for each in IMAGES], "kernel": KERNELS}
    for image, kernel, made in zip(IMAGES, KERNELS, client.predict(inputs, "from_bytes")["image_bytes"], strict=True):
        found = tf.io.decode_png(made).numpy().astype(np.float32)
        np.testing.assert_allclose(found, expected(sampler, image, kernel), atol=0.51)


@pytest.mark.parametrize("kernel", [-KERNELS[:1], 17 * KERNELS[:1], np.nan * KERNELS[:1]])
def test_what_is_no_kernel_is_an_error_of_the_request(client, kernel):
    """If this fails, a sender is answered with a wrong picture, or with words that nobody can mend."""
    with pytest.raises(ServingError, match=r"INVALID_ARGUMENT: .*a kernel has values of at least 0.* sum") as refused:
        client.predict({"image_bytes": [png(IMAGES[0])], "kernel": kernel.astype(np.float32)}, "from_bytes")
    assert "received the lowest [" in str(refused.value).splitlines()[0]


def test_a_picture_without_its_kernel_is_refused(client):
    with pytest.raises(ServingError, match="kernel"):
        client.predict({"image_bytes": [png(IMAGES[0])]}, "from_bytes")


class TestCommand:
    @pytest.fixture
    def files(self, tmp_path):
        (tmp_path / "soft.png").write_bytes(png(IMAGES[0]))
        np.save(tmp_path / "kernel.npy", 3 * KERNELS[0])
        return tmp_path

    def run(self, server, folder, *arguments):
        options = ["--server", f"127.0.0.1:{server.grpc_port}", "--model", "told", "--out", str(folder / "sharp.png")]
        return CliRunner().invoke(app, ["sample", *options, *map(str, arguments)])

    def test_makes_a_picture_by_a_kernel_from_a_file(self, server, files, sampler):
        result = self.run(server, files, "--input", files / "soft.png", "--kernel", files / "kernel.npy")
        assert result.exit_code == 0, result.exception
        found = tf.io.decode_png((files / "sharp.png").read_bytes()).numpy().astype(np.float32)
        np.testing.assert_allclose(found, expected(sampler, IMAGES[0], KERNELS[0]), atol=0.51)

    def test_says_what_is_missing(self, server, files):
        result = self.run(server, files, "--input", files / "soft.png")
        assert str(result.exception) == (
            "told is told what a picture was blurred by: give it a kernel by --kernel FILE"
        )
        result = self.run(server, files, "--kernel", files / "kernel.npy")
        assert str(result.exception).startswith("--kernel says what a picture was blurred by, which --input gives")
        assert not (files / "sharp.png").exists()
