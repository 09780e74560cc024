import numpy as np

from models.layers.attention import SelfAttention

X = np.random.default_rng(0).normal(size=[2, 3, 4, 16]).astype(np.float32)


def test_it_begins_as_the_identity():
    np.testing.assert_array_equal(SelfAttention()(X), X)


def test_each_place_gets_the_values_of_all_by_their_shares():
    layer = SelfAttention()
    layer.build(X.shape)
    layer.gamma.assign(0.7)
    query, key, value, out = (each.get_weights()[0] for each in (layer.query, layer.key, layer.value, layer.attended))
    assert query.shape == (16, 2)
    places = X.reshape(2, 12, 16)
    expected = np.empty_like(places)
    for example in range(2):
        for j in range(12):
            scores = np.array([places[example, j] @ query @ (places[example, i] @ key) for i in range(12)])
            shares = np.exp(scores) / np.exp(scores).sum()
            attended = sum(share * places[example, i] @ value for i, share in enumerate(shares)) @ out
            expected[example, j] = places[example, j] + 0.7 * attended
    np.testing.assert_allclose(layer(X), expected.reshape(X.shape), rtol=1e-4, atol=1e-5)


def test_spectral_maps_have_a_norm_of_1():
    layer = SelfAttention(spectral=True)
    # power iterations: the error falls with the ratio of the two largest singular values
    for _ in range(200):
        layer(X, training=True)
    for linear in (layer.query, layer.key, layer.value, layer.attended):
        # what it does to the unit vectors is its matrix
        units = np.eye(linear.layer.kernel.shape[0], dtype=np.float32)[np.newaxis]
        np.testing.assert_allclose(np.linalg.svd(linear(units)[0], compute_uv=False)[0], 1, rtol=1e-3)
