import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.example_gen.sources.samples import Samples, open_samples, write_samples
from models.config import Images
from tests.components.images import decode, image_file, noise, write_classes


def read(path):
    examples = [
        tf.train.Example.FromString(each).features.feature
        for each in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator()
    ]
    labels = [example["label"].int64_list.value[0] if "label" in example else None for example in examples]
    return [decode(example["target/encoded"].bytes_list.value[0]) for example in examples], labels


def write(folder, tmp_path, classes=(), **options):
    return write_samples(open_samples(str(folder)), tmp_path / "out.gz", classes=list(classes), data=Images(**options))


class TestSamples:
    def test_a_subfolder_is_the_class_of_its_name_though_others_are_missing(self, tmp_path):
        folder = write_classes(tmp_path / "s", {"bird": 2, "fish": 3}, (8, 8, 3))
        assert write(folder, tmp_path, ["ant", "bird", "cat", "fish"]) == Samples(5, 8, True)
        images, labels = read(tmp_path / "out.gz")
        assert sorted(labels) == [1, 1, 3, 3, 3]
        fish = [image for image, label in zip(images, labels, strict=True) if label == 3]
        wanted = [noise(1000 + i, 8, 8, 3) for i in range(3)]
        assert sorted(each.tobytes() for each in fish) == sorted(each.tobytes() for each in wanted)

    def test_without_subfolders_there_are_no_classes(self, tmp_path):
        folder = write_classes(tmp_path / "s", {"any": 3}, (8, 8))
        assert write(folder / "any", tmp_path, ["bird"]) == Samples(3, 8, False)
        assert read(tmp_path / "out.gz")[1] == [None] * 3

    def test_equal_images_all_count(self, tmp_path):
        # A hash splits a source: of a collapsed generator all would fall on one side.
        (tmp_path / "s").mkdir()
        for i in range(20):
            (tmp_path / "s" / f"{i}.png").write_bytes(image_file(noise(0, 8, 8)))
        assert write(tmp_path / "s", tmp_path).images == 20

    def test_progress_is_told(self, tmp_path):
        folder, told = write_classes(tmp_path / "s", {"a": 3}, (8, 8)), []
        write_samples(
            open_samples(str(folder)),
            tmp_path / "out.gz",
            classes=["a"],
            data=Images(),
            progress=lambda *done: told.append(done),
        )
        assert told == [(1, 3), (2, 3), (3, 3)]


class TestErrors:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"no image", "b.png is no image"),
            (image_file(noise(0, 8, 8))[:-40], "b.png does not decode"),
            (image_file(noise(0, 8, 6)), r"squares of one size; .*b.png has 6 x 8 pixels"),
            (image_file(noise(0, 4, 4)), r"squares of one size; .*png has (4 x 4|8 x 8) .* before it have (8|4) x"),
        ],
    )
    def test_a_bad_image_is_named(self, tmp_path, content, message):
        (tmp_path / "s").mkdir()
        (tmp_path / "s/first.png").write_bytes(image_file(noise(1, 8, 8)))
        (tmp_path / "s/b.png").write_bytes(content)
        with pytest.raises(ValueError, match=message) as error:
            write(tmp_path / "s", tmp_path)
        assert "\n" not in str(error.value)

    def test_pixels_that_are_no_bytes(self, tmp_path):
        (tmp_path / "s").mkdir()
        buffer = io.BytesIO()
        Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(buffer, "TIFF")
        (tmp_path / "s/nan.tiff").write_bytes(buffer.getvalue())
        with pytest.raises(ValueError, match=r"nan.tiff has pixels of mode F, which are neither"):
            write(tmp_path / "s", tmp_path)

    def test_an_image_that_is_too_large(self, tmp_path):
        folder = write_classes(tmp_path / "s", {"a": 1}, (20, 20))
        with pytest.raises(ValueError, match=r"20 x 20 pixels, more than data.pixel_limit of 100"):
            write(folder, tmp_path, ["a"], pixel_limit=100)

    def test_a_subfolder_that_is_no_class(self, tmp_path):
        folder = write_classes(tmp_path / "s", {"0": 1, "zebra": 1}, (8, 8))
        with pytest.raises(ValueError, match="classes of the real images, 0, 1; received zebra"):
            write(folder, tmp_path, ["0", "1"])
        with pytest.raises(ValueError, match="which have none; received 0, zebra"):
            write(folder, tmp_path)

    def test_no_images(self, tmp_path):
        with pytest.raises(ValueError, match=r"^--samples .*nothing needs a folder of images"):
            open_samples(str(tmp_path / "nothing"))
        with pytest.raises(ValueError, match=r"^--samples .* needs at least one image"):
            open_samples(str(tmp_path))
