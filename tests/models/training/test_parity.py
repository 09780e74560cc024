"""One device, two mirrored devices and two worker processes train every GAN alike.

With SGD, but for one of them: a loss that is off by a factor shows in its weights at once, and not in those of Adam.
"""

import pytest

from models.catalog import DISCRIMINATORS, GENERATOR_PENALTIES, GENERATORS, PENALTIES, SCHEMES, TRANSLATORS
from models.config import Experiment, Images, Optimizer, Pairs, Photographs, Points, Training, Unpaired
from tests.harness.schemes import check_alike
from tests.trainings import WAYS, train_each_way

SGD = Optimizer(name="sgd", learning_rate=0.05)
SMALL_STEPS = Optimizer(name="sgd", learning_rate=0.001)
"""Six instance norms over small weights: larger steps grow a rounding of 2e-7 to 4e-3 within four of them."""
ADAM = Optimizer(name="adam", learning_rate=0.01)
CLIPPED = Optimizer(name="sgd", learning_rate=0.05, momentum=0.5, clip_norm=0.1)

POINTS = Points(source="mixture:ring")
IMAGES = Images(resolution=16, classes=3)
LAYER = {"name": "points", "width": 8, "depth": 1}
MLP = {"generator": LAYER | {"latent": {"size": 2}}, "discriminator": LAYER}
TRANSLATOR = {"generator": LAYER, "discriminator": LAYER}
CONVOLUTIONS = {"name": "dcgan", "width": 4}
DECONVOLUTION = {"name": "deconvolution", "side": 5, "support": 9, "width": 4, "blocks": 1}
DCGAN = {"generator": CONVOLUTIONS | {"latent": {"size": 4}}, "discriminator": CONVOLUTIONS}

PATCHES = {"discriminator": {"name": "patchgan", "width": 4, "layers": 1}}


def experiment(data=POINTS, scheme=MLP, training=None, generator=None, discriminator=None, **fields):
    """Four steps of SGD in float32, each generator's weights averaged.

    `generator` and `discriminator` are what is changed of the scheme's players, `fields` further ones of the scheme.
    """
    sgd = {"generator_optimizer": SGD, "discriminator_optimizer": SGD}
    fixed = {"steps": 4, "batch_size": 8, "steps_per_call": 2, "precision": "float32", "keep": "last"}
    changes = {"generator": generator or {}, "discriminator": discriminator or {}}
    players = {name: scheme[name] | change for name, change in changes.items()}
    return Experiment(
        name="small", data=data, scheme=scheme | players | fields, training=Training(**fixed | sgd | (training or {}))
    )


NO_NORM = {"discriminator": {"norm": "none"}}

EVERY_GAN = {
    "adversarial": experiment(
        IMAGES, DCGAN, generator={"condition": "embedding"}, discriminator={"condition": "projection"}
    ),
    "remedies": experiment(
        discriminator={"norm": "spectral", "pack": 2, "batch_statistics": "discrimination", "batch_group": 2}
        | {"dropout": 0.3},
        objective={"penalties": {"r1": 0.5}},
        discriminator_steps=2,
    ),
    "adam": experiment(
        generator={"norm": "none"},
        **NO_NORM,
        training={"generator_optimizer": ADAM, "discriminator_optimizer": ADAM},
    ),
    "cycle": experiment(
        Unpaired(input=POINTS, target=Points(source="mixture:grid")), TRANSLATOR | {"name": "cycle"}, pool_size=12
    ),
    "lapgan": experiment(
        IMAGES,
        DCGAN | {"name": "lapgan", "generator": CONVOLUTIONS | {"latent": {"size": 4}}},
        levels=2,
        refiner={"width": 4, "kernel": 3, "hidden": 1},
    ),
    "restoration": experiment(
        scheme=TRANSLATOR | {"name": "restoration"},
        degradations={"noise": 0.3, "shrink": 0.2},
        pretraining={"steps": 2, "optimizer": SGD},
    ),
    "pix2pix": experiment(
        Pairs(source="folder:maps", resolution=16, channels=1),
        {
            "name": "pix2pix",
            "generator": {"name": "unet", "width": 4, "levels": 2},
            "discriminator": PATCHES["discriminator"] | {"pairs": True},
        },
        l1_weight=1,
    ),
}
"""Every scheme of the catalog, with batch normalisation in all its networks, the remedies against collapse, or Adam."""

