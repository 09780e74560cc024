"""Networks that take a picture in the schemes that train them, and as they are exported."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.config import (
    CrossEntropy,
    Cycle,
    Experiment,
    Images,
    Objective,
    PatchGANDiscriminator,
    Photographs,
    ResNetTranslator,
    Restoration,
    SRResNetTranslator,
    UNetTranslator,
    Unpaired,
)
from models.config.variants import made_by
from models.export.signatures import Sampler
from models.gans.base import GAN
from tests.harness import experiment
from tests.models.gans.tiny import changed, copied, number
from tests.models.gans.tiny import experiment as tiny
from tests.models.networks.test_patchgan import PAIRS

SQUARES = Images(resolution=16, channels=3)
CROPS = Photographs(source="digits", crop=16)
PATCHES = PatchGANDiscriminator(width=4, layers=1, norm="instance")
RANDOM = np.random.default_rng(0)


def cycle(translator, data=SQUARES) -> Experiment:
    scheme = Cycle(generator=translator, discriminator=PATCHES, objective=Objective(name="least_squares"))
    return experiment(data=Unpaired(input=data, target=data), scheme=scheme)


def restoration(translator, **fields) -> Experiment:
    objective = CrossEntropy(penalties={"r1": 0.1})
    parts = {"generator": translator, "discriminator": PATCHES, "objective": objective, "degradations": {"noise": 0.1}}
    return experiment(data=CROPS, scheme=Restoration(**parts | fields))


UNET = UNetTranslator(width=4, levels=2)
EXPERIMENTS = {
    "CycleGAN": cycle(ResNetTranslator(width=4, blocks=1)),
    "CycleGAN of U-Nets": cycle(UNET),
    "CycleGAN of crops": cycle(ResNetTranslator(width=4, blocks=1), CROPS),
    "SRResNet that restores": restoration(SRResNetTranslator(scale=1, width=4, blocks=1, bicubic=True)),
    "U-Net that restores": restoration(UNET),
    "SRResNet": restoration(
        SRResNetTranslator(scale=2, width=4, blocks=1), degradations={"downscale": 2, "noise": 0.1}
    ),
}


def gan_of(config: Experiment) -> GAN:
    keras.utils.set_random_seed(0)
    made: GAN = made_by("scheme", config.scheme)(config)
    return made


def exported(config: Experiment) -> Sampler:
    gan = gan_of(config)
    return Sampler(gan.samplers(), config, gan.judges())


def png(height: int, width: int) -> bytes:
    made: bytes = tf.io.encode_png(RANDOM.integers(0, 256, [height, width, 3], np.uint8)).numpy()
    return made


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_step_trains_every_player(name):
    """If this fails, a network is built that a scheme cannot train."""
    gan = gan_of(EXPERIMENTS[name])
    images = tf.constant(RANDOM.integers(0, 256, [2, 4, 16, 16, 3]), tf.uint8)
    batch = {column.role: images for column in gan.experiment.data.columns}
    phase = gan.phases()[-1]
    train = tf.function(
        lambda batch: phase.step({role: each[: phase.draws] for role, each in batch.items()}, number(0))
    )
    before = copied(gan)
    logs = train(batch)
    assert np.isfinite(list(logs.values())).all()
    assert set(gan.builds) <= changed(before, gan)


class TestInterface:
    def test_networks_trained_on_crops_take_any_size(self):
        """If this fails, a served restorer cuts every photograph to the size of its crops."""
        interface = exported(EXPERIMENTS["U-Net that restores"]).interface
        assert interface.inputs["image"].shape == interface.outputs["image"].shape == (None, None, None, 3)
        assert (interface.size_multiple, interface.scale, interface.halo) == (4, 1, 9)
        interface = exported(EXPERIMENTS["SRResNet that restores"]).interface
        assert (interface.size_multiple, interface.scale, interface.halo) == (1, 1, 11)
        interface = exported(EXPERIMENTS["CycleGAN of crops"]).interface
        assert (interface.size_multiple, interface.scale, interface.halo) == (4, 1, None)

    def test_networks_trained_on_squares_take_these_alone(self):
        interface = exported(EXPERIMENTS["CycleGAN of U-Nets"]).interface
        assert interface.inputs["image"].shape == (None, 16, 16, 3)
        assert (interface.size_multiple, interface.halo) == (1, None)

    def test_a_scale_is_told_where_sides_are_multiples_of_more_than_is_tried(self):
        """If this fails, a deep U-Net is asked about an image that it cannot halve, and is not exported."""
        interface = exported(cycle(UNetTranslator(width=1, levels=7), Photographs(source="digits", crop=128))).interface
        assert (interface.size_multiple, interface.scale) == (128, 1)


class TestServed:
    def test_a_file_of_any_size_comes_back_in_its_size(self):
        """If this fails, a photograph whose sides cannot be halved is refused, or comes back larger."""
        config = EXPERIMENTS["U-Net that restores"]
        files = tf.constant([png(10, 14), png(3, 5), png(16, 8)])
        made = exported(config).signatures()["from_bytes"](image_bytes=files)["image_bytes"].numpy()
        assert [tf.io.decode_png(each).shape for each in made] == [(10, 14, 3), (3, 5, 3), (16, 8, 3)]

    def test_what_fills_a_file_up_is_its_edge(self):
        sampler = exported(EXPERIMENTS["U-Net that restores"])
        file = png(10, 14)
        pixels = np.pad(tf.io.decode_png(file).numpy(), [(0, 2), (0, 2), (0, 0)], mode="edge")
        whole = sampler.signatures()["serving_default"](image=tf.constant(pixels[None] / 255, tf.float32))["image"]
        (made,) = sampler.signatures()["from_bytes"](image_bytes=tf.constant([file]))["image_bytes"].numpy()
        found = tf.io.decode_png(made).numpy().astype(float)
        np.testing.assert_allclose(found, np.clip(whole[0, :10, :14], 0, 1) * 255, atol=0.51)

    def test_sides_that_the_network_cannot_halve_are_refused(self):
        """If this fails, a client reads of shapes that do not match somewhere inside the network."""
        serve = exported(EXPERIMENTS["U-Net that restores"]).signatures()["serving_default"]
        with pytest.raises(tf.errors.InvalidArgumentError, match="both sides of an image are multiples of 4"):
            serve(image=tf.zeros([1, 8, 10, 3]))

    def test_a_network_that_enlarges(self):
        """If this fails, what a super-resolution network makes is cut to the size of what it took."""
        config = restoration(SRResNetTranslator(scale=1, width=4, blocks=1))
        variant = SRResNetTranslator(scale=4, width=4, blocks=1)
        scheme = config.scheme.model_copy(update={"generator": variant})
        network = made_by("translator", variant)(variant, config.data)
        sampler = Sampler({"serving_default": network}, config.model_copy(update={"scheme": scheme}))
        assert (sampler.interface.scale, sampler.interface.halo) == (4, 10)
        (made,) = sampler.signatures()["from_bytes"](image_bytes=tf.constant([png(5, 7)]))["image_bytes"].numpy()
        assert tf.io.decode_png(made).shape == (20, 28, 3)

    def test_a_map_of_logits_is_served_as_its_mean(self):
        config = EXPERIMENTS["CycleGAN"]
        sampler = exported(config)
        images = RANDOM.random([3, 16, 16, 3], np.float32)
        answer = sampler.signatures()["discriminate"](image=tf.constant(images))
        map_ = sampler.judges["discriminate"]({"target": 2 * images - 1}, training=False)
        assert map_.shape == (3, 6, 6)
        np.testing.assert_allclose(answer["logit"], np.mean(map_, (1, 2)), rtol=1e-5, atol=1e-6)

    def test_a_pair_is_judged_by_both_of_its_sides(self):
        """If this fails, the discriminator of a pix2pix cannot be exported, or reads one of its sides in [0, 1]."""
        judge = PatchGANDiscriminator(width=4, layers=1, norm="none", pairs=True)
        network = made_by("discriminator", judge)(judge, PAIRS)
        sampler = Sampler(
            exported(EXPERIMENTS["CycleGAN"]).networks, EXPERIMENTS["CycleGAN"], {"discriminate": network}
        )
        taken = sampler.interface.signatures["discriminate"].inputs
        assert {name: (each.role, each.shape) for name, each in taken.items()} == {
            "image": ("target", (None, 16, 16, 3)),
            "input": ("input", (None, 16, 16, 1)),
        }
        image, drawing = RANDOM.random([2, 16, 16, 3], np.float32), RANDOM.random([2, 16, 16, 1], np.float32)
        answer = sampler.signatures()["discriminate"](image=tf.constant(image), input=tf.constant(drawing))
        expected = network({"target": 2 * image - 1, "input": 2 * drawing - 1}, training=False)
        np.testing.assert_allclose(answer["logit"], np.mean(expected, (1, 2)), rtol=1e-4, atol=1e-6)


def test_a_cycle_of_images_of_other_sizes_is_refused():
    with pytest.raises(
        ValueError, match=r"inputs as large as targets; received scheme\.generator\.scale=2: set it to 1"
    ):
        cycle(SRResNetTranslator(scale=2))


@pytest.mark.parametrize(
    ("factor", "fields", "message"),
    [
        (2, {"generator": SRResNetTranslator(scale=4)}, r", 2; received scheme\.generator\.scale=4: set it to 2"),
        (2, {"generator": UNET}, r", 2; received scheme\.generator\.scale=1: set it to 2"),
        (1, {"generator": SRResNetTranslator(scale=2)}, r", 1; received scheme\.generator\.scale=2: set it to 1"),
    ],
)
def test_players_that_smaller_inputs_do_not_fit_are_refused(factor, fields, message):
    with pytest.raises(ValueError, match=message):
        restoration(UNET, **{"degradations": {"downscale": factor}} | fields)


def test_points_are_not_made_smaller():
    with pytest.raises(ValueError, match="downscale make images smaller; mixture:ring gives others"):
        tiny("restoration", degradations={"downscale": 2})


def test_what_a_network_cannot_do_is_refused_with_its_path():
    with pytest.raises(ValueError, match=r"scheme\.generator: unet takes images whose sides are multiples of 256"):
        cycle(UNetTranslator())
    with pytest.raises(ValueError, match=r"scheme\.discriminator: patchgan of 3 layers judges images of at least 24"):
        restoration(UNET, discriminator=PatchGANDiscriminator())
