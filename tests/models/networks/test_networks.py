"""Over all networks of the catalog: every one honours every way of conditioning, or is refused what it lacks."""

import keras
import numpy as np
import pytest

from models.catalog import DISCRIMINATORS, GENERATORS
from models.config import Data, Images, Latent, NoiseGenerator, Points, PointsTranslator
from models.config.networks.base import Generator
from models.config.networks.discriminators import DISCRIMINATOR, Discriminator
from models.config.networks.generators import GENERATOR
from models.config.variants import made_by
from models.layers.attention import SelfAttention
from models.networks import parts
from tests.harness import check_all, check_network

IMAGES = Images(resolution=16, classes=3)
POINTS = Points(source="mixture:ring", classes=3)

KINDS = {
    "nothing": ({}, {"norm": "spectral", "batch_statistics": "stddev", "pack": 2}),
    "concatenation": (
        {"condition": "concatenation", "norm": "none"},
        {"condition": "concatenation", "norm": "none"},
    ),
    "embedding": ({"condition": "embedding", "latent": {"categorical_codes": 3}}, {"condition": "embedding"}),
    "auxiliary": (
        {"condition": "batch_norm", "latent": {"categorical_codes": 2, "continuous_codes": 2}},
        {"condition": "auxiliary"},
    ),
}
"""What is asked for -> fields of the generator, and of the discriminator."""


def data_of(name: str) -> Data:
    return POINTS if name == "points" else IMAGES


def generator_of(name, latent=None, **fields):
    return GENERATOR.variant(name, Generator)(latent={"size": 4} | (latent or {}), **{"width": 8} | fields)


def discriminator_of(name, **fields):
    return DISCRIMINATOR.variant(name, Discriminator)(**{"width": 8} | fields)


def built(kind, variant, data):
    return made_by(kind, variant)(variant, data)


def test_every_architecture_has_both_players():
    assert list(GENERATORS) == list(GENERATOR.variants)
    # discriminators of patches and of pyramids judge what any generator makes
    assert [*GENERATORS, "patchgan", "lapgan"] == list(DISCRIMINATORS) == list(DISCRIMINATOR.variants)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GENERATORS)
def test_shapes_ranges_conditions_and_gradients(name, kind):
    of_generator, of_discriminator = KINDS[kind]
    check_network(generator_of(name, **of_generator), discriminator_of(name, **of_discriminator), data_of(name))


@pytest.mark.parametrize("name", GENERATORS)
def test_projection_with_all_layers_that_the_architecture_may_have(name):
    dense = name in ("gan_mlp", "points")
    both = {} if dense else {"attention": True}
    generator = generator_of(name, latent={"distribution": "uniform"}, condition="batch_norm", **both)
    judged = {"condition": "projection", "norm": "spectral", "batch_statistics": "discrimination"}
    discriminator = discriminator_of(name, **judged, **({"dropout": 0.5} if dense else both))
    check_all(lambda: built("generator", generator, data_of(name)))
    check_all(lambda: built("discriminator", discriminator, data_of(name)))


def test_a_uniform_latent_is_the_normal_one_by_its_distribution():
    latent = Latent(size=3, distribution="uniform", continuous_codes=1)
    inputs, driving = parts.generator_inputs(NoiseGenerator(name="any", latent=latent), IMAGES)
    z = np.array([[0, 1, -1], [0.6745, -1.96, 50]], np.float32)
    code = np.array([[0.3], [-0.7]], np.float32)
    # 2 P(Z < z) - 1: 68.27 % lie within one deviation, half within 0.6745, 95 % within 1.96
    expected = [[0, 0.6827, -0.6827, 0.3], [0.5, -0.95, 1, -0.7]]
    received = keras.Model(inputs, driving)({"z": z, "code": code})
    np.testing.assert_allclose(received, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["dcgan", "resnet"])
@pytest.mark.parametrize("resolution", [8, 20, 28, 32, 64, 128])
def test_every_resolution(name, resolution):
    data = Images(resolution=resolution, channels=3)
    assert built("generator", generator_of(name, width=1), data).output_shape == (None, resolution, resolution, 3)
    assert built("discriminator", discriminator_of(name, width=1), data).output_shape == (None,)


