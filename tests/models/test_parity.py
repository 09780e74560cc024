"""One device, two mirrored devices and two worker processes train every GAN alike.

With SGD, but for one of them: a loss that is off by a factor shows in its weights at once, and not in those of Adam.
"""

import numpy as np
import pytest

from models.catalog import GANS, GENERATOR_PENALTIES, NETWORKS, PENALTIES
from models.config import Data, Experiment, Network, Objective, Optimizer, Scheme, Training
from tests.trainings import WAYS, train_each_way

SGD = Optimizer(name="sgd", learning_rate=0.05)
ADAM = Optimizer(name="adam", learning_rate=0.01)
CLIPPED = Optimizer(name="sgd", learning_rate=0.05, momentum=0.5, clip_norm=0.1)

POINTS = Data(source="mixture:ring")
IMAGES = Data(resolution=16, labels=3)
MLP = {"name": "points", "latent_size": 2, "generator_width": 8, "discriminator_width": 8}
MLP |= {"generator_depth": 1, "discriminator_depth": 1}
DCGAN = {"name": "dcgan", "latent_size": 4, "generator_width": 4, "discriminator_width": 4}
NO_NORM = {"discriminator_norm": "none"}

OF_A_REPLICA = ("_auc", "_gradient_norm", "images_per_second")
"""Logs that are of a replica, or of the clock: what the pairs within a replica say, and a bound of a norm."""


def experiment(data=POINTS, gan="adversarial", network=MLP, objective=None, **training):
    """Four steps of SGD in float32, each generator's weights averaged."""
    sgd = {"generator_optimizer": SGD, "discriminator_optimizer": SGD}
    fixed = {"steps": 4, "batch_size": 8, "steps_per_call": 2, "precision": "float32", "keep": "last"}
    return Experiment(
        name="small",
        data=data,
        gan=Scheme.model_validate(gan),
        network=Network(**network),
        objective=Objective(**objective or {}),
        training=Training(**fixed | sgd | training),
    )


EVERY_GAN = {
    "adversarial": experiment(IMAGES, network=DCGAN | {"condition": "embedding"}),
    "remedies": experiment(
        network=MLP
        | {"discriminator_norm": "spectral", "pack": 2, "batch_statistics": "discrimination", "batch_group": 2}
        | {"dropout": 0.3},
        objective={"penalties": {"r1": 0.5}},
        discriminator_steps=2,
    ),
    "adam": experiment(
        network=MLP | {"generator_norm": "none"} | NO_NORM, generator_optimizer=ADAM, discriminator_optimizer=ADAM
    ),
    "cycle": experiment(
        Data(source="mixture:ring", unpaired_source="mixture:grid"), gan={"name": "cycle", "pool_size": 12}
    ),
    "restoration": experiment(
        gan={"name": "restoration", "degradations": {"noise": 0.3, "shrink": 0.2}},
        pretraining_steps=2,
        pretraining_optimizer=SGD,
    ),
}
"""Every GAN of the catalog, with batch normalisation in all its networks, the remedies against collapse, or Adam."""

EVERY_PART = {
    "penalties": experiment(
        network=MLP | NO_NORM,
        objective={"penalties": dict.fromkeys(("r1", "r2", "wgan_gp", "wgan_gp_one_sided", "dragan"), 0.1)},
    ),
    "lazy": experiment(network=MLP | NO_NORM, objective={"penalties": {"r1": 0.5}, "penalty_every_steps": 2}),
    "unrolled": experiment(
        network=MLP | NO_NORM, unrolled_steps=2, discriminator_optimizer=CLIPPED.model_copy(update={"momentum": 0})
    ),
    "clipped": experiment(
        network=MLP,
        # at a small limit many units become equal, and a rounding decides which of them is the largest
        objective={"name": "wasserstein", "weight_limit": 0.5},
        generator_steps=2,
        discriminator_optimizer=CLIPPED,
        generator_optimizer=CLIPPED,
    ),
    "relativistic": experiment(
        objective={"name": "relativistic", "generator_penalties": {"path_length": 0.5}, "instance_noise": 0.1},
        updates="simultaneous",
    ),
    "deviation": experiment(network=MLP | NO_NORM | {"batch_statistics": "stddev", "latent": "uniform"}),
    "augmented": experiment(
        IMAGES,
        network=DCGAN | NO_NORM,
        objective={
            "penalties": {"consistency": 0.5},
            "augment": ["color", "translation", "cutout"],
            "label_smoothing": 0.1,
        },
    ),
    "maxout": experiment(IMAGES, network=DCGAN | {"name": "gan_mlp", "dropout": 0.3, "condition": "concatenation"}),
    "residual": experiment(
        IMAGES,
        network=DCGAN
        | {"name": "resnet", "condition": "batch_norm", "discriminator_norm": "spectral", "attention": True},
        objective={"name": "hinge"},
    ),
    "informed": experiment(
        IMAGES,
        network=DCGAN
        | {"condition": "embedding", "discriminator_condition": "auxiliary"}
        | {"categorical_codes": 3, "continuous_codes": 2},
    ),
}
"""What else a replica could do by itself: every network and penalty of the catalog, every option of a training."""


@pytest.fixture(scope="module")
def gans(tmp_path_factory):
    return train_each_way(EVERY_GAN, tmp_path_factory.mktemp("gans"))


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return train_each_way(EVERY_PART, tmp_path_factory.mktemp("parts"))


def check(trained, way, name):
    expected, received = trained["one_device"][name], trained[way][name]
    assert expected.state.keys() == received.state.keys()
    for variable, value in expected.state.items():
        np.testing.assert_allclose(received.state[variable], value, rtol=0, atol=1e-5, err_msg=variable)
    assert len(expected.rows) == len(received.rows) == expected.rows[-1]["step"] / 2
    for row, other in zip(expected.rows, received.rows, strict=True):
        assert row.keys() == other.keys()
        for log in row:
            if not log.endswith(OF_A_REPLICA):
                np.testing.assert_allclose(other[log], row[log], rtol=1e-4, atol=1e-4, err_msg=log)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "one_device"])
class TestLikeOneDevice:
    @pytest.mark.parametrize("name", EVERY_GAN)
    def test_trains_every_gan(self, gans, way, name):
        check(gans, way, name)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", EVERY_PART)
    def test_trains_with_every_part(self, parts, way, name):
        check(parts, way, name)


def test_covers_the_catalog():
    assert {each.gan.name for each in EVERY_GAN.values()} == set(GANS)
    every = [*EVERY_GAN.values(), *EVERY_PART.values()]
    assert {each.network.name for each in every} == set(NETWORKS)
    assert {name for each in every for name in each.objective.penalties} == set(PENALTIES)
    assert {name for each in every for name in each.objective.generator_penalties} == set(GENERATOR_PENALTIES)
