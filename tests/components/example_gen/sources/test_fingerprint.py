import os
import shutil

import pytest

from components.example_gen.sources.source import fingerprint
from tests.components.images import image_file, noise


def later(path):
    """The same bytes and size, written a tenth of a second later."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 100_000_000))


def append(path):
    stat = path.stat()
    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


class TestFingerprint:
    def test_stays_while_nothing_changes(self, idx, folder):
        for source in ("digits", f"idx:{idx}", f"folder:{folder}"):
            assert fingerprint(source) == fingerprint(source)
        assert fingerprint(f"idx:{idx}") != fingerprint(f"folder:{folder}")

    @pytest.mark.parametrize("changed", [0, 1])
    def test_of_two_domains_changes_with_either(self, folder, idx, changed):
        sources = (f"folder:{folder}", f"idx:{idx}")
        before = fingerprint(*sources)
        assert fingerprint(*sources) == before != fingerprint(sources[0])
        later((folder / "ant" / "1.png", idx / "train-images-idx3-ubyte")[changed])
        assert fingerprint(*sources) != before

    @pytest.mark.parametrize("change", [later, append])
    @pytest.mark.parametrize("file", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
    def test_changes_with_an_idx_file(self, idx, change, file):
        before = fingerprint(f"idx:{idx}")
        change(idx / file)
        assert fingerprint(f"idx:{idx}") != before

    @pytest.mark.parametrize(
        "change",
        [
            lambda root: later(root / "ant" / "1.png"),
            lambda root: append(root / "ant" / "1.png"),
            lambda root: (root / "ant" / "1.png").rename(root / "ant" / "9.png"),
            lambda root: (root / "ant" / "1.png").unlink(),
            lambda root: shutil.copy2(root / "ant" / "1.png", root / "cat" / "1b.png"),
            lambda root: (root / "new.png").write_bytes(image_file(noise(9, 3, 3))),
        ],
    )
    def test_changes_with_a_folder(self, folder, change):
        before = fingerprint(f"folder:{folder}")
        change(folder)
        assert fingerprint(f"folder:{folder}") != before

    def test_a_missing_source_has_none(self, tmp_path):
        with pytest.raises(ValueError, match="needs a folder"):
            fingerprint(f"folder:{tmp_path}/none")