EVERY_PART = {
    "penalties": experiment(
        **NO_NORM,
        objective={"penalties": dict.fromkeys(("r1", "r2", "wgan_gp", "wgan_gp_one_sided", "dragan"), 0.1)},
    ),
    "lazy": experiment(**NO_NORM, objective={"penalties": {"r1": {"weight": 0.5, "every_steps": 2}}}),
    "unrolled": experiment(
        **NO_NORM,
        unrolled_steps=2,
        training={"discriminator_optimizer": CLIPPED.model_copy(update={"momentum": 0})},
    ),
    "clipped": experiment(
        # at a small limit many units become equal, and a rounding decides which of them is the largest
        objective={"name": "wasserstein", "weight_limit": 0.5},
        generator_steps=2,
        training={"discriminator_optimizer": CLIPPED, "generator_optimizer": CLIPPED},
    ),
    "relativistic": experiment(
        objective={"name": "relativistic", "generator_penalties": {"path_length": 0.5}, "instance_noise": 0.1},
        updates="simultaneous",
    ),
    "deviation": experiment(
        generator={"latent": {"size": 2, "distribution": "uniform"}},
        discriminator={"norm": "none", "batch_statistics": "stddev"},
    ),
    "augmented": experiment(
        IMAGES,
        DCGAN,
        **NO_NORM,
        objective={
            "penalties": {"consistency": 0.5},
            "augment": ["color", "translation", "cutout"],
            "label_smoothing": 0.1,
        },
    ),
    "maxout": experiment(
        IMAGES,
        DCGAN,
        generator={"name": "gan_mlp", "condition": "concatenation"},
        discriminator={"name": "gan_mlp", "condition": "projection", "dropout": 0.3},
    ),
    "valid": experiment(IMAGES, DCGAN, discriminator={"name": "lapgan", "width": 4, "units": 8}),
    "residual": experiment(
        IMAGES,
        DCGAN,
        generator={"name": "resnet", "condition": "batch_norm", "attention": True},
        discriminator={"name": "resnet", "condition": "projection", "norm": "spectral", "attention": True},
        objective="hinge",
    ),
    "informed": experiment(
        IMAGES,
        DCGAN,
        generator={
            "condition": "embedding",
            "latent": {"size": 4, "categorical_codes": 3, "continuous_codes": 2},
        },
        discriminator={"condition": "auxiliary"},
    ),
    "pictures": experiment(
        Unpaired(input=IMAGES, target=IMAGES),
        PATCHES | {"name": "cycle", "generator": {"name": "unet", "width": 4, "levels": 2}},
        objective="least_squares",
    ),
    "mirrored": experiment(
        Unpaired(input=IMAGES, target=IMAGES),
        PATCHES | {"name": "cycle", "generator": {"name": "resnet", "width": 4, "blocks": 1}},
        training={"generator_optimizer": SMALL_STEPS, "discriminator_optimizer": SMALL_STEPS},
    ),
    "restored": experiment(
        IMAGES,
        PATCHES | {"name": "restoration", "generator": {"name": "srresnet", "width": 4, "blocks": 1, "scale": 1}},
        degradations={"noise": 0.3},
    ),
    "deconvolved": experiment(
        Photographs(source="digits", crop=12, margin=2),
        PATCHES
        | {
            "name": "restoration",
            "generator": {"name": "deconvolution", "side": 5, "support": 9, "width": 4, "blocks": 1},
        },
        degradations={"known_motion_blur": 5, "noise": 0.02},
    ),
    "kernels": experiment(
        Photographs(source="digits", crop=12, margin=2),
        PATCHES | {"name": "restoration", "generator": DECONVOLUTION | {"kernel": "given"}},
        degradations={"motion_blur": 5, "noise": 0.02},
    ),
}
"""What else a replica could do by itself: every network and penalty of the catalog, every option of a training."""


@pytest.fixture(scope="module")
def gans(tmp_path_factory):
    return train_each_way(EVERY_GAN, tmp_path_factory.mktemp("gans"))


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return train_each_way(EVERY_PART, tmp_path_factory.mktemp("parts"))


@pytest.mark.parametrize("way", [way for way in WAYS if way != "one_device"])
class TestLikeOneDevice:
    @pytest.mark.parametrize("name", EVERY_GAN)
    def test_trains_every_gan(self, gans, way, name):
        check_alike(gans["one_device"][name], gans[way][name])

    @pytest.mark.slow
    @pytest.mark.parametrize("name", EVERY_PART)
    def test_trains_with_every_part(self, parts, way, name):
        check_alike(parts["one_device"][name], parts[way][name])


def test_covers_the_catalog():
    assert {each.scheme.name for each in EVERY_GAN.values()} == set(SCHEMES)
    every = [each.scheme for each in [*EVERY_GAN.values(), *EVERY_PART.values()]]
    assert {each.generator.name for each in every if not each.translates} == set(GENERATORS)
    assert {each.generator.name for each in every if each.translates} == set(TRANSLATORS)
    assert {each.discriminator.name for each in every} == set(DISCRIMINATORS)
    assert {name for each in every for name in each.objective.penalties} == set(PENALTIES)
    assert {name for each in every for name in each.objective.generator_penalties} == set(GENERATOR_PENALTIES)
