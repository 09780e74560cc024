import keras
import numpy as np
import pytest

from models.layers.maxout import Maxout


def test_a_dense_layer_and_maxout_are_the_published_unit():
    x = np.random.default_rng(0).normal(size=[4, 3]).astype(np.float32)
    dense = keras.layers.Dense(2 * 5, bias_initializer="random_normal")
    received = Maxout(5)(dense(x))
    weights, bias = dense.get_weights()
    # h_i = max_j (x^T W_ij + b_ij), one unit and piece at a time
    expected = [[max(row @ weights[:, 5 * i + j] + bias[5 * i + j] for j in range(5)) for i in range(2)] for row in x]
    np.testing.assert_allclose(received, expected, rtol=1e-5)


def test_inner_axes_stay():
    x = np.arange(2 * 3 * 3 * 4, dtype=np.float32).reshape(2, 3, 3, 4)
    np.testing.assert_array_equal(Maxout(2)(x), x[..., 1::2])


@pytest.mark.parametrize(
    ("pieces", "message"), [(1, "at least 2; received 1"), (3, r"divides .* 3 for shape \[2, 4\]")]
)
def test_pieces_that_cannot_be_are_refused(pieces, message):
    with pytest.raises(ValueError, match=message):
        Maxout(pieces)(np.zeros([2, 4]))
