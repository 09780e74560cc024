"""The report in a real browser: nothing is asked of the network, nothing is complained of, no width is too narrow."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests import judging
from tests.browser import CHROMIUM, browser
from tests.components.gan_evaluator.test_judging_tasks import GREY, scene, write_images
from tests.translators import restorer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

WIDE = """
[...document.body.querySelectorAll("*")].filter(
  (each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    && !each.closest("pre, .hidden")).map((each) => each.tagName + "." + each.className)
"""


@pytest.fixture(scope="module")
def report(house, tmp_path_factory):
    """The report of a refused model."""
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(judging.judge_in(house, "collapsed").html)
    return page


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.mark.parametrize("width", [500, 1280])
def test_a_report_stands_alone_and_fits(report, tab, width):
    tab.complaints.clear()
    tab.requests.clear()
    tab.open(report.as_uri(), width)
    tab.until("document.readyState === 'complete' && document.images.length > 10")
    assert not tab.complaints
    assert {url for url in tab.requests if not url.startswith("data:")} == {report.as_uri()}
    assert tab.run("[...document.images].filter((each) => !each.naturalWidth).length") == 0
    assert not tab.run("document.documentElement.scrollWidth > document.documentElement.clientWidth"), tab.run(WIDE)


class TestSliders:
    """The report of a restorer that gives white, whatever it is given: black pictures, which are grey when degraded."""

    @pytest.fixture(scope="class")
    def report(self, tmp_path_factory):
        root = tmp_path_factory.mktemp("restored")
        for first, split in enumerate(("train", "eval")):
            shades = np.arange(first, 80, 2, dtype=np.uint8)  # no two alike
            write_images(root / split, {"target": np.broadcast_to(shades[:, None, None, None], [40, 16, 16, 1])})
        verdict = scene(root, restorer(GREY), "image").judge("white", lambda x: 0 * x + 1, thresholds={})
        page = root / "report.html"
        page.write_text(verdict.html)
        return page

    @pytest.fixture(autouse=True, params=[390, 1280])
    def page(self, request, report, tab):
        tab.complaints.clear()
        tab.open(report.as_uri(), request.param)
        tab.until("document.readyState === 'complete' && document.querySelectorAll('.sliders img').length === 8")
        yield tab
        assert not tab.complaints
        assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    def seen(self, page):
        """The share of the first slider's width, from the left, where what lies above is still the input."""
        box = page.run(
            "(() => { const image = document.querySelector('.sliders img'); image.scrollIntoView({ block: 'center' });"
            " const box = image.getBoundingClientRect();"
            " return [box.left + scrollX, box.top + scrollY, box.width, box.height]; })()"
        )
        clip = {**dict(zip(("x", "y", "width", "height"), box, strict=True)), "scale": 1}
        shot = page.send("Page.captureScreenshot", clip=clip)["data"]
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shot))).convert("L"), np.float32)
        assert pixels.shape[1] > 100
        middle = pixels[len(pixels) // 2]
        # the input is about a quarter of white, the output is white
        dark = middle < 160
        assert (np.diff(dark.astype(int)) <= 0).all(), "the input lies to the left, in one piece"
        return 100 * dark.mean()

    def test_what_is_seen_follows_the_keyboard(self, page):
        """If this fails, a report has sliders that nobody can move, or that show something else than they say."""
        assert self.seen(page) == pytest.approx(50, abs=1.5)
        page.run("document.querySelector('.sliders input').focus()")
        for key, code, value in [("ArrowRight", 39, 51), ("End", 35, 100), ("Home", 36, 0), ("PageUp", 33, 10)]:
            page.press(key, code)
            page.until(f"document.querySelector('.sliders input').value === '{value}'")
            assert self.seen(page) == pytest.approx(value, abs=1.5)

    def test_each_moves_its_own_picture(self, page):
        page.run("document.querySelectorAll('.sliders input')[1].focus()")
        page.press("End", 35)
        page.until("document.querySelectorAll('.sliders input')[1].value === '100'")
        assert self.seen(page) == pytest.approx(50, abs=1.5)
        assert page.run("getComputedStyle(document.querySelectorAll('.sliders .after')[1]).clipPath.includes('100%')")

    def test_the_keyboard_comes_to_it(self, page):
        page.run("document.activeElement.blur()")
        for _ in range(40):
            page.press("Tab", 9)
            if page.run("document.activeElement.type === 'range'"):
                break
        label = page.run("document.activeElement.getAttribute('aria-label')")
        assert label == "How much of input 1 is seen, per cent"
