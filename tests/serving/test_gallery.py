"""The page in a real browser, which clicks and types; its routes without one."""

import base64
import io
import json
import re

import httpx
import numpy as np
import pytest
from PIL import Image

from models.catalog import lookup
from models.config import Adversarial, Latent, Points, PointsDiscriminator, PointsGenerator
from models.export import saving
from models.export.card import card
from models.export.interface import OLDER, Interface
from models.export.saved import INTERFACE
from serving.gallery import routes as gallery
from serving.options import ServerOptions, find
from serving.server import EmbeddedServer
from tests.browser import CHROMIUM, browser
from tests.harness import experiment
from tests.serving import saved
from tests.translators import COLOUR, restorer, told_deblurrer

NEEDS_CHROMIUM = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]
POINTS = Adversarial(
    generator=PointsGenerator(latent=Latent(size=2), norm="none"), discriminator=PointsDiscriminator(norm="none")
)


def serve(folder, config, text=""):
    """A server with the page, of an untrained model that has a card."""
    saving.save(lookup("scheme", config.scheme.name)(config), folder / "small" / "1")
    (folder / "small" / "1" / "MODEL_CARD.md").write_text(text or card(str(folder / "small" / "1")))
    models = find(folder / "small")
    return EmbeddedServer(
        ServerOptions(models=models, grpc_port=0, rest_port=0, poll_seconds=0), routers=[gallery.router(models)]
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("gallery"), experiment(), "# small\n</script><b>bold") as server:
        yield server


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


class TestRoutes:
    def test_the_page_brings_its_parts_and_allows_no_others(self, server):
        with httpx.Client(base_url=f"http://127.0.0.1:{server.rest_port}") as http:
            page = http.get("/")
            assert page.status_code == 200
            assert "default-src 'none'" in page.headers["content-security-policy"]
            parts = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
            assert {http.get(f"/{part}").status_code for part in parts} == {200}
            assert http.get("/gallery/../server.py").status_code == 404
            assert http.get("/gallery/__init__.py").status_code == 404

    def test_a_card_cannot_leave_its_place(self, server):
        text = httpx.get(f"http://127.0.0.1:{server.rest_port}/").text
        assert "</script><b>" not in text
        assert "\\u003c/script>" in text

    def test_what_the_page_is_told_of_a_model(self, server):
        (told,) = json.loads(re.search(r'id="models">(.*?)</script>', self.page(server), re.DOTALL)[1])
        answer = self.ask(server, {"signature_name": "interface", "inputs": [0]})
        assert Interface.model_validate(told["interface"]) == Interface.from_json(answer["outputs"][0])
        assert told["name"] == "small"

    def test_a_model_of_others_has_neither_classes_nor_card(self, tmp_path):
        saved.half_plus(tmp_path / "half" / "1", 2)
        told = gallery.about("half", tmp_path / "half")
        assert (told["name"], told["card"], told["interface"]["classes"]) == ("half", "", [])
        assert told["interface"]["format"] == OLDER
        assert gallery.about("none", tmp_path / "nowhere") == {"name": "none", "interface": None, "card": ""}

    def test_an_older_model_is_described_to_the_page(self, tmp_path):
        """If this fails, the page shows nothing of a model that does not answer the signature `interface`."""
        folder = tmp_path / "small" / "1"
        config = experiment()
        saving.save(lookup("scheme", config.scheme.name)(config), folder)
        (folder / INTERFACE).unlink()
        told = Interface.model_validate(gallery.about("small", folder.parent)["interface"])
        assert (told.format, told.drawing(), told.classes) == (OLDER, "sample", ("0", "1", "2"))

    def page(self, server):
        return httpx.get(f"http://127.0.0.1:{server.rest_port}/").text

    def ask(self, server, body):
        return httpx.post(f"http://127.0.0.1:{server.rest_port}/v1/models/small:predict", json=body).json()


