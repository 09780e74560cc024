import numpy as np
import pytest
import tensorflow as tf

from models.layers.minibatch import MinibatchDiscrimination, MinibatchStddev

RANDOM = np.random.default_rng(0)
MAPS = RANDOM.normal(size=[10, 3, 2, 4]).astype(np.float32)
FEATURES = RANDOM.normal(size=[10, 6]).astype(np.float32)
GROUPS_OF_4 = [slice(0, 4), slice(4, 8), slice(8, 10)]
"""Of 10 rows: what is left is a smaller group."""


class TestStddev:
    @pytest.mark.parametrize("x", [MAPS, FEATURES], ids=["maps", "features"])
    def test_the_mean_deviation_of_a_group_is_added_to_each_of_its_rows(self, x):
        received = MinibatchStddev(4)(x).numpy()
        np.testing.assert_array_equal(received[..., :-1], x)
        for rows in GROUPS_OF_4:
            np.testing.assert_allclose(received[rows][..., -1], x[rows].std(axis=0).mean(), rtol=1e-5)

    def test_equal_examples_and_a_single_one_differ_by_0_with_a_finite_gradient(self):
        for x in (tf.ones([4, 5]), tf.ones([1, 5])):
            with tf.GradientTape() as tape:
                tape.watch(x)
                deviation = MinibatchStddev(4)(x)[:, -1]
            np.testing.assert_allclose(deviation, 0, atol=1.1e-4)
            assert np.isfinite(tape.gradient(deviation, x)).all()


class TestDiscrimination:
    def test_nearness_to_the_others_of_the_group_is_added(self):
        layer = MinibatchDiscrimination(4, kernels=3, size=2)
        received = layer(FEATURES).numpy()
        m = np.einsum("na,abc->nbc", FEATURES, layer.get_weights()[0].reshape(6, 3, 2))
        np.testing.assert_array_equal(received[:, :6], FEATURES)
        for rows in GROUPS_OF_4:
            members = range(10)[rows]
            for i in members:
                expected = sum(np.exp(-np.abs(m[i] - m[j]).sum(axis=1)) for j in members if j != i)
                np.testing.assert_allclose(received[i, 6:], expected, rtol=1e-4)

    def test_a_single_example_is_near_to_none(self):
        np.testing.assert_array_equal(MinibatchDiscrimination(4)(FEATURES[:1])[:, 6:], np.zeros([1, 100]))

    def test_kernels_begin_with_a_norm_of_about_1(self):
        layer = MinibatchDiscrimination(2)
        layer.build((None, 2000))
        np.testing.assert_allclose(np.linalg.norm(layer.get_weights()[0], axis=0), 1, atol=0.1)


@pytest.mark.parametrize("layer", [MinibatchStddev, MinibatchDiscrimination])
def test_a_group_of_one_is_refused(layer):
    with pytest.raises(ValueError, match="group is at least 2; received 1"):
        layer(1)
