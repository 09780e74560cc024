import re
import struct
import sys
import zipfile

import pytest
from PIL import Image
from typer.testing import CliRunner

from components.example_gen.ingest import ingest
from models.config import Images
from pipeline.cli import app, main
from pipeline.new import counting, looking
from tests.components.images import make_pipeline, noise
from tests.pipeline.new.looks import blob, write


class TestLook:
    def test_kinds_sizes_and_grey_in_truth(self, tmp_path):
        """If this fails, a folder of files of all kinds is not seen for what it is."""
        write(tmp_path / "a", [blob(n, grey=True) for n in range(20)])
        for number, mode in enumerate(("L", "P", "RGBA", "1")):
            blob(50 + number, (40, 30), grey=True).convert(mode).save(tmp_path / "a" / f"mode-{mode}.png")
        blob(60, (48, 48), grey=True).save(tmp_path / "a" / "photo.webp")
        (tmp_path / "a" / "Thumbs.db").write_bytes(b"x")
        look = looking.look(f"folder:{tmp_path}")
        assert len(look.seen) == len(look.sample) == 25
        assert {each.kind for each in look.seen} == {"PNG RGB", "PNG L", "PNG P", "PNG RGBA", "PNG 1", "WEBP RGB"}
        assert sorted({(each.side, each.longer) for each in look.seen}) == [(30, 40), (32, 32), (48, 48)]
        assert all(each.grey for each in look.sample)
        assert look.notes["passed_over"].files == 1

    def test_what_cannot_be_used_is_named(self, tmp_path):
        write(tmp_path, [blob(n) for n in range(9)])
        (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:60])
        (tmp_path / "text.jpg").write_text("no image")
        look = looking.look(f"folder:{tmp_path}")
        assert (look.bad, len(look.seen)) == (2, 9)
        assert [fault.name.rpartition("/")[2] for fault in look.faults] == ["broken.png", "text.jpg"]

    def test_copies_and_near_duplicates(self, tmp_path):
        write(tmp_path, [blob(n, (64, 64)) for n in range(12)])
        (tmp_path / "copy.png").write_bytes((tmp_path / "3.png").read_bytes())
        blob(5, (64, 64)).save(tmp_path / "again.jpg", quality=90)
        look = looking.look(f"folder:{tmp_path}")
        groups = [sorted(looking.names(look, group)) for group in (*look.copies, *look.pairs)]
        assert groups == [["3.png", "copy.png"], ["5.png", "again.jpg"]]

    @pytest.mark.parametrize("kind", ["zip", "digits", "idx"])
    def test_other_sources(self, tmp_path, kind):
        if kind == "zip":
            write(tmp_path / "x", [blob(n) for n in range(8)])
            with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
                for file in sorted((tmp_path / "x").iterdir()):
                    archive.write(file, f"{'ab'[int(file.stem) % 2]}/{file.name}")
            look = looking.look(looking.source_of(str(tmp_path / "x.zip")))
            assert (len(look.seen), look.classes, look.seen[0].side) == (8, ["a", "b"], 32)
        elif kind == "idx":
            images = noise(0, 30, 20, 20)
            (tmp_path / "train-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, 30, 20, 20) + images.tobytes())
            look = looking.look(looking.source_of(str(tmp_path)))
            assert (len(look.seen), look.classes, {each.side for each in look.seen}) == (30, [], {20})
        else:
            look = looking.look(looking.source_of("digits"))
            assert (len(look.seen), len(look.classes), look.files) == (1797, 10, False)

    def test_only_a_sample_of_many_is_decoded(self, tmp_path, monkeypatch):
        """If this fails, a look at very many images takes as long as ingestion."""
        monkeypatch.setattr(looking, "SAMPLE", 10)
        write(tmp_path, [blob(n) for n in range(60)])
        look = looking.look(f"folder:{tmp_path}")
        assert len(look.seen) == 60
        assert 2 <= len(look.sample) <= 10
        assert [each.number for each in look.sample] == [each.number for each in looking.look(look.source).sample]

    def test_progress_reaches_the_number_of_images(self, tmp_path):
        write(tmp_path, [blob(n) for n in range(7)])
        told = []
        looking.look(f"folder:{tmp_path}", lambda done, total: told.append((done, total)))
        assert told[-1] == (7, 7)


class TestSourceOf:
    def test_a_place_alone(self, tmp_path):
        (tmp_path / "photos").mkdir()
        for name in ("a.zip", "b.tar.gz", "c.tgz", "d.tar"):
            (tmp_path / name).write_bytes(b"")
        found = [looking.source_of(str(path)).partition(":")[0] for path in sorted(tmp_path.iterdir())]
        assert found == ["zip", "tar", "tar", "tar", "folder"]
        assert looking.source_of("tfds:mnist") == "tfds:mnist"

    @pytest.mark.parametrize("given", ["mixture:ring", "stacked:digits", "nowhere", "folder"])
    def test_what_has_no_images(self, given, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match="new looks at"):
            looking.source_of(given)


class TestBadInput:
    """Each is one line; nothing is written."""

    @pytest.fixture
    def refused(self, tmp_path, monkeypatch, capsys):
        def run(*arguments):
            monkeypatch.setattr(sys, "argv", ["ganworks", "new", *map(str, arguments)])
            with pytest.raises(SystemExit) as left:
                main()
            assert isinstance(left.value.code, str)
            assert "\n" not in left.value.code
            assert not list(tmp_path.glob("my.*"))
            return left.value.code

        return run

    def test_folders_without_images(self, refused, tmp_path):
        (tmp_path / "empty").mkdir()
        write(tmp_path / "few", [blob(n) for n in range(9)])
        write(tmp_path / "black", [Image.new("RGB", (32, 32))] * 50)
        write(tmp_path / "bad", [])
        (tmp_path / "bad" / "x.png").write_text("no image")
        write(tmp_path / "icons", [blob(n, (5, 5)) for n in range(50)])
        output = ("--output", tmp_path / "my.yaml")
        assert "needs at least one image" in refused(tmp_path / "empty", *output)
        assert "needs at least 40 different images" in refused(tmp_path / "few", *output)
        assert "all 50 are identical" in refused(tmp_path / "black", *output)
        assert re.search(r"of 1 none can: .*x\.png is no image", refused(tmp_path / "bad", *output))
        assert "have at least 8 pixels a side" in refused(tmp_path / "icons", *output)
        assert "there is none at" in refused(tmp_path / "nowhere", *output)

    def test_places_are_tried_first(self, tmp_path, monkeypatch):
        """If this fails, a user waits for a long look that ends in nothing, or loses a file."""
        monkeypatch.setattr(looking, "source_of", lambda given: pytest.fail("it looked"))
        (tmp_path / "there.yaml").write_text("mine")
        (tmp_path / "page.html").write_text("mine")
        (tmp_path / "file").write_text("")
        for name, message in {
            "there.yaml": "is there already",
            "page.yaml": "page.html is there already",
            "x.json": "--output ends in .yaml",
            "file/x.yaml": "cannot be written",
        }.items():
            result = CliRunner().invoke(app, ["new", str(tmp_path), "--output", str(tmp_path / name)])
            assert message in str(result.exception), name
        assert (tmp_path / "there.yaml").read_text() == (tmp_path / "page.html").read_text() == "mine"


class TestCounts:
    @pytest.mark.parametrize("split_by", ["content", "near_duplicates"])
    def test_are_those_of_ingestion(self, tmp_path, split_by):
        """If this fails, thresholds are chosen for other numbers of images than a run has."""
        for label, name in enumerate("ab"):
            pictures = [blob(100 * label + n, (64, 64)) for n in range(30)]
            write(tmp_path / "in" / name, [*pictures, *(each.convert("RGBA") for each in pictures[:5])])
            for number in range(4):
                pictures[number].save(tmp_path / "in" / name / f"again{number}.jpg", quality=90)
        data = Images(source=f"folder:{tmp_path / 'in'}", classes=2, channels=3, eval_share=0.3, split_by=split_by)
        counts = counting.split(looking.look(data.source).seen, data)
        report = ingest(data, str(tmp_path), make_pipeline)
        assert counts.by_split == report.counts
        assert counts.by_class == report.by_class
