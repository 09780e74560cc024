"""Images of any sizes in a file, and batches of crops of them."""

import resource

import numpy as np
import pytest
import tensorflow as tf

from models.config import Column, Photographs
from models.examples.arrays import Arrays, read_examples
from models.examples.batches import batches
from models.examples.paged import Paged

SIDE = 8
CONTEXT = tf.distribute.InputContext()


def numbered(height, width, first=0, channels=1):
    """An image whose pixels tell where they are."""
    return (first + np.arange(height * width * channels) % 251).astype(np.uint8).reshape(height, width, channels)


@pytest.fixture
def held():
    paged = Paged(SIDE, 1)
    for image in (numbered(8, 8), numbered(20, 30, 3), numbered(50, 9, 7)):
        paged.append(image)
    return paged


class TestPaged:
    def test_an_image_comes_back_whole(self, held):
        assert [image.shape for image in held] == [(8, 8, 1), (20, 30, 1), (50, 9, 1)]
        assert (held.image(1) == numbered(20, 30, 3)).all()

    @pytest.mark.parametrize("band", [1, 2**20], ids=["row by row", "in one go"])
    def test_a_crop_is_what_a_slice_is(self, held, monkeypatch, band):
        monkeypatch.setattr("models.examples.paged.BAND_BYTES", band)
        # of the 13 places down and 23 to the right: the first, one between, the last
        crops = held.crops(np.array([1, 1, 1]), np.array([[0, 0], [0.5, 0.25], [0.9999, 0.9999]]))
        image = numbered(20, 30, 3)
        for crop, (top, left) in zip(crops, [(0, 0), (6, 5), (12, 22)], strict=True):
            assert (crop == image[top : top + SIDE, left : left + SIDE]).all()

    def test_rows_give_centres_as_an_array_of_squares_would(self, held):
        assert held[[2, 0]].shape == (2, SIDE, SIDE, 1)
        assert held[:].shape == held.shape
        assert (held[0] == numbered(8, 8)).all()

    def test_around_a_crop_lies_what_lies_around_it_in_the_image(self):
        """If this fails, a blurred picture is that of another place than the truth beside it."""
        paged = Paged(4, 1, margin=3)
        for image in (numbered(10, 10), numbered(20, 30, 3)):
            paged.append(image)
        paged = paged.ordered(np.array([1, 0]))
        wide, rows = paged.around(), np.array([0, 0, 0, 1])
        places = np.array([[0, 0], [0.37, 0.81], [0.9999, 0.9999], [0.5, 0.5]])
        around, crops = wide.crops(rows, places), paged.crops(rows, places)
        assert around.shape == (4, 10, 10, 1)
        assert (around[:, 3:-3, 3:-3] == crops).all()
        # by hand: of 20 x 30 pixels, 10 of a crop with its margins: 11 places down, 21 to the right
        image = numbered(20, 30, 3)
        assert (around[1] == image[4:14, 17:27]).all()
        assert (around[2] == image[10:20, 20:30]).all()
        assert (wide[:][:, 3:-3, 3:-3] == paged[:]).all()
        with pytest.raises(ValueError, match="at least 10 pixels a side"):
            paged.append(numbered(9, 40))

    def test_another_order_is_the_same_images(self, held):
        turned = held.ordered(np.array([2, 0, 1]))
        assert [image.shape for image in turned] == [(50, 9, 1), (8, 8, 1), (20, 30, 1)]

    def test_refuses_an_image_smaller_than_a_crop(self, held):
        with pytest.raises(ValueError, match=r"at least 8 pixels a side and 1 channels; received 7 x 9 with 1"):
            held.append(numbered(9, 7))


PAIRED = (Column("target", "photograph", (SIDE, SIDE, 1)), Column("input", "photograph", (SIDE, SIDE, 1)))


