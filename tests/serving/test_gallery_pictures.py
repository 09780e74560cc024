"""The page of a model that takes a picture, and the kernel beside it, in a real browser."""

import base64
import io

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.serving.pages import NEEDS_CHROMIUM, photograph, serve
from tests.translators import COLOUR, restorer, told_deblurrer


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
