"""Over all networks of the catalog: every one honours every way of conditioning, or is refused what it lacks."""

import keras
import numpy as np
import pytest

from models.catalog import NETWORKS, lookup
from models.config import Data, Network
from models.layers.attention import SelfAttention
from models.networks import parts
from tests.harness import check_all, check_network

IMAGES = Data(resolution=16, labels=3)
POINTS = Data(source="mixture:ring", labels=3)
SMALL = {"latent_size": 4, "generator_width": 8, "discriminator_width": 8}

KINDS = {
    "nothing": {"discriminator_norm": "spectral", "batch_statistics": "stddev", "pack": 2},
    "concatenation": {
        "condition": "concatenation",
        "discriminator_condition": "concatenation",
        "generator_norm": "none",
        "discriminator_norm": "none",
    },
    "embedding": {"condition": "embedding", "discriminator_condition": "embedding", "categorical_codes": 3},
    "auxiliary": {
        "condition": "batch_norm",
        "discriminator_condition": "auxiliary",
        "categorical_codes": 2,
        "continuous_codes": 2,
    },
}


def data_of(name: str) -> Data:
    return POINTS if name == "points" else IMAGES


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_ranges_conditions_and_gradients(name, kind):
    check_network(name, Network(name=name, **SMALL, **KINDS[kind]), data_of(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_projection_with_all_layers_that_the_architecture_may_have(name):
    layers = {"dropout": 0.5} if name in ("gan_mlp", "points") else {"attention": True}
    network = Network(
        name=name,
        latent="uniform",
        condition="batch_norm",
        discriminator_condition="projection",
        discriminator_norm="spectral",
        batch_statistics="discrimination",
        **SMALL,
        **layers,
    )
    module = lookup("network", name)
    check_all(lambda: module.generator(network, data_of(name)))
    check_all(lambda: module.discriminator(network, data_of(name)))


def test_a_uniform_latent_is_the_normal_one_by_its_distribution():
    inputs, driving = parts.generator_inputs(Network(latent="uniform", latent_size=3, continuous_codes=1), IMAGES)
    z = np.array([[0, 1, -1], [0.6745, -1.96, 50]], np.float32)
    code = np.array([[0.3], [-0.7]], np.float32)
    # 2 P(Z < z) - 1: 68.27 % lie within one deviation, half within 0.6745, 95 % within 1.96
    expected = [[0, 0.6827, -0.6827, 0.3], [0.5, -0.95, 1, -0.7]]
    received = keras.Model(inputs, driving)({"z": z, "code": code})
    np.testing.assert_allclose(received, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["dcgan", "resnet"])
@pytest.mark.parametrize("resolution", [28, 32, 64, 128])
def test_every_resolution(name, resolution):
    network = Network(name=name, latent_size=4, generator_width=1, discriminator_width=1)
    data = Data(resolution=resolution, channels=3)
    module = lookup("network", name)
    assert module.generator(network, data).output_shape == (None, resolution, resolution, 3)
    assert module.discriminator(network, data).output_shape == (None,)


@pytest.mark.parametrize(
    ("name", "resolution", "generator_size", "discriminator_size"),
    # the residual generator has a hidden map of all its pixels, the other three networks begin or end at half
    [("dcgan", 16, 8, 8), ("dcgan", 28, 14, 14), ("dcgan", 64, 16, 16), ("resnet", 16, 16, 8), ("resnet", 28, 14, 14)],
)
def test_attention_sits_at_16_pixels_or_the_next_smaller_map(name, resolution, generator_size, discriminator_size):
    network = Network(name=name, latent_size=4, generator_width=1, discriminator_width=1, attention=True)
    module = lookup("network", name)
    for build, size in ((module.generator, generator_size), (module.discriminator, discriminator_size)):
        model = build(network, Data(resolution=resolution))
        (layer,) = [each for each in model.layers if isinstance(each, SelfAttention)]
        assert layer.output.shape[1] == size


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "field", "value"),
        [
            ("dcgan", "dropout", 0.5),
            ("dcgan", "generator_depth", 3),
            ("dcgan", "discriminator_depth", 3),
            ("resnet", "dropout", 0.5),
            ("resnet", "generator_depth", 3),
            ("gan_mlp", "attention", True),
            ("points", "attention", True),
        ],
    )
    def test_a_field_that_the_architecture_lacks(self, name, field, value):
        module, network = lookup("network", name), Network(name=name, **{field: value})
        for build in (module.generator, module.discriminator):
            with pytest.raises(ValueError, match=rf"network\.{field} is no option of {name}; received {value}"):
                build(network, data_of(name))

    @pytest.mark.parametrize("name", [name for name in NETWORKS if name != "points"])
    def test_points_for_what_draws_images(self, name):
        module = lookup("network", name)
        for build in (module.generator, module.discriminator):
            with pytest.raises(ValueError, match=f"{name} draws images, but mixture:ring has points"):
                build(Network(name=name), POINTS)

    def test_images_for_what_draws_points(self):
        module = lookup("network", "points")
        for build in (module.generator, module.discriminator, module.translator):
            with pytest.raises(ValueError, match="points draws points of the plane, but digits has images"):
                build(Network(name="points"), IMAGES)

    @pytest.mark.parametrize("name", NETWORKS)
    @pytest.mark.parametrize("more", [{"condition": "embedding"}, {"continuous_codes": 1}])
    def test_a_pack_of_examples_with_labels_or_codes(self, name, more):
        with pytest.raises(ValueError, match=r"network\.pack above 1 .* received pack 2, condition"):
            lookup("network", name).discriminator(Network(name=name, pack=2, **more), data_of(name))

    @pytest.mark.parametrize("name", NETWORKS)
    def test_a_conditional_batch_norm_without_batch_norm(self, name):
        network = Network(name=name, condition="batch_norm", generator_norm="none")
        with pytest.raises(ValueError, match=r"batch_norm needs network\.generator_norm batch; received none"):
            lookup("network", name).generator(network, data_of(name))