class TestInABrowser:
    pytestmark = NEEDS_CHROMIUM

    @pytest.fixture(autouse=True, params=[1280, 390])
    def page(self, request, server, tab):
        tab.complaints.clear()
        tab.requests.clear()
        tab.open(f"http://127.0.0.1:{server.rest_port}/", request.param)
        tab.until("document.querySelectorAll('#grid img').length === 20")
        return tab

    @pytest.fixture(autouse=True)
    def nothing_wrong(self, server, page):
        yield
        assert page.complaints == []
        assert {url.split("/")[2] for url in page.requests if not url.startswith("data:")} == {
            f"127.0.0.1:{server.rest_port}"
        }
        assert page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert page.run("document.getElementById('status').textContent") == ""

    def test_what_the_model_is(self, page):
        assert page.run("document.title") == "small"
        assert page.run("document.getElementById('versions').textContent") == "version 1: available"
        assert page.run("document.getElementById('card').textContent") == "# small\n</script><b>bold"
        assert page.run("[...document.querySelectorAll('#class option')].length") == 4
        assert page.run("[...document.images].every((each) => each.naturalWidth === 16 && each.alt)")

    def test_seed_class_and_truncation_change_the_pictures(self, page):
        grid = "[...document.querySelectorAll('#grid img')].map((each) => each.src + each.alt).join()"
        before = page.run(grid)
        page.run("document.getElementById('next').click()")
        page.until(f"{grid} !== {before!r}")
        assert page.run("document.getElementById('seed').value") == "20"
        assert page.run("document.querySelector('#grid img').alt") == "seed 20, class 2"
        page.run("document.getElementById('class').value = 1")
        page.run("document.getElementById('class').dispatchEvent(new Event('change'))")
        page.until("document.querySelector('#grid img').alt === 'seed 20, class 1'")
        whole = page.run("document.querySelector('#grid img').src")
        page.run("document.getElementById('truncation').value = 0.2")
        page.run("document.getElementById('truncation').dispatchEvent(new Event('input'))")
        page.run("document.getElementById('truncation').dispatchEvent(new Event('change'))")
        page.until(f"document.querySelector('#grid img').src !== {whole!r}")
        assert page.run("document.getElementById('truncation-value').textContent") == "0.2"

    def test_by_the_keyboard_alone_to_interpolation_and_arithmetic(self, server, page):
        page.run("document.querySelector('#grid button').focus()")
        for _ in range(3):
            page.press("Enter", 13)
            page.press("Tab", 9)
        page.until("document.querySelectorAll('#way img').length === 9")
        page.until("!document.getElementById('sum').hidden")
        assert page.run("[...document.querySelectorAll('#picks li')].map((each) => each.textContent)") == [
            "A seed 0, class 0",
            "B seed 1, class 1",
            "C seed 2, class 2",
        ]
        # the ends of the way are the picks, where the class is the same
        assert page.run("document.querySelector('#way img').src === document.querySelector('#picks img').src")
        found = page.run(
            "[...document.getElementById('sum').getContext('2d').getImageData(0, 0, 16, 16).data]"
            ".filter((_, i) => i % 4 === 0)"
        )
        with httpx.Client(base_url=f"http://127.0.0.1:{server.rest_port}") as http:
            ask = {"signature_name": "latent", "inputs": {"seed": [0, 1, 2]}}
            z = np.array(http.post("/v1/models/small:predict", json=ask).json()["outputs"])
            ask = {"inputs": {"z": [(z[0] - z[1] + z[2]).tolist()], "label": [0]}}
            image = np.array(http.post("/v1/models/small:predict", json=ask).json()["outputs"])
        np.testing.assert_allclose(np.array(found), np.rint(image.ravel() * 255), atol=1)


def photograph(width, height, **saved):
    """A picture, and its bytes as a JPEG without losses that count."""
    rows, columns = np.mgrid[:height, :width]
    image = Image.fromarray(np.stack([16 * rows, 16 * columns, 0 * rows + 90], -1).astype(np.uint8))
    content = io.BytesIO()
    image.save(content, saved.pop("format", "PNG"), **saved)
    return np.asarray(image), content.getvalue()


