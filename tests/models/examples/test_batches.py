import numpy as np
import tensorflow as tf

from models.config import Images
from models.examples.arrays import Arrays
from models.examples.batches import batches
from tests.models.examples.small import ARRAYS, RING_AND_GRID, Pairs

NUMBERED = Images(classes=10).columns


def labels(count, *, first_step=0, replicas=1, workers=1, worker=0, seed=0, batch_size=4, draws=1):
    context = tf.distribute.InputContext(workers, worker, replicas)
    order = {"seed": seed, "batch_size": batch_size, "draws": draws, "first_step": first_step}
    dataset = batches(ARRAYS, NUMBERED, context=context, **order)
    return np.array([element["label"] for element in dataset.take(count).as_numpy_iterator()])


def taken(arrays, columns, count):
    """The first batches of 5, a step each."""
    order = {"seed": 0, "batch_size": 5, "draws": 1, "first_step": 0, "context": tf.distribute.InputContext(1, 0, 1)}
    return list(batches(arrays, columns, **order).take(count).as_numpy_iterator())


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

    def test_columns_of_one_group_get_the_same_rows(self):
        """If this fails, a model learns from pairs that are none."""
        points = np.arange(20, dtype=np.float32).reshape(10, 2)
        for batch in taken(Arrays.aligned(points, np.arange(10), input=points + 100), Pairs().columns, 5):
            assert batch.keys() == {"target", "input", "label"}
            np.testing.assert_array_equal(batch["input"], batch["target"] + 100)
            np.testing.assert_array_equal(batch["target"][..., 0], 2 * batch["label"])

    def test_each_group_has_an_order_of_its_own(self):
        """If this fails, unpaired domains are taught as pairs, or examples of the longer one are never seen."""
        columns = {"input": np.arange(10), "label": np.arange(10) + 50, "target": np.arange(7) + 100}
        arrays = Arrays(columns, (("input", "label"), ("target",)))
        drawn = taken(arrays, RING_AND_GRID.columns, 7)
        whole = {role: np.concatenate([each[role].ravel() for each in drawn]) for role in columns}
        np.testing.assert_array_equal(whole["label"], whole["input"] + 50)
        assert sorted(whole["input"][:10]) == list(range(10))
        for epoch in np.split(whole["target"], 5):
            assert sorted(epoch) == list(range(100, 107)), "each epoch holds each of the 7 once"
        alike = Arrays({role: values[:7] for role, values in columns.items()}, arrays.groups)
        batch = taken(alike, RING_AND_GRID.columns, 1)[0]
        assert (batch["target"] - 100 != batch["input"]).any()

    def test_a_later_phase_goes_on_where_the_one_before_it_ended(self):
        context = tf.distribute.InputContext(1, 0, 1)

        def drawn(count, batch_size=2, **options):
            dataset = batches(ARRAYS, NUMBERED, seed=0, batch_size=batch_size, context=context, **options)
            return np.concatenate([each["label"].ravel() for each in dataset.take(count).as_numpy_iterator()])

        whole = drawn(10, draws=1, first_step=0)
        # 3 steps of 2 draws of 2 examples, then steps of 1 draw
        parts = [drawn(3, draws=2, first_step=0), drawn(4, draws=1, first_step=0, drawn_before=12)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        larger = [parts[0], drawn(2, batch_size=4, draws=1, first_step=0, drawn_before=12)]
        np.testing.assert_array_equal(np.concatenate(larger), whole)
