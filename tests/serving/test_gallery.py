"""The page in a real browser, which clicks and types; its routes without one."""

import json
import re

import httpx
import numpy as np
import pytest

from models.catalog import lookup
from models.config import Adversarial, Latent, Points, PointsDiscriminator, PointsGenerator
from models.export import saving
from models.export.interface import OLDER, Interface
from models.export.saved import INTERFACE
from serving.gallery import routes as gallery
from tests.harness import experiment
from tests.serving import saved
from tests.serving.pages import NEEDS_CHROMIUM, serve

POINTS = Adversarial(
    generator=PointsGenerator(latent=Latent(size=2), norm="none"), discriminator=PointsDiscriminator(norm="none")
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("gallery"), experiment(), "# small\n</script><b>bold") as server:
        yield server


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
