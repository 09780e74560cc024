import numpy as np
import pytest
import tensorflow as tf

from models import data as data_module
from models.config import Data, Training
from models.data import Arrays, batches, read_examples
from tests.harness import DATA, write_examples

ARRAYS = Arrays(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1), np.arange(10))


def labels(count, *, first_step=0, replicas=1, workers=1, worker=0, seed=0, batch_size=4, draws=1):
    context = tf.distribute.InputContext(workers, worker, replicas)
    training = Training(steps=1, batch_size=batch_size, seed=seed)
    dataset = batches(ARRAYS, training, draws=draws, first_step=first_step, context=context)
    return np.array([element["label"] for element in dataset.take(count).as_numpy_iterator()])


class TestReadExamples:
    def test_reads_what_was_written(self, tmp_path):
        arrays = read_examples(write_examples(tmp_path), DATA)
        assert arrays.images.shape == (40, 16, 16, 1)
        assert arrays.images.dtype == np.uint8
        assert list(arrays.labels[:4]) == [0, 1, 2, 0]
        assert (arrays.images[1, 3:9, 3:9] == 255).all()

    def test_a_set_too_large_for_memory_reads_the_same(self, tmp_path, monkeypatch):
        pattern = write_examples(tmp_path)
        expected = read_examples(pattern, DATA).images
        monkeypatch.setattr(data_module, "IN_MEMORY_BYTES", 1000)
        images = read_examples(pattern, DATA).images
        assert isinstance(images, np.memmap)
        np.testing.assert_array_equal(images, expected)

    def test_no_file_is_an_error_that_names_the_pattern(self, tmp_path):
        with pytest.raises(ValueError, match=r"none matches .*nothing"):
            read_examples([str(tmp_path / "nothing*")], DATA)

    def test_another_size_is_an_error(self, tmp_path):
        pattern = write_examples(tmp_path)
        with pytest.raises(ValueError, match=r"\[32, 32, 1\]; received \[16, 16, 1\]"):
            read_examples(pattern, Data(resolution=32, labels=3))


class TestBatches:
    def test_each_epoch_holds_every_example_once(self):
        seen = labels(5).ravel()
        assert sorted(seen[:10]) == list(range(10))
        assert sorted(seen[10:]) == list(range(10))
        assert list(seen[:10]) != list(seen[10:])

    def test_entered_late_goes_on_as_if_from_the_start(self):
        np.testing.assert_array_equal(labels(7)[3:], labels(4, first_step=3))

    def test_another_seed_is_another_order(self):
        assert (labels(2) != labels(2, seed=1)).any()

    def test_replicas_share_the_same_global_batch(self):
        # two replicas of one worker: consecutive elements are the halves of a step's batch
        whole, halves = labels(3), labels(6, replicas=2)
        np.testing.assert_array_equal(whole, halves.reshape(3, 1, 4))

    def test_workers_share_the_same_global_batch(self):
        first, second = (labels(3, replicas=2, workers=2, worker=worker) for worker in (0, 1))
        np.testing.assert_array_equal(labels(3), np.concatenate([first, second], axis=2))

    def test_the_draws_of_a_step_are_fresh(self):
        element = labels(1, draws=2)[0]
        assert element.shape == (2, 4)
        assert len(set(element.ravel())) == 8
