"""Images of all kinds on their way from a user's folder into examples, and what is told of it."""

import io
import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from components.example_gen import census, near, notes
from components.example_gen.images import BadImage, read_picture
from components.example_gen.ingest import ingest
from components.example_gen.sources.source import SPLITS, Head
from models.config import Images, Photographs
from models.pixels import decode as decode_for_training
from tests.components.images import image_file, make_pipeline, noise, read_split, write_classes


def run(source, directory, **settings):
    directory.mkdir(exist_ok=True)
    data = Images(source=str(source), **settings)
    ingest(data, str(directory), make_pipeline)
    tree = json.loads((directory / "ingest.json").read_text())
    return tree, [one for split in SPLITS for one in read_split(directory, split)]


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def blob(seed, size=(32, 32)):
    return Image.fromarray(noise(seed, size[1] // 8, size[0] // 8, 3)).resize(size, Image.Resampling.BICUBIC)


def reading(content):
    return read_picture(content, None, pixel_limit=10**6, thumbnail=True)


class TestKindsOfFiles:
    """Each becomes the pixels that Pillow shows, in one folder with all others."""

    FILES = (
        ("grey.png", saved(blob(0).convert("L")), None),
        ("alpha.png", saved(Image.merge("RGBA", (*blob(1).split(), blob(2).split()[0]))), "white"),
        ("opaque.png", saved(blob(3).convert("RGBA")), None),
        ("palette.png", saved(blob(4).convert("P")), "palette"),
        ("cmyk.jpg", saved(blob(5).convert("CMYK"), "JPEG", quality=95), "cmyk"),
        ("bit.png", saved(blob(6).convert("1")), "one_bit"),
        ("deep.png", saved(Image.fromarray(np.full((32, 32), 0xABCD, np.uint16))), "deep"),
        ("grey-alpha.png", saved(Image.merge("LA", (blob(7).convert("L"), blob(8).convert("L")))), "white"),
        ("colour.webp", saved(blob(9), "WEBP", lossless=True), None),
        ("colour.bmp", saved(blob(10), "BMP"), None),
        ("many.gif", saved(blob(11), "GIF", save_all=True, append_images=[blob(12)]), "first_frame"),
    )

    @pytest.mark.parametrize("channels", [1, 3])
    def test_are_converted_and_counted(self, tmp_path, channels):
        """If this fails, files of one kind are called bad, or are converted without a word."""
        (tmp_path / "in").mkdir()
        for name, content, _ in self.FILES:
            (tmp_path / "in" / name).write_bytes(content)
        tree, examples = run(f"folder:{tmp_path}/in", tmp_path / "out", eval_share=0.4, channels=channels)
        assert (tree["bad"], len(examples)) == (0, len(self.FILES))
        counted = {what: found.files for what, found in notes.read(tree).items()}
        assert counted == {"white": 2, "palette": 2, "cmyk": 1, "one_bit": 1, "deep": 1, "first_frame": 1}
        assert tree["depths"] == {"1": 4, "3": 7}
        told = "; ".join(notes.told(tree, channels))
        assert (
            f"converted {'4 images from grey to colour' if channels == 3 else '7 images from colour to grey'}" in told
        )
        assert "laid 2 images (" in told
        shapes = {decode_for_training(one["target/encoded"], channels).shape[-1] for one in examples}
        assert shapes == {channels}

    @pytest.mark.parametrize(("name", "content", "kind"), FILES, ids=[name for name, *_ in FILES])
    def test_pixels(self, name, content, kind):
        """If this fails, training sees other pixels than the user."""
        image = Image.open(io.BytesIO(content))
        if name == "deep.png":
            wanted = np.full((32, 32, 3), 0xAB)
        else:
            white = Image.new("RGBA", image.size, "white")
            wanted = np.asarray(Image.alpha_composite(white, image.convert("RGBA")).convert("RGB"))
        got = decode_for_training(reading(content).encoded, 3).numpy()
        # decoders of JPEG round otherwise, and CMYK multiplies the difference
        np.testing.assert_allclose(got, wanted, atol=8 if name.endswith("jpg") else 0)

    def test_turned_by_exif(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        root = write_classes(tmp_path / "in", {"a": 8})
        (root / "a" / "phone.jpg").write_bytes(saved(blob(1, (40, 32)), "JPEG", exif=exif))
        tree, examples = run(f"folder:{root}", tmp_path / "out", eval_share=0.4)
        assert tree["notes"]["turned"] == [1, [f"{root}/a/phone.jpg"]]
        assert (40, 32) in {(one["target/height"], one["target/width"]) for one in examples}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "is HEIC, which Pillow does not read here: convert it"),
            (b'<svg xmlns="http://www.w3.org/2000/svg"/>', r"is a drawing \(SVG\), which has no pixels"),
            (b"", "is no image: it is empty"),
            (b"<html>404</html>", "is no image$"),
        ],
    )
    def test_what_claims_to_be_an_image_says_why_it_is_none(self, content, message):
        with pytest.raises(BadImage, match=message):
            reading(content)


