"""The report in a real browser: nothing is asked of the network, nothing is complained of, no width is too narrow."""

import json
import re
import shutil
import subprocess

import pytest

from tests import judging

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

MEASURE = """
<script>
addEventListener("load", () => {
  const wide = [...document.body.querySelectorAll("*")].filter(
    (each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1
      && !each.closest("pre, .hidden"));
  document.title = JSON.stringify({
    scrolls: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    wide: wide.map((each) => each.tagName + "." + each.className),
    broken: [...document.images].filter((each) => !each.naturalWidth).length,
    images: document.images.length,
    asked: performance.getEntriesByType("resource").map((each) => each.name)
      .filter((name) => !name.startsWith("data:")),
  });
});
</script>
"""


@pytest.fixture(scope="module")
def opened(house, tmp_path_factory):
    """Opens the report of a refused model at a width: what it finds out about itself, and what was logged."""
    folder = tmp_path_factory.mktemp("browser")
    html = judging.judge_in(house, "collapsed").html
    assert "</body>" in html

    def open_at(width):
        page = folder / f"{width}.html"
        page.write_text(html.replace("</body>", MEASURE + "</body>"))
        done = subprocess.run(
            [
                *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *("--enable-logging=stderr", "--virtual-time-budget=5000", "--disable-background-networking"),
                *(f"--user-data-dir={folder / 'profile'}", f"--window-size={width},2000"),
                *("--dump-dom", page.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        found = json.loads(re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)[1].replace("&amp;", "&"))
        return found, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return open_at


@pytest.mark.parametrize("width", [500, 1280])
def test_a_report_stands_alone_and_fits(opened, width):
    found, complaints = opened(width)
    assert not complaints
    assert not found["asked"]
    assert found["images"] > 10
    assert found["broken"] == 0
    assert not found["scrolls"], found["wide"]
