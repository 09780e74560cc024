"""`ganworks serve`, `sample` and `show-model`, as a user types them, on a model that was exported."""

import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from models.catalog import lookup
from models.export import saving
from pipeline import cli
from serving.options import ServerOptions, find
from serving.server import EmbeddedServer
from tests.harness import experiment
from tests.pipeline.commands.test_cli import GANWORKS, ganworks
from tests.translators import COLOUR, restorer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    config = experiment()
    directory = tmp_path_factory.mktemp("serving") / "small"
    saving.save(lookup("scheme", config.scheme.name)(config), directory / "3")
    return directory


@pytest.fixture(scope="module")
def ports(model):
    """gRPC's and REST's, of the command in a process of its own."""
    command = [GANWORKS, "serve", model, "--grpc-port", "0", "--rest-port", "0", "--embedded"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        told = [process.stdout.readline(), process.stdout.readline()]
        yield {"grpc": re.search(r":(\d+)$", told[0]).group(1), "rest": re.search(r":(\d+)$", told[1]).group(1)}
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.fixture
def in_this_process(capfd, monkeypatch):
    """The command line here, where TensorFlow is imported already."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["ganworks", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code, (out, err) = ended.value.code, capfd.readouterr()
        if isinstance(code, str):
            # as the interpreter ends
            code, err = 1, f"{err}{code}\n"
        return subprocess.CompletedProcess(arguments, code, out, err)

    return call


def ask(command, ports, api, *arguments):
    return command("sample", "--server", f"127.0.0.1:{ports[api]}", "--api", api, "--model", "small", *arguments)


@pytest.mark.parametrize("api", ["grpc", "rest"])
def test_a_picture_by_seed_and_label(ports, api, tmp_path):
    out = tmp_path / "new" / "grid.png"
    done = ask(ganworks, ports, api, "--n", "5", "--label", "0", "--label", "2", "--seed", "7", "--out", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{out}\n", "")
    # two rows of five, each enlarged to 48 pixels, lines of 4 between
    assert Image.open(out).size == (4 + 5 * 52, 4 + 2 * 52)


def test_truncated_and_of_a_version(ports, tmp_path, in_this_process):
    out = tmp_path / "grid.png"
    done = ask(
        in_this_process,
        ports,
        "grpc",
        "--n",
        "3",
        "--label",
        "1",
        "--truncation",
        "0.5",
        "--version",
        "3",
        "--out",
        out,
    )
    assert done.returncode == 0, done.stderr
    assert Image.open(out).size == (4 + 2 * 52, 4 + 2 * 52)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "small asks for a --label; received none"),
        (["--label", "3"], "a class is given by a name or a number from 0 to 2; received 3"),
        (["--label", "1", "--version", "4"], "answers NOT_FOUND: "),
        (["--label", "1", "--truncation", "-1"], "answers INVALID_ARGUMENT: .*truncation is above 0"),
    ],
)
def test_what_the_server_refuses_is_one_line(ports, arguments, error, in_this_process):
    done = ask(in_this_process, ports, "grpc", *arguments)
    assert done.returncode == 1
    assert re.match(f"error: .*{error}", done.stderr)
    assert done.stderr.count("\n") == 1


def test_no_server(in_this_process):
    done = in_this_process("sample", "--server", "127.0.0.1:9", "--model", "small", "--timeout", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: 127.0.0.1:9 answers UNAVAILABLE: ")


class TestOfAPicture:
    @pytest.fixture(scope="class")
    def port(self, tmp_path_factory):
        """The ports of a server whose model turns the pixels of a picture of any size round."""
        folder, config = tmp_path_factory.mktemp("restorer"), restorer(COLOUR, any_size=True)
        saving.save(lookup("scheme", config.scheme.name)(config), folder / "small" / "1")
        options = ServerOptions(models=find(folder / "small"), grpc_port=0, rest_port=0, poll_seconds=0)
        with EmbeddedServer(options) as server:
            yield {"grpc": server.grpc_port, "rest": server.rest_port}

    @pytest.mark.parametrize("api", ["grpc", "rest"])
    def test_what_the_model_makes_of_it(self, port, api, tmp_path, in_this_process):
        image = np.random.default_rng(0).integers(0, 256, (5, 9, 3), np.uint8)
        Image.fromarray(image).save(tmp_path / "mine.png")
        out = tmp_path / "new" / "made.png"
        done = ask(in_this_process, port, api, "--input", tmp_path / "mine.png", "--out", out)
        assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
        np.testing.assert_allclose(np.asarray(Image.open(out)).astype(int), 255 - image.astype(int), atol=1)

    def test_a_camera_that_was_held_upright(self, port, tmp_path, in_this_process):
        turned = Image.Exif()
        turned[0x0112] = 6
        Image.new("RGB", (9, 5)).save(tmp_path / "mine.jpg", exif=turned)
        done = ask(in_this_process, port, "grpc", "--input", tmp_path / "mine.jpg", "--out", tmp_path / "made.png")
        assert done.returncode == 0, done.stderr
        assert Image.open(tmp_path / "made.png").size == (5, 9)

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ([], "small draws nothing by a seed: give it a picture by --input FILE"),
            (["--input", "none.png"], "none.png cannot be read: No such file or directory"),
            (["--input", __file__], "test_sample.py is no image"),
            (["--input", "x.png", "--label", "1"], "leave them out beside --input"),
        ],
    )
    def test_what_is_wrong_is_one_line(self, port, arguments, error, in_this_process):
        done = ask(in_this_process, port, "grpc", *arguments)
        assert done.returncode == 1
        assert re.match(f"error: .*{error}", done.stderr)
        assert done.stderr.count("\n") == 1


def test_a_model_that_takes_no_picture(ports, in_this_process):
    done = ask(in_this_process, ports, "grpc", "--input", __file__)
    assert done.stderr == "error: small takes no picture, but draws by seed: leave --input out\n"


class TestShowModel:
    def test_signatures_of_the_newest_version(self, model):
        done = ganworks("show-model", model)
        assert done.stderr == ""
        assert done.stdout.startswith(f"{model / '3'}\n")
        assert "takes  z float32 [batch, 4], label int64 [batch]\n" in done.stdout

    def test_the_card_that_lies_beside_it_or_is_made_now(self, model, in_this_process):
        assert "comes without a judgement" in in_this_process("show-model", model, "--card").stdout
        (model / "3" / "MODEL_CARD.md").write_text("# [b]pushed\n")
        assert in_this_process("show-model", model / "3", "--card").stdout == "# [b]pushed\n"

    def test_no_model(self, tmp_path, in_this_process):
        done = in_this_process("show-model", tmp_path)
        assert done.returncode == 1
        assert done.stderr == f"error: a model is a folder with saved_model.pb; {tmp_path} has none\n"