@pytest.mark.parametrize("resolution", [4, 5, 17, 50])
def test_a_discriminator_of_strided_convolutions_and_dense_layers_take_any_resolution(resolution):
    data = Images(resolution=resolution)
    for name in ("dcgan", "gan_mlp", "lapgan"):
        variant = discriminator_of(name, width=1)
        variant.check(data)
        assert built("discriminator", variant, data).output_shape == (None,)
    variant = generator_of("gan_mlp", width=1)
    variant.check(data)
    assert built("generator", variant, data).output_shape == (None, resolution, resolution, 1)


@pytest.mark.parametrize(
    ("name", "resolution", "generator_size", "discriminator_size"),
    # the residual generator has a hidden map of all its pixels, the other three networks begin or end at half
    [("dcgan", 16, 8, 8), ("dcgan", 28, 14, 14), ("dcgan", 64, 16, 16), ("resnet", 16, 16, 8), ("resnet", 28, 14, 14)],
)
def test_attention_sits_at_16_pixels_or_the_next_smaller_map(name, resolution, generator_size, discriminator_size):
    data = Images(resolution=resolution)
    for model, size in (
        (built("generator", generator_of(name, width=1, attention=True), data), generator_size),
        (built("discriminator", discriminator_of(name, width=1, attention=True), data), discriminator_size),
    ):
        (layer,) = [each for each in model.layers if isinstance(each, SelfAttention)]
        assert layer.output.shape[1] == size


class TestRefusals:
    @pytest.mark.parametrize(
        ("made", "name", "field", "value"),
        [
            (generator_of, "dcgan", "depth", 3),
            (generator_of, "dcgan", "dropout", 0.5),
            (generator_of, "resnet", "depth", 3),
            (generator_of, "gan_mlp", "attention", True),
            (generator_of, "points", "attention", True),
            (discriminator_of, "dcgan", "depth", 3),
            (discriminator_of, "dcgan", "dropout", 0.5),
            (discriminator_of, "resnet", "depth", 3),
            (discriminator_of, "resnet", "dropout", 0.5),
            (discriminator_of, "gan_mlp", "attention", True),
            (discriminator_of, "points", "attention", True),
        ],
    )
    def test_a_field_that_the_architecture_lacks(self, made, name, field, value):
        with pytest.raises(ValueError, match=rf"{field}\n *Extra inputs are not permitted"):
            made(name, **{field: value})

    @pytest.mark.parametrize("name", [name for name in GENERATORS if name != "points"])
    def test_points_for_what_draws_images(self, name):
        for made in (generator_of, discriminator_of):
            with pytest.raises(ValueError, match=f"{name} is for images, but mixture:ring has points of the plane"):
                made(name).check(POINTS)

    def test_images_for_what_draws_points(self):
        for variant in (generator_of("points"), discriminator_of("points"), PointsTranslator()):
            with pytest.raises(ValueError, match="points is for points of the plane, but digits has images"):
                variant.check(IMAGES)

    @pytest.mark.parametrize("made", [generator_of, discriminator_of])
    @pytest.mark.parametrize(("resolution", "near"), [(17, "16 or 20"), (30, "28 or 32"), (5, "8"), (1000, "896 or")])
    def test_a_resolution_that_does_not_come_from_doubling(self, made, resolution, near):
        with pytest.raises(ValueError, match=f"received {resolution}, next to it are {near}"):
            made("resnet").check(Images(resolution=resolution))

    @pytest.mark.parametrize("name", DISCRIMINATORS)
    def test_a_pack_of_examples_with_labels(self, name):
        with pytest.raises(ValueError, match="pack=2 needs condition=none; received embedding"):
            discriminator_of(name, pack=2, condition="embedding")

    @pytest.mark.parametrize("name", GENERATORS)
    def test_a_conditional_batch_norm_without_batch_norm(self, name):
        with pytest.raises(ValueError, match="condition=batch_norm needs norm=batch; received norm=none"):
            generator_of(name, condition="batch_norm", norm="none")

    @pytest.mark.parametrize("name", GENERATORS)
    def test_a_condition_without_classes(self, name):
        data = data_of(name).model_copy(update={"classes": 0})
        with pytest.raises(ValueError, match=r"data\.classes of at least 2; received 0"):
            generator_of(name, condition="embedding").check(data)
