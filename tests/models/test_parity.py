"""One device, two mirrored devices and two worker processes train every GAN alike.

With SGD: a loss that is off by a factor shows in its weights at once, and not in those of Adam.
"""

import numpy as np
import pytest

from models.catalog import GANS
from models.config import Data, Experiment, Network, Objective, Optimizer, Scheme, Training
from tests.trainings import WAYS, train_each_way

SGD = Optimizer(name="sgd", learning_rate=0.05)
POINTS = Data(source="mixture:ring")
IMAGES = Data(resolution=16, labels=3)
MLP = {"name": "points", "latent_size": 2, "generator_width": 8, "discriminator_width": 8}
MLP |= {"generator_depth": 1, "discriminator_depth": 1}
NO_NORM = {"generator_norm": "none", "discriminator_norm": "none"}
DCGAN = {"name": "dcgan", "latent_size": 4, "generator_width": 4, "discriminator_width": 4}


def experiment(name="small", data=POINTS, gan="adversarial", network=MLP, objective=None, **training):
    """Four steps of SGD in float32, each player's weights averaged."""
    sgd = {"generator_optimizer": SGD, "discriminator_optimizer": SGD}
    fixed = {"steps": 4, "batch_size": 8, "steps_per_call": 2, "precision": "float32", "keep": "last"}
    return Experiment(
        name=name,
        data=data,
        gan=Scheme.model_validate(gan),
        network=Network(**network),
        objective=Objective(**objective or {}),
        training=Training(**fixed | sgd | training),
    )


EVERY_GAN = {
    "adversarial": experiment(
        data=IMAGES,
        network=DCGAN | {"condition": "embedding"},
        discriminator_steps=2,
    ),
    "remedies": experiment(
        network=MLP
        | {"discriminator_norm": "spectral", "pack": 2, "batch_statistics": "discrimination", "batch_group": 2}
        | {"dropout": 0.3},
        objective={"penalties": {"r1": 0.5}},
    ),
    "cycle": experiment(
        data=Data(source="mixture:ring", unpaired_source="mixture:grid"),
        gan={"name": "cycle", "pool_size": 12},
    ),
    "restoration": experiment(
        gan={"name": "restoration", "degradations": {"noise": 0.3, "shrink": 0.2}},
        pretraining_steps=2,
        pretraining_optimizer=SGD,
    ),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_each_way(EVERY_GAN, tmp_path_factory.mktemp("every_gan"))


def check(trained, way, name):
    expected, received = trained["one_device"][name], trained[way][name]
    assert expected.state.keys() == received.state.keys()
    for variable, value in expected.state.items():
        np.testing.assert_allclose(received.state[variable], value, rtol=0, atol=1e-5, err_msg=variable)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "one_device"])
@pytest.mark.parametrize("name", EVERY_GAN)
def test_trains_like_one_device(trained, way, name):
    check(trained, way, name)


def test_covers_the_catalog():
    assert {each.gan.name for each in EVERY_GAN.values()} == set(GANS)
