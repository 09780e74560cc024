"""Small experiments, one of each scheme among them, and how a setting of one is refused."""

import pytest

from models.config import (
    Adversarial,
    AtLeast,
    Cycle,
    Evaluation,
    Experiment,
    Images,
    Laplacian,
    Pairs,
    Pix2Pix,
    Points,
    PointsDiscriminator,
    PointsGenerator,
    Restoration,
    Training,
    Unpaired,
)

SMALL = Experiment(
    name="small",
    data=Images(resolution=16, classes=10),
    scheme="adversarial",
    training=Training(steps=5),
    evaluation=Evaluation(thresholds={"coverage": AtLeast(0.5, within_floor=0.1)}),
)


IMAGES = Experiment(name="images", data=Images(), training=Training(steps=1))


POINTS = Experiment(
    name="points",
    data=Points(),
    scheme=Adversarial(generator=PointsGenerator(), discriminator=PointsDiscriminator()),
    training=Training(steps=1),
)


OF_EACH_SCHEME = {
    "adversarial": SMALL,
    "cycle": Experiment(
        name="cycle",
        data=Unpaired(input=Points(classes=8), target=Points(source="mixture:grid")),
        scheme=Cycle(cycle_weight=3),
        training=Training(steps=5),
    ),
    "restoration": Experiment(
        name="restoration",
        data=Points(),
        scheme=Restoration(degradations={"noise": 0.3}, pretraining={"steps": 7}, objective="hinge"),
        training=Training(steps=5),
    ),
    "pix2pix": Experiment(
        name="pairs",
        data=Pairs(source="folder:x", folders=("photo", "map"), split_by="name:^.", input_channels=1),
        scheme=Pix2Pix(l1_weight=10),
        training=Training(steps=5),
    ),
    "lapgan": Experiment(
        name="lapgan",
        data=Images(resolution=32),
        scheme=Laplacian(levels=2, coarse_steps=3, refiner={"width": 8}),
        training=Training(steps=5),
    ),
}


def refused(experiment, settings, message):
    """Checks that settings are refused, in one line."""
    with pytest.raises(ValueError, match=message) as caught:
        experiment.override(settings)
    assert "\n" not in str(caught.value)
