import numpy as np
import pytest

from tests.components.example_gen.ingested import run, together
from tests.components.images import image_file, noise, write_classes, write_idx


def no_image(root):
    (root / "ant" / "bad.png").write_bytes(b"GIF? no")
    return "bad.png is no image"


def truncated(root):
    content = image_file(noise(5, 50, 50, 3), "JPEG")
    (root / "ant" / "bad.jpg").write_bytes(content[: len(content) // 2])
    return "bad.jpg does not decode"


def bomb(root):
    (root / "ant" / "bad.png").write_bytes(image_file(np.zeros((200, 100, 3), np.uint8)))
    return "bad.png has 100 x 200 pixels, more than data.pixel_limit of 10000"


def grey_among_colour(root):
    (root / "ant" / "bad.png").write_bytes(image_file(noise(6, 6, 6)))
    return "bad.png has 1 channels where most images have 3"


BAD = [no_image, truncated, bomb, grey_among_colour]


LIMITS = {"pixel_limit": 10_000, "eval_share": 0.5, "mixed_channels": "refuse"}


@pytest.mark.parametrize("spoil", BAD)
class TestBadImages:
    def test_stops_by_default_in_one_line_and_leaves_nothing(self, tmp_path, spoil):
        root = write_classes(tmp_path / "in", {"ant": 10, "bee": 9})
        message = spoil(root)
        with pytest.raises(
            ValueError, match=r"has 1 bad of 20 images, more than data\.bad_image_tolerance of 0"
        ) as error:
            run(f"folder:{root}", tmp_path / "out", **LIMITS)
        assert message in str(error.value)
        assert "\n" not in str(error.value)
        assert not list((tmp_path / "out").iterdir())

    def test_is_skipped_and_named_within_the_tolerance(self, tmp_path, spoil, caplog):
        root = write_classes(tmp_path / "in", {"ant": 10, "bee": 9})
        good = [file.read_bytes() for file in root.rglob("*.png")]
        message = spoil(root)
        report, splits = run(f"folder:{root}", tmp_path / "out", bad_image_tolerance=0.05, **LIMITS)
        assert sorted(one["target/encoded"] for one in together(splits)) == sorted(good)
        assert report.bad == 1
        assert message in str(report.faults[0])
        assert message in caplog.text
        assert "skipped 1 bad of 20 images" in caplog.text


def test_the_tolerance_is_a_bound(tmp_path):
    root = write_classes(tmp_path / "in", {"ant": 18})
    no_image(root)
    truncated(root)
    with pytest.raises(ValueError, match="has 2 bad of 20 images"):
        run(f"folder:{root}", tmp_path / "out", bad_image_tolerance=0.09, eval_share=0.5)
    report, _ = run(f"folder:{root}", tmp_path / "out", bad_image_tolerance=0.1, eval_share=0.5)
    assert (report.bad, sum(report.counts.values())) == (2, 18)


def test_few_colour_images_among_grey_ones_are_the_bad_ones_where_they_are_refused(tmp_path):
    root = write_classes(tmp_path / "in", {"ant": 9}, shape=(6, 6))
    (root / "ant" / "colour.png").write_bytes(image_file(noise(3, 6, 6, 3)))
    with pytest.raises(ValueError, match=r"colour\.png has 3 channels where most images have 1"):
        run(f"folder:{root}", tmp_path / "out", eval_share=0.5, mixed_channels="refuse")


def test_many_faults_are_counted_whole_and_named_in_part(tmp_path):
    root = write_classes(tmp_path / "in", {"ant": 2})
    for number in range(50):
        (root / "ant" / f"bad-{number:02}.png").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"has 50 bad of 52 images.*bad-00.*bad-01.*bad-02.* and 17 more in the log$"):
        run(f"folder:{root}", tmp_path / "out")


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_truncated_idx(tmp_path, ending):
    write_idx(tmp_path / "idx", "train", noise(0, 40, 8, 8), np.arange(40) % 10, ending)
    path = tmp_path / "idx" / f"train-images-idx3-ubyte{ending}"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"bad of 40 images.*train-images.*truncated: the header says 40"):
        run(f"idx:{tmp_path}/idx", tmp_path / "out", eval_share=0.5)
    assert not list((tmp_path / "out").iterdir())
    report, splits = run(f"idx:{tmp_path}/idx", tmp_path / "out", eval_share=0.5, bad_image_tolerance=0.1)
    assert report.bad == 2
    assert sum(map(len, splits.values())) == 38


def test_image_and_label_counts_that_differ(tmp_path):
    write_idx(tmp_path / "idx", "train", noise(0, 40, 8, 8), np.arange(39) % 10)
    with pytest.raises(ValueError, match=r"1 bad of 40 .*holds 40 images and .* 39 labels; each image needs one label"):
        run(f"idx:{tmp_path}/idx", tmp_path / "out", eval_share=0.5)


def test_an_empty_folder(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="needs at least one image"):
        run(f"folder:{tmp_path}/in", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