class TestBatches:
    def batch(self, arrays, columns, first_step=0, batch_size=16):
        dataset = batches(
            arrays, columns, seed=1, batch_size=batch_size, draws=2, first_step=first_step, context=CONTEXT
        )
        return next(iter(dataset))

    def aligned(self):
        target, other = Paged(SIDE, 1), Paged(SIDE, 1)
        for first in range(5):
            target.append(numbered(20, 30, first))
            other.append(255 - numbered(20, 30, first))
        return Arrays.aligned(target, input=other)

    def test_aligned_photographs_are_cut_at_the_same_place(self):
        """If this fails, a pair's two sides show different things, and a translation between them learns nothing."""
        batch = self.batch(self.aligned(), PAIRED)
        assert batch["target"].shape == (2, 16, SIDE, SIDE, 1)
        assert (batch["target"].numpy() == 255 - batch["input"].numpy()).all()

    def test_aligned_columns_are_mirrored_together(self):
        """If this fails, half of the pairs show one side mirrored and the other not."""
        random = np.random.default_rng(0)
        target = random.integers(0, 256, [40, SIDE, SIDE, 1], np.uint8)
        arrays = Arrays.aligned(target, input=255 - target)
        columns = (
            Column("target", "image", (SIDE, SIDE, 1), flip=True),
            Column("input", "image", (SIDE, SIDE, 1), flip=True),
        )
        batch = self.batch(arrays, columns)
        assert (batch["target"].numpy() == 255 - batch["input"].numpy()).all()
        rows = {each.tobytes() for each in target}
        plain = [each.tobytes() in rows for each in batch["target"].numpy().reshape(-1, SIDE, SIDE, 1)]
        assert 4 < sum(plain) < 28
        turned = batch["target"].numpy()[..., ::-1, :].reshape(-1, SIDE, SIDE, 1)
        assert all(each.tobytes() in rows for each, as_it_is in zip(turned, plain, strict=True) if not as_it_is)

    def test_a_crop_is_drawn_anew_for_each_row_and_again_alike_for_the_same_step(self):
        arrays = self.aligned()
        first, later, again = (self.batch(arrays, PAIRED, step)["target"].numpy() for step in (0, 1, 0))
        assert (first == again).all()
        assert not (first == later).all()
        # 5 images: 32 rows without crops of their own would hold 5 different ones
        assert len(np.unique(first.reshape(32, -1), axis=0)) > 20


def write(path, images):
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type="GZIP")) as writer:
        for image in images:
            feature = {
                "target": tf.train.Feature(bytes_list=tf.train.BytesList(value=[tf.io.encode_png(image).numpy()]))
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


class TestReadExamples:
    DATA = Photographs(source="folder:none", channels=3, crop=32)

    def test_all_sizes_are_kept_whole_and_ordered_by_content(self, tmp_path):
        images = [numbered(40, 50, 1, 3), numbered(33, 90, 2, 3), numbered(64, 64, 3, 3)]
        for name, order in (("one", (0, 1, 2)), ("two", (2, 0, 1))):
            write(tmp_path / name, [images[i] for i in order])
        one, two = (read_examples([str(tmp_path / name)], self.DATA) for name in ("one", "two"))
        assert one.digest == two.digest
        assert {each.shape for each in one.columns["target"]} == {(40, 50, 3), (33, 90, 3), (64, 64, 3)}
        assert all((a == b).all() for a, b in zip(one.columns["target"], two.columns["target"], strict=True))
        assert one.target.shape == (3, 32, 32, 3)

    def test_memory_does_not_grow_with_the_photographs(self, tmp_path):
        """If this fails, a folder of large photographs ends a training by the kernel's killer."""
        image = np.zeros([2_000, 3_000, 3], np.uint8)
        write(tmp_path / "few", [image] * 2)
        write(tmp_path / "many", [image] * 20)
        read_examples([str(tmp_path / "few")], self.DATA)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        arrays = read_examples([str(tmp_path / "many")], self.DATA)
        for step in range(3):
            dataset = batches(
                arrays, self.DATA.columns, seed=0, batch_size=64, draws=1, first_step=step, context=CONTEXT
            )
            next(iter(dataset))
        # decoded, the 20 are 360 MB; what is decoded at a time is a few of them
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 200 * 1024, f"{grown / 1024:.0f} MiB"

    def test_what_lies_around_a_target_is_read_with_it_wherever_it_is_cut(self, tmp_path):
        """If this fails, a restorer is taught to undo the blur of another place, or of the mirrored one."""
        write(tmp_path / "examples", [numbered(60, 50, 1, 3), numbered(48, 90, 2, 3)])
        data = self.DATA.model_copy(update={"margin": 5, "flip": True})
        arrays = read_examples([str(tmp_path / "examples")], data)
        assert arrays.groups == (("target", "surroundings"),)
        options = {"seed": 0, "batch_size": 16, "draws": 1, "first_step": 0, "context": CONTEXT}
        batch = next(iter(batches(arrays, data.columns, **options)))
        assert batch["surroundings"].shape == (1, 16, 42, 42, 3)
        assert (batch["surroundings"][:, :, 5:-5, 5:-5] == batch["target"]).numpy().all()
        assert len(np.unique(batch["target"].numpy().reshape(16, -1), axis=0)) > 12
        assert (arrays.rows(np.array([1])).columns["surroundings"][:, 5:-5, 5:-5] == arrays.target[1:]).all()
