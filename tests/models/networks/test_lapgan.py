"""The discriminator of LAPGAN: dense for small images, convolutions for larger ones."""

import keras
import numpy as np
import pytest
from scipy import signal

from models.config import Images, LAPGANDiscriminator
from models.networks import lapgan
from tests.harness import check_all


def test_convolutions_are_those_of_the_paper():
    """By SciPy: 5x5 without zeros at the edges, of which the second keeps every other place, and ReLU."""
    variant = LAPGANDiscriminator(width=2, dropout=0)
    model = lapgan.discriminator(variant, Images(resolution=12))
    first, bias, second, bias_2, dense, bias_3 = model.get_weights()
    bias = bias + 0.1
    model.set_weights([first, bias, second, bias_2, dense, bias_3])
    image = np.random.default_rng(0).uniform(-1, 1, [1, 12, 12, 1]).astype(np.float32)

    def convolved(maps, kernel, bias):
        sums = [
            sum(signal.correlate2d(maps[..., i], kernel[..., i, j], "valid") for i in range(maps.shape[-1]))
            for j in range(kernel.shape[-1])
        ]
        return np.maximum(np.stack(sums, -1) + bias, 0)

    maps = convolved(convolved(image[0], first, bias), second, bias_2)[::2, ::2]
    assert maps.shape == (2, 2, 2)
    expected = maps.reshape(-1) @ dense[:, 0] + bias_3
    np.testing.assert_allclose(model({"target": image}, training=False), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("side", "kinds"), [(8, {"Dense"}), (9, {"Conv2D", "Dense"})])
def test_small_images_are_judged_by_dense_layers(side, kinds):
    model = lapgan.discriminator(LAPGANDiscriminator(width=2, units=3), Images(resolution=side))
    assert {type(each).__name__ for each in model.layers if each.weights and hasattr(each, "kernel")} == kinds


@pytest.mark.parametrize("side", [8, 16])
@pytest.mark.parametrize(
    "fields",
    [
        {"condition": "projection", "norm": "spectral", "batch_statistics": "discrimination"},
        {"condition": "concatenation", "dropout": 0},
        {"pack": 2, "batch_statistics": "stddev"},
        {"condition": "auxiliary"},
    ],
)
def test_takes_every_condition(side, fields):
    keras.utils.set_random_seed(0)
    data = Images(resolution=side, classes=3)
    check_all(lambda: lapgan.discriminator(LAPGANDiscriminator(width=4, units=4, **fields), data))
