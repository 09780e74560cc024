import keras
import numpy as np
import pytest

from models.layers.dropout import Dropout

ONES = np.ones([50, 200], np.float32)


def test_a_share_is_dropped_and_the_rest_scaled():
    received = Dropout(0.3)(ONES, training=True).numpy()
    np.testing.assert_allclose(np.unique(received), [0, 1 / 0.7], rtol=1e-6)
    # of 10,000 values the share has a standard error of 0.0046
    assert abs((received == 0).mean() - 0.3) < 5 * 0.0046


def test_it_does_nothing_outside_of_training():
    layer = Dropout(0.3)
    np.testing.assert_array_equal(layer(ONES), ONES)
    assert layer.calls.numpy() == 0


def test_each_call_and_each_layer_has_its_own_mask():
    one, other = Dropout(0.5), Dropout(0.5)
    masks = [layer(ONES, training=True).numpy() != 0 for layer in (one, one, other)]
    for i, first in enumerate(masks):
        for second in masks[i + 1 :]:
            # masks that know nothing of one another agree in half of the places, with a deviation of 0.005
            assert abs((first == second).mean() - 0.5) < 5 * 0.005


def test_a_restored_counter_continues_the_masks():
    layer = Dropout(0.5, seed=3)
    expected = [layer(ONES, training=True).numpy() for _ in range(3)]
    again = Dropout.from_config(layer.get_config())
    np.testing.assert_array_equal(again(ONES, training=True), expected[0])
    again.calls.assign(2)
    np.testing.assert_array_equal(again(ONES, training=True), expected[2])


def test_the_seed_of_the_process_decides():
    received = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        received.append(Dropout(0.5)(ONES, training=True).numpy())
    np.testing.assert_array_equal(*received)


@pytest.mark.parametrize("rate", [-0.1, 1])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(ValueError, match=rf"rate is in \[0, 1\); received {rate}"):
        Dropout(rate)
