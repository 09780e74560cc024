import numpy as np
import pytest
import tensorflow as tf

from models.gans.pool import ImagePool, exchanged


def sequential(kept, count, fresh, swap, slot):
    """The rule as Zhu et al. 2017 state it, one example after the other, on plain lists."""
    kept, shown = list(kept), []
    for i, example in enumerate(fresh):
        if count < len(kept):
            kept[count] = example
            shown.append(example)
            count += 1
        elif swap[i]:
            shown.append(kept[slot[i]])
            kept[slot[i]] = example
        else:
            shown.append(example)
    return shown, kept, count


class TestExchanged:
    @pytest.mark.parametrize(("size", "batch"), [(5, 1), (5, 3), (3, 8), (1, 4), (50, 16)])
    def test_is_the_sequential_rule(self, size, batch):
        random = np.random.default_rng(size * batch)
        kept, count = np.zeros([size, 2], np.float32), 0
        for start in range(0, 20 * batch, batch):
            # every example is another, so that one in the wrong place is seen
            fresh = (
                np.stack([np.arange(start, start + batch), -np.arange(start, start + batch)], 1).astype(np.float32) + 1
            )
            swap, slot = random.random(batch) < 0.5, random.integers(size, size=batch)
            expected = sequential(kept, count, fresh, swap, slot)
            received = exchanged(
                tf.constant(kept),
                tf.constant(count, tf.int64),
                tf.constant(fresh),
                tf.constant(swap),
                tf.constant(slot),
            )
            for left, right in zip(received, expected, strict=True):
                np.testing.assert_array_equal(left, right)
            kept, count = np.array(expected[1]), expected[2]


class TestImagePool:
    def test_shows_what_is_fresh_until_it_is_full_and_half_of_it_afterwards(self):
        pool = ImagePool(20, (3,))
        exchange = tf.function(pool.exchange)
        shown = []
        for i in range(105):
            out = exchange(tf.fill([4, 3], float(i)), tf.constant([7, i], tf.int64))
            shown.append(np.mean(out.numpy() == i))
        assert shown[:5] == [1] * 5
        # 400 rows: half do not swap, and those that do find one of 0.75 others of this batch among 20; four deviations
        assert abs(np.mean(shown[5:]) - (0.5 + 0.5 * 0.75 / 20)) < 0.1
        assert pool.count.numpy() == 20

    def test_a_pool_of_none_changes_nothing(self):
        fresh = tf.random.stateless_normal([4, 2], [1, 2])
        assert ImagePool(0, (2,)).exchange(fresh, tf.constant([0, 0], tf.int64)) is fresh

    def test_equal_seeds_exchange_equally_and_others_do_not(self):
        def final(seed):
            pool = ImagePool(10, (2,))
            for i in range(5):
                pool.exchange(tf.fill([4, 2], float(i)), tf.constant([seed, i], tf.int64))
            return pool.kept.numpy()

        np.testing.assert_array_equal(final(1), final(1))
        assert (final(1) != final(2)).any()