class TestGivenPictures:
    pytestmark = NEEDS_CHROMIUM

    @pytest.fixture(scope="class")
    def server(self, tmp_path_factory):
        """Serves a model that turns the pixels of a picture round, of any size up to 12 x 8."""
        data = COLOUR.model_copy(update={"pixel_limit": 12 * 8})
        with serve(tmp_path_factory.mktemp("restorer"), restorer(data, any_size=True)) as server:
            yield server

    @pytest.fixture(autouse=True, params=[1280, 390])
    def page(self, request, server, tab):
        tab.complaints.clear()
        tab.requests.clear()
        tab.open(f"http://127.0.0.1:{server.rest_port}/", request.param)
        tab.until("!document.getElementById('give').hidden")
        yield tab
        assert tab.complaints == []
        assert {url.split("/")[2] for url in tab.requests if not url.startswith("data:")} == {
            f"127.0.0.1:{server.rest_port}"
        }
        assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    def give(self, page, content, how, name="mine"):
        """Drops a file, or chooses it."""
        event = {"drop": "new DragEvent('drop', { dataTransfer: transfer })", "choose": "new Event('change')"}[how]
        target = {"drop": "drop", "choose": "given"}[how]
        chosen = "document.getElementById('file').files = transfer.files;" if how == "choose" else ""
        page.run(
            f"(() => {{ const bytes = Uint8Array.from(atob('{base64.b64encode(content).decode()}'),"
            f" (each) => each.charCodeAt(0)); const transfer = new DataTransfer();"
            f" transfer.items.add(new File([bytes], '{name}')); {chosen}"
            f" document.getElementById('{target}').dispatchEvent({event}); }})()"
        )

    def pixels(self, page, name):
        """[height, width, 3] of an image of the page."""
        found = page.run(
            f"(() => {{ const image = document.getElementById('{name}');"
            " const canvas = document.createElement('canvas');"
            " canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;"
            " const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);"
            " return [canvas.height, canvas.width,"
            " ...context.getImageData(0, 0, canvas.width, canvas.height).data]; })()"
        )
        return np.array(found[2:], np.int32).reshape(*found[:2], 4)[..., :3]

    @pytest.mark.parametrize("how", ["drop", "choose"])
    def test_what_the_model_makes_of_it_lies_over_it(self, page, how):
        image, content = photograph(12, 8)
        self.give(page, content, how)
        page.until("!document.getElementById('compare').hidden")
        np.testing.assert_array_equal(self.pixels(page, "before"), image)
        np.testing.assert_allclose(self.pixels(page, "after"), 255 - image.astype(np.int32), atol=1)
        assert page.run("document.getElementById('sizes').textContent") == "12 x 8 pixels given, 12 x 8 made"
        places = [f"document.getElementById('{name}').getBoundingClientRect()" for name in ("before", "after")]
        assert page.run(f"Math.abs({places[0]}.height - {places[1]}.height) < 1")
        assert page.run("document.getElementById('save').href === document.getElementById('after').src")

    def test_the_slider_moves_by_the_keyboard(self, page):
        self.give(page, photograph(12, 8)[1], "choose")
        page.until("!document.getElementById('compare').hidden")
        page.run("document.getElementById('cut').focus()")
        page.press("ArrowRight", 39)
        page.until("getComputedStyle(document.getElementById('after')).clipPath === 'inset(0px 0px 0px 51%)'")

    def test_a_camera_that_was_held_upright(self, page):
        turned = Image.Exif()
        turned[0x0112] = 6
        self.give(page, photograph(12, 8, format="JPEG", quality=95, exif=turned)[1], "drop")
        page.until("!document.getElementById('compare').hidden")
        assert page.run("document.getElementById('sizes').textContent") == "8 x 12 pixels given, 8 x 12 made"

    def test_what_is_no_picture_is_said(self, page):
        self.give(page, b"no picture", "drop", "notes.txt")
        page.until("document.getElementById('status').textContent")
        status = page.run("document.getElementById('status').textContent")
        assert status == "notes.txt is no picture that this browser reads"

    def test_what_is_too_large_is_said_in_one_line_and_the_next_is_made(self, page):
        self.give(page, photograph(13, 8)[1], "drop")
        page.until("document.getElementById('status').textContent")
        told = "assertion failed: [an image has at most 96 pixels; received one whose header claims 13 x 8]"
        assert page.run("document.getElementById('status').textContent") == told
        page.complaints.clear()  # the browser's own, of the answer 400
        self.give(page, photograph(12, 8)[1], "drop")
        page.until("!document.getElementById('compare').hidden")
        assert page.run("document.getElementById('status').textContent") == ""


