"""The report in a real browser: nothing is asked of the network, nothing is complained of, no width is too narrow."""

import pytest

from tests import judging
from tests.browser import CHROMIUM, browser

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
