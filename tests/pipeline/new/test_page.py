import re

import pytest
from PIL import Image

from pipeline.new import facts, looking, page
from tests.browser import CHROMIUM, browser
from tests.pipeline.new.looks import blob, made_up, planned, write


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """The look at a folder with all that is doubtful, and its page."""
    folder = tmp_path_factory.mktemp("odd")
    for name in ("<script>alert(1)", "b"):
        write(folder / name, [blob(len(name) * 100 + n, (64, 64)) for n in range(30)])
    (folder / "b" / "<img src=x>.png").write_text("no image")
    (folder / "b" / "copy.png").write_bytes((folder / "b" / "3.png").read_bytes())
    blob(105, (64, 64)).save(folder / "b" / "again&amp;.jpg", quality=90)
    Image.new("RGB", (64, 64), "white").save(folder / "b" / "flat.png")
    blob(999, (300, 20)).save(folder / "b" / f"{'long' * 40}.png")
    look = looking.look(f"folder:{folder}")
    return look, page.render(look, facts.find(look), planned(look))


class TestPage:
    def test_shows_all_and_needs_nothing_else(self, odd):
        """If this fails, the page leaves out what was seen, or asks the network."""
        html = odd[1]
        for text in (
            "2 classes",
            "cannot be used",
            "of nearly one colour",
            "lose more than a third",
            "300 x 20 pixels",
        ):
            assert text in html, text
        assert "b/3.png = b/copy.png" in html or "b/copy.png = b/3.png" in html
        assert "b/5.png = b/again&amp;amp;.jpg" in html or "b/again&amp;amp;.jpg = b/5.png" in html
        assert "<script" not in html
        assert "<img src=x>" not in html
        assert set(re.findall(r'(?:src|href)="([^",]*)', html)) == {"data:", "data:image/png;base64"}
        assert "://" not in html

    def test_without_classes_and_duplicates(self):
        look = made_up(300)
        html = page.render(look, facts.find(look), planned(look))
        assert "to another" not in html
        assert "classes</h2>" not in html

    @pytest.mark.e2e
    @pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
    def test_in_a_real_browser(self, odd, tmp_path):
        """If this fails, a phone has to scroll sideways, or a picture does not show."""
        file = tmp_path / "odd.html"
        file.write_text(odd[1])
        with browser(tmp_path / "profile") as tab:
            for width in (390, 1280):
                tab.requests.clear()
                tab.open(file.as_uri(), width)
                tab.until("document.readyState === 'complete' && document.images.length > 4")
                assert not tab.complaints
                assert {url for url in tab.requests if not url.startswith("data:")} == {file.as_uri()}
                assert tab.run("[...document.images].filter((each) => !each.naturalWidth).length") == 0
                assert not tab.run("document.documentElement.scrollWidth > document.documentElement.clientWidth"), width