class TestGivenKernels:
    pytestmark = NEEDS_CHROMIUM

    @pytest.fixture(scope="class")
    def server(self, tmp_path_factory):
        """Serves a model that is told the kernel of each picture, 5 x 5."""
        with serve(tmp_path_factory.mktemp("deblurrer"), told_deblurrer()) as server:
            yield server

    @pytest.fixture(autouse=True, params=[1280, 390])
    def page(self, request, server, tab):
        tab.complaints.clear()
        tab.open(f"http://127.0.0.1:{server.rest_port}/", request.param)
        tab.until("!document.getElementById('kernel-field').hidden")
        yield tab
        assert tab.complaints == []
        assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    def choose(self, page, field, content, name):
        page.run(
            f"(() => {{ const bytes = Uint8Array.from(atob('{base64.b64encode(content).decode()}'),"
            f" (each) => each.charCodeAt(0)); const transfer = new DataTransfer();"
            f" transfer.items.add(new File([bytes], '{name}'));"
            f" document.getElementById('{field}').files = transfer.files;"
            f" document.getElementById('given').dispatchEvent(new Event('change')); }})()"
        )

    HELD = ((0, 1, 0), (2, 4, 2), (0, 1, 6))

    def files(self):
        """The same kernel in both forms."""
        content = io.BytesIO()
        Image.fromarray(np.array(self.HELD, np.uint8)).save(content, "PNG")
        lines = "\n".join(",".join(map(str, row)) for row in self.HELD)
        return {"kernel.png": content.getvalue(), "kernel.csv": lines.encode()}

    @pytest.mark.parametrize("name", ["kernel.png", "kernel.csv"])
    def test_the_picture_is_made_by_it_and_it_is_shown(self, server, page, name):
        """If this fails, the page sends a kernel that is turned, shifted, or not of sum 1."""
        content = photograph(12, 8)[1]
        self.choose(page, "file", content, "mine.png")
        page.until("document.getElementById('status').textContent.includes('choose its kernel, too')")
        self.choose(page, "kernel", self.files()[name], name)
        page.until("!document.getElementById('compare').hidden")
        assert page.run("document.getElementById('status').textContent") == ""
        shown = page.run(
            "[...document.getElementById('spread').getContext('2d').getImageData(0, 0, 5, 5).data]"
            ".filter((_, i) => i % 4 === 0)"
        )
        kernel = np.pad(np.array(self.HELD, np.float64), 1)
        np.testing.assert_allclose(np.reshape(shown, [5, 5]), 255 * kernel / 6, atol=1)
        inputs = {"image_bytes": [{"b64": base64.b64encode(content).decode()}], "kernel": [(kernel / 16).tolist()]}
        ask = {"signature_name": "from_bytes", "inputs": inputs}
        answer = httpx.post(f"http://127.0.0.1:{server.rest_port}/v1/models/small:predict", json=ask).json()
        (expected,) = answer["outputs"]
        sent = page.run("document.getElementById('after').src").split(",")[1]
        found, wanted = (
            np.asarray(Image.open(io.BytesIO(base64.b64decode(each))), int) for each in (sent, expected["b64"])
        )
        np.testing.assert_allclose(found, wanted, atol=1)

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("even.csv", b"1,2", "a kernel has a middle: odd sides of at most 5; received 1 x 2 of even.csv"),
            ("large.csv", b"1 1 1 1 1 1 1", "odd sides of at most 5; received 1 x 7 of large.csv"),
            (
                "below.csv",
                b"1,-1,1",
                "a kernel has numbers of at least 0, of which some are above; below.csv has others",
            ),
            ("words.csv", b"a", "numbers of at least 0"),
            ("none.png", b"none", "none.png is neither a picture that this browser reads nor .csv"),
        ],
    )
    def test_what_is_no_kernel_is_said(self, page, name, content, told):
        self.choose(page, "kernel", content, name)
        page.until("document.getElementById('status').textContent")
        assert told in page.run("document.getElementById('status').textContent")
        assert page.run("document.getElementById('spread').hidden")


class TestOtherModels:
    pytestmark = NEEDS_CHROMIUM

    def test_points_are_dots(self, tab, tmp_path):
        config = experiment(data=Points(source="mixture:ring"), scheme=POINTS)
        with serve(tmp_path, config) as server:
            tab.open(f"http://127.0.0.1:{server.rest_port}/", 1280)
            canvas = "document.getElementById('scatter').getContext('2d').getImageData(0, 0, 480, 480)"
            tab.until(f"{canvas}.data.some(Boolean)")
            assert tab.run("document.getElementById('between').hidden")

    def test_an_error_of_the_server_is_shown(self, tab, tmp_path):
        with serve(tmp_path, experiment()) as server:
            tab.open(f"http://127.0.0.1:{server.rest_port}/", 1280)
            tab.until("document.querySelectorAll('#grid img').length === 20")
            tab.run("document.getElementById('class').append(new Option('9', '9'))")
            tab.run("document.getElementById('class').value = 9")
            tab.run("document.getElementById('class').dispatchEvent(new Event('change'))")
            tab.until("document.getElementById('status').textContent.includes('label is 0 to 2')")
