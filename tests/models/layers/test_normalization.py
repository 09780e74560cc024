import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.normalization import ConditionalBatchNormalization, SpectralNormalization

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=[6, 5, 5, 3]).astype(np.float32)


def matrix_of(layer):
    weights = layer.get_weights()[0]
    return weights.reshape(-1, weights.shape[-1])


class TestSpectralNormalization:
    @pytest.mark.parametrize(
        ("layer", "x"),
        [
            (keras.layers.Dense(7, bias_initializer="random_normal"), X[:, 0, 0]),
            (keras.layers.Conv2D(4, 3, bias_initializer="random_normal"), X),
            (keras.layers.Conv2D(4, 3, 2, "same", use_bias=False), X),
            (keras.layers.Embedding(9, 4), np.array([3, 0, 8])),
        ],
        ids=["dense", "convolution", "strided", "embedding"],
    )
    def test_the_matrix_is_divided_by_its_largest_singular_value(self, layer, x):
        normalised = SpectralNormalization(layer)
        for _ in range(200):
            received = normalised(x, training=True)
        before = layer.get_weights()
        norm = np.linalg.svd(matrix_of(layer), compute_uv=False)[0]
        layer.set_weights([before[0] / norm, *before[1:]])
        np.testing.assert_allclose(received, layer(x), rtol=1e-4, atol=1e-5)

    def test_a_call_is_one_power_iteration_that_inference_does_not_keep(self):
        dense = keras.layers.Dense(7, use_bias=False)
        normalised = SpectralNormalization(dense)
        x = X[:, 0, 0]
        normalised.build(x.shape)
        w, u = matrix_of(dense), normalised.u.numpy()
        v = w @ u / np.linalg.norm(w @ u)
        new_u = v @ w / np.linalg.norm(v @ w)
        expected = x @ w / (v @ w @ new_u)
        np.testing.assert_allclose(normalised(x, training=False), expected, rtol=1e-4)
        np.testing.assert_array_equal(normalised.u, u)
        np.testing.assert_allclose(normalised(x, training=True), expected, rtol=1e-4)
        np.testing.assert_allclose(normalised.u, new_u, rtol=1e-5)
        np.testing.assert_array_equal(dense.kernel, w)

    def test_the_gradient_passes_through_the_division(self):
        dense = keras.layers.Dense(4, use_bias=False)
        normalised = SpectralNormalization(dense)
        x, wanted = X[:, 0, 0], RANDOM.normal(size=[6, 4]).astype(np.float32)
        for _ in range(200):
            normalised(x, training=True)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(wanted * normalised(x, training=True))
        received = tape.gradient(loss, dense.kernel.value)
        # Miyato et al. 2018, equation 12: (G - <G, W / s> u v^T) / s, G the gradient at the divided matrix W / s
        w = matrix_of(dense)
        v, s, u = np.linalg.svd(w, full_matrices=False)
        g = x.T @ wanted
        expected = (g - (g * w / s[0]).sum() * np.outer(v[:, 0], u[0])) / s[0]
        np.testing.assert_allclose(received, expected, rtol=1e-3, atol=1e-4)

    def test_weights_of_zero_stay_finite(self):
        normalised = SpectralNormalization(keras.layers.Dense(4, kernel_initializer="zeros"))
        np.testing.assert_array_equal(normalised(X, training=True), np.zeros([6, 5, 5, 4]))

    def test_the_norm_is_one_of_float32_weights_under_any_precision(self):
        exact, mixed = (keras.layers.Dense(7, dtype=dtype) for dtype in ("float32", "mixed_bfloat16"))
        layers = [SpectralNormalization(each) for each in (exact, mixed)]
        layers[1].build(X.shape)
        layers[0].build(X.shape)
        layers[1].set_weights(layers[0].get_weights())
        outputs = [layer(X, training=True) for layer in layers]
        assert [output.dtype for output in outputs] == [tf.float32, tf.bfloat16]
        np.testing.assert_array_equal(layers[1].u, layers[0].u)

    def test_a_layer_without_a_matrix_is_refused(self):
        with pytest.raises(ValueError, match=r"a layer with a kernel or embeddings .* received ReLU"):
            SpectralNormalization(keras.layers.ReLU())(X)


class TestConditionalBatchNormalization:
    labels = np.array([0, 2, 1, 1, 0, 2])

    def layer(self):
        layer = ConditionalBatchNormalization(3, momentum=0.8, epsilon=1e-3)
        layer.build([X.shape, self.labels.shape])
        layer.scale.set_weights([RANDOM.normal(size=[3, 3])])
        layer.shift.set_weights([RANDOM.normal(size=[3, 3])])
        return layer

    def expected(self, layer, mean, variance):
        (scale,), (shift,) = layer.scale.get_weights(), layer.shift.get_weights()
        normal = (X - mean) / np.sqrt(variance + 1e-3)
        return np.stack([row * scale[label] + shift[label] for row, label in zip(normal, self.labels, strict=True)])

    def test_training_normalises_by_the_batch_and_scales_by_the_label(self):
        layer = self.layer()
        mean, variance = X.mean(axis=(0, 1, 2)), X.var(axis=(0, 1, 2))
        received = layer([X, self.labels], training=True)
        np.testing.assert_allclose(received, self.expected(layer, mean, variance), rtol=1e-4, atol=1e-5)

    def test_inference_normalises_by_the_moving_statistics(self):
        layer = self.layer()
        layer([X, self.labels], training=True)
        mean, variance = 0.2 * X.mean(axis=(0, 1, 2)), 0.8 + 0.2 * X.var(axis=(0, 1, 2))
        received = layer([X, self.labels], training=False)
        np.testing.assert_allclose(received, self.expected(layer, mean, variance), rtol=1e-4, atol=1e-5)

    def test_it_begins_as_plain_batch_normalisation(self):
        plain = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        received = ConditionalBatchNormalization(3)([X, self.labels], training=True)
        np.testing.assert_allclose(received, plain(X, training=True), rtol=1e-5, atol=1e-6)