class TestCropping:
    @pytest.mark.parametrize(("size", "counted"), [((30, 20), False), ((32, 20), True), ((300, 20), True)])
    def test_more_than_a_third_is_counted(self, size, counted):
        assert ("cropped" in reading(saved(Image.new("RGB", size))).handled) == counted

    def test_says_what_is_left(self, tmp_path):
        """If this fails, most of an image is cut off without a word."""
        root = write_classes(tmp_path / "in", {"a": 8})
        (root / "a" / "wide.png").write_bytes(saved(blob(3, (300, 20))))
        tree, _ = run(f"folder:{root}", tmp_path / "out", eval_share=0.4)
        assert notes.told(tree, 3) == [f"cropped more than a third of the area of 1 image ({root}/a/wide.png to 7 %)"]


class TestIdenticalImages:
    def test_are_named_as_such(self, tmp_path):
        """If this fails, a user looks for a missing split instead of at the images."""
        root = tmp_path / "in"
        root.mkdir()
        for number in range(9):
            (root / f"{number}.png").write_bytes(image_file(np.zeros((8, 8, 3), np.uint8)))
        with pytest.raises(ValueError, match="needs images that differ; all 9 are identical: add others"):
            run(f"folder:{root}", tmp_path / "out")

    def test_some_are_counted(self, tmp_path):
        root = write_classes(tmp_path / "in", {"a": 10})
        (root / "a" / "copy.png").write_bytes((root / "a" / "0.png").read_bytes())
        tree, _ = run(f"folder:{root}", tmp_path / "out", eval_share=0.4)
        assert tree["notes"]["copies"] == [1, [f"{root}/a/copy.png"]]


def pairs(root, count):
    """Images of which each has one that is almost equal: the same saved as JPEG."""
    root.mkdir()
    for number in range(count):
        image = blob(number, (64, 64))
        image.save(root / f"{number:03}.png")
        image.save(root / f"{number:03}-again.jpg", quality=90)
    return root


