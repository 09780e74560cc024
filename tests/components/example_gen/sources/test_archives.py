import io
import json
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from components.example_gen.sources import archives
from components.example_gen.sources.source import open_source
from models.config import Images
from tests.components.example_gen.sources.laid_out import faults, found, png
from tests.components.images import image_file, noise, write_classes


def pack(path: Path, files: dict[str, bytes]) -> Path:
    """A ZIP or TAR file, by the ending of its name."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    mode = {".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


KINDS = ["x.zip", "x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz"]


def source_of(path: Path) -> str:
    return f"{'zip' if path.suffix == '.zip' else 'tar'}:{path}"


@pytest.mark.parametrize("kind", KINDS)
class TestArchives:
    def test_is_read_as_the_folder_that_it_was_made_of(self, tmp_path, kind):
        """If this fails, an archive gives other labels or other bytes than its folder."""
        root = write_classes(tmp_path / "in", {"ant": 3, "bee": 2})
        files = {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*.png")}
        source = source_of(pack(tmp_path / kind, files | {"__MACOSX/ant/._0.png": b"\0\5", "README.md": b"x"}))
        assert found(source) == found(f"folder:{root}")
        opened = open_source(source)
        read = {item.name: item.content for shard in opened.shards() for item in opened.read(shard, data=Images())}
        assert read == {f"{tmp_path / kind}/{name}": content for name, content in files.items()}
        assert opened.classes() == ["ant", "bee"]
        assert opened.notes()["passed_over"] == (2, ("README.md", "__MACOSX"))
        assert not [file for file in tmp_path.rglob("*.png") if root not in file.parents]

    def test_labels_in_it(self, tmp_path, kind):
        labels = json.dumps({"labels": [["00000/0.png", 1], ["00000/1.png", 0]]}).encode()
        files = {"00000/0.png": png(0), "00000/1.png": png(1), "dataset.json": labels}
        found_there = found(source_of(pack(tmp_path / kind, files)))
        assert {name: label for name, (_, label) in found_there.items()} == {"00000/0.png": 1, "00000/1.png": 0}

    @pytest.mark.parametrize("name", ["../up.png", "/etc/up.png", "a/../../up.png"])
    def test_a_path_that_climbs(self, tmp_path, kind, name):
        path = pack(tmp_path / kind, {"a/0.png": png(), name: png(1)})
        with pytest.raises(ValueError, match=r"holds paths below it; it has '.*up\.png', which leads out of it"):
            open_source(source_of(path))

    def test_a_bomb_by_its_ratio(self, tmp_path, kind, monkeypatch):
        monkeypatch.setattr(archives, "FREE_BYTES", 1000)
        monkeypatch.setattr(archives, "RATIO", 2)
        path = pack(tmp_path / kind, {f"a/{n}.bmp": bytes(50_000) for n in range(20)})
        if kind == "x.zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for n in range(20):
                    archive.writestr(f"a/{n}.bmp", bytes(50_000))
        if kind == "x.tar":
            monkeypatch.setattr(archives, "RATIO", 0)
        with pytest.raises(ValueError, match=r"times its own size .* decompression bomb"):
            open_source(source_of(path))

    def test_a_bomb_by_one_file(self, tmp_path, kind, monkeypatch):
        monkeypatch.setattr(archives, "FILE_BYTES", 20_000)
        path = pack(tmp_path / kind, {"a/0.png": bytes(30_000)})
        with pytest.raises(ValueError, match=r"files of at most 20,000 bytes; a/0\.png has 30,000"):
            open_source(source_of(path))

    def test_cut_off_or_something_else(self, tmp_path, kind):
        path = pack(tmp_path / kind, {f"a/{n}.png": image_file(noise(n, 60, 60, 3)) for n in range(9)})
        path.write_bytes(path.read_bytes()[:20_000])
        with pytest.raises(ValueError, match=r"is none or is cut off|does not unpack") as error:
            open_source(source_of(path))
        assert "\n" not in str(error.value)
        path.write_bytes(b"no archive at all")
        with pytest.raises(ValueError, match="is none or is cut off"):
            open_source(source_of(path))


class TestZip:
    def test_a_password(self, tmp_path):
        path = pack(tmp_path / "x.zip", {"a/0.png": png()})
        content = bytearray(path.read_bytes())
        for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            content[content.index(signature) + offset] |= 1  # the bit that says encrypted
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"holds no passwords; a/0\.png needs one"):
            open_source(f"zip:{path}")

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_name_twice(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr("a/0.png", png(0))
            archive.writestr("a/0.png", png(1))
        with pytest.raises(ValueError, match=r"each name once; it has 'a/0\.png' twice"):
            open_source(f"zip:{tmp_path}/x.zip")

    def test_a_link(self, tmp_path):
        info = zipfile.ZipInfo("a/link.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr(info, "/etc/passwd")
        with pytest.raises(ValueError, match=r"holds files; a/link\.png is a link"):
            open_source(f"zip:{tmp_path}/x.zip")

    def test_a_damaged_file_is_one_bad_image(self, tmp_path):
        content = image_file(noise(0, 40, 40, 3))
        path = pack(tmp_path / "x.zip", {"a/0.png": content, "a/1.png": png(1)})
        path.write_bytes(path.read_bytes().replace(content[2000:2010], b"\0" * 10))
        assert [fault.split(" ", 1)[1] for fault in faults(f"zip:{path}")] == [
            "cannot be read: Bad CRC-32 for file 'a/0.png'"
        ]

    def test_a_folder_of_this_name_says_what_to_write(self, tmp_path):
        path = pack(tmp_path / "x.zip", {"a/0.png": png()})
        with pytest.raises(ValueError, match=f"is an archive: use zip:{path}"):
            open_source(f"folder:{path}")
        other = pack(tmp_path / "x.tar.gz", {"a/0.png": png()})
        with pytest.raises(ValueError, match=f"is an archive: use tar:{other}"):
            open_source(f"folder:{other}")
        with pytest.raises(ValueError, match=f"it is a TAR file, use tar:{other}"):
            open_source(f"zip:{other}")
        with pytest.raises(ValueError, match=f"it is a ZIP file, use zip:{path}"):
            open_source(f"tar:{path}")
        with pytest.raises(ValueError, match=r"needs a ZIP file of images; .* is no file"):
            open_source(f"zip:{tmp_path}/none.zip")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_tar_with_links_or_devices(tmp_path, kind):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        info = tarfile.TarInfo("a/0.png")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(ValueError, match=r"holds files; a/0\.png is a (link|device)"):
        open_source(f"tar:{tmp_path}/x.tar")