class TestNearDuplicates:
    def test_are_found_and_reported(self, tmp_path):
        """If this fails, what is held out was trained on, and scores flatter without a word."""
        tree, _ = run(f"folder:{pairs(tmp_path / 'in', 20)}", tmp_path / "out", eval_share=0.4)
        found = notes.read(tree)
        assert found["near_duplicates"].files == 20
        assert found["near_duplicates"].names[0].endswith("000.png")
        assert found["near_duplicates_held_out"].files > 0

    def test_can_be_kept_together(self, tmp_path):
        source = f"folder:{pairs(tmp_path / 'in', 20)}"
        tree, examples = run(source, tmp_path / "out", eval_share=0.4, split_by="near_duplicates")
        assert "near_duplicates_held_out" not in tree["notes"]
        assert len(examples) == 40
        assert all(tree["counts"][split] % 2 == 0 for split in SPLITS)

    def test_groups_are_held_out_as_often_as_single_images(self):
        """If this fails, what is held out is made of near duplicates, and no generator comes near to all of them."""
        data = Images(source="folder:x", split_by="near_duplicates")
        rng = np.random.default_rng(0)
        thumbnails = [rng.bytes(8 * 9 * 3) for _ in range(200)]
        heads = [Head(3, rng.bytes(32), None, thumbnails[number % 200]) for number in range(2_000)]
        plan = census.plan(census.of_heads(heads, SPLITS, data, labelled=False), 3, data)
        sides = Counter(plan.side(head.key, SPLITS, data) for head in heads)
        # a fifth of 200 groups, of 10 images each; three standard deviations are 17 groups
        assert 230 <= sides["eval"] <= 570
        assert all(count % 10 == 0 for count in sides.values())

    def test_every_class_still_has_some_on_each_side(self, tmp_path):
        root = tmp_path / "in"
        for name in "abcdef":
            root.mkdir(exist_ok=True)
            pairs(root / name, 2)
            for file in (root / name).iterdir():
                image = Image.open(file)
                image.rotate(90 * "abcd".find(name) if name in "abcd" else 45).save(file)
        tree, _ = run(f"folder:{root}", tmp_path / "out", classes=6, split_by="near_duplicates")
        assert all(counts["train"] and counts["eval"] for counts in tree["by_class"].values())

    def test_pairs_are_those_of_comparing_all(self):
        """If this fails, the search that is fast misses what the slow one finds."""
        rng = np.random.default_rng(0)
        base = rng.integers(0, 256, (300, 8, 9, 3), np.uint8)
        near_by = np.clip(base[:60].astype(int) + rng.integers(-3, 4, base[:60].shape), 0, 255).astype(np.uint8)
        thumbnails = np.concatenate([base, near_by])
        hashes = near.dhash(thumbnails)
        slow = {
            (i, j)
            for i in range(len(thumbnails))
            for j in range(i + 1, len(thumbnails))
            if int(hashes[i] ^ hashes[j]).bit_count() <= near.BITS
            and np.abs(thumbnails[i].astype(int) - thumbnails[j]).mean() <= near.DIFFERENCE
        }
        prints = [near.Print(bytes([n // 256, n % 256]), each.tobytes()) for n, each in enumerate(thumbnails)]
        assert {tuple(group) for group in near.groups(prints)} == slow
        assert len(slow) > 40

    def test_a_hash_by_hand(self):
        # in rows that rise from left to right each value is darker than the next
        falling = np.tile(np.arange(9, 0, -1, dtype=np.uint8)[None, :, None] * 20, (8, 1, 3))
        assert near.dhash(np.stack([falling, falling[:, ::-1]])).tolist() == [0, 2**64 - 1]

    def test_colours_alone_make_a_difference(self):
        red, green = (np.zeros((8, 9, 3), np.uint8) for _ in range(2))
        red[..., 0], green[..., 1] = 100, 51  # the same grey
        assert not near.groups([near.Print(b"r", red.tobytes()), near.Print(b"g", green.tobytes())])

    def test_many_empty_pictures_take_no_time(self):
        white = np.full((8, 9, 3), 255, np.uint8).tobytes()
        prints = [near.Print(number.to_bytes(4, "big"), white) for number in range(20_000)]
        (group,) = near.groups(prints)
        assert len(group) == 20_000

    def test_too_many_are_not_compared_and_that_is_said(self, tmp_path, monkeypatch):
        """If this fails, memory grows with the number of images, or the search is left out without a word."""
        monkeypatch.setattr(census, "MOST", 10)
        source = f"folder:{pairs(tmp_path / 'in', 10)}"
        tree, _ = run(source, tmp_path / "out", eval_share=0.4)
        assert tree["notes"] == {"not_compared": [20, []]}
        with pytest.raises(ValueError, match=r"near_duplicates compares at most 10 images; folder:.* has 20: set"):
            run(source, tmp_path / "other", split_by="near_duplicates")


class TestSplitByFolder:
    def test_what_lies_in_a_folder_stays_together(self, tmp_path):
        """If this fails, one person's pictures are trained on and held out."""
        root = tmp_path / "in"
        for number in range(40):
            (root / "ab"[number % 2] / f"person{number}").mkdir(parents=True)
            for shot in range(3):
                path = root / "ab"[number % 2] / f"person{number}" / f"{shot}.png"
                path.write_bytes(image_file(noise(3 * number + shot, 6, 5, 3)))
        tree, examples = run(f"folder:{root}", tmp_path / "out", classes=2, split_by="folder")
        assert len(examples) == 120
        assert all(count % 3 == 0 for count in tree["counts"].values())
        assert all(tree["counts"][split] for split in SPLITS)

    def test_needs_files(self, tmp_path):
        with pytest.raises(ValueError, match=r"split_by=folder is for images in files, .*; received digits: set"):
            run("digits", tmp_path / "out", split_by="folder")


class TestLabels:
    def test_too_few_name_the_classes(self, tmp_path):
        root = write_classes(tmp_path / "in", {"a": 4, "b": 4, "c": 4})
        with pytest.raises(ValueError, match=r"has 3, a, b, c, and data\.classes is 2: set data\.classes=3"):
            run(f"folder:{root}", tmp_path / "out", classes=2)

    def test_images_beside_class_folders_stop_a_run_that_reads_classes(self, tmp_path):
        root = write_classes(tmp_path / "in", {"a": 8, "b": 8})
        (root / "loose.png").write_bytes(image_file(noise(99, 6, 5, 3)))
        with pytest.raises(ValueError, match=r"1 have none, .*: loose\.png: move them"):
            run(f"folder:{root}", tmp_path / "out", classes=2)
        _, examples = run(f"folder:{root}", tmp_path / "out", eval_share=0.4)
        assert len(examples) == 17
        assert not any("label" in one for one in examples)


class TestPhotographs:
    def test_one_smaller_than_the_crop_is_refused_by_its_name_and_size(self, tmp_path):
        """If this fails, a training ends at the first batch that holds the small one."""
        root = write_classes(tmp_path / "in", {"a": 6}, shape=(40, 50, 3))
        (root / "a" / "small.png").write_bytes(image_file(noise(7, 20, 90, 3)))
        data = Photographs(source=f"folder:{root / 'a'}", crop=32)
        wide = data.model_copy(update={"crop": 16, "margin": 4})
        with pytest.raises(ValueError, match=r"20 pixels, fewer than data.crop with its margins, 24"):
            ingest(wide, str(tmp_path / "wide"), make_pipeline)
        with pytest.raises(ValueError, match=r"small.png has 90 x 20 pixels, fewer than data.crop of 32") as caught:
            ingest(data, str(tmp_path), make_pipeline)
        assert "\n" not in str(caught.value)

    def test_a_wide_one_is_not_called_cropped(self, tmp_path):
        """It is kept whole; a square of it would have lost more than a third."""
        root = write_classes(tmp_path / "in", {"a": 12}, shape=(40, 90, 3))
        ingest(Photographs(source=f"folder:{root / 'a'}", crop=32), str(tmp_path), make_pipeline)
        assert notes.CROPPED not in json.loads((tmp_path / "ingest.json").read_text())["notes"]
