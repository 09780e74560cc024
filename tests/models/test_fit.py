import pytest

from models import objectives
from models.catalog import NETWORKS, OBJECTIVES, lookup
from models.config import Data, Experiment, Training
from models.fit import ARCHITECTURES, CROSS_ENTROPIES

IMAGES = Experiment(name="images", data=Data(), training=Training(steps=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["network.condition=embedding"], "a conditional network needs data.labels of at least 2; received 0"),
        (["data.source=stacked:digits"], "data.channels of 3 and data.labels of 1000; received 1 and 0"),
        (["data.source=stacked:digits", "data.channels=3", "data.labels=10"], "received 3 and 10"),
        (["evaluation.thresholds.modes.at_least=8"], "modes is no metric of images; choose from .*coverage"),
        (
            ["data.source=mixture:ring", "evaluation.thresholds.spread.at_least=1"],
            "spread is no metric of points; choose from .*modes",
        ),
        (["network.pack=2", "network.condition=embedding", "data.labels=3"], "needs network.condition=none"),
        (["network.pack=3"], "batch_size is a multiple of network.pack; received 64 and 3"),
        (["objective.label_smoothing=0.1", "objective.name=hinge"], "is for minimax, .*; received it with hinge"),
        (['objective.augment=["color"]', "data.source=mixture:ring"], "objective.augment changes images; mixture:ring"),
        (["objective.penalties.consistency=1", "data.source=mixture:ring"], "penalties.consistency changes images"),
        (["objective.penalty_every_steps=4", "objective.penalties.dragan=1"], "received 4 with"),
        (["objective.penalty_every_steps=4", "objective.penalties.r1=1"], "received 4 with discriminator_norm=batch"),
        (["training.unrolled_steps=2", "training.discriminator_optimizer.name=lion"], "or by sgd .*; received lion"),
        (
            [
                "training.unrolled_steps=2",
                "training.discriminator_optimizer.name=sgd",
                "training.discriminator_optimizer.momentum=0.5",
            ],
            "received sgd with momentum 0.5",
        ),
        (["training.updates=simultaneous", "training.discriminator_steps=2"], "received 2 and 1"),
        (["data.source=mixture:ring"], "dcgan draws images, but mixture:ring has points of the plane; .* points draws"),
        (["network.name=points"], "points draws points of the plane, but digits has images"),
        (["network.name=resnet", "network.dropout=0.5"], "network.dropout is no option of resnet; received 0.5"),
        (
            ["network.condition=batch_norm", "network.generator_norm=none", "data.labels=3"],
            "network.condition batch_norm needs network.generator_norm batch; received none",
        ),
        (
            ["gan.name=restoration", "gan.degradations.noise=0.3"],
            "the GAN restoration needs a translator, which network.name dcgan does not have",
        ),
        (
            ["network.batch_statistics=stddev", "network.batch_group=5"],
            r"training.batch_size is a multiple of network.batch_group \(5\); received 64",
        ),
        (
            ["network.batch_statistics=stddev", "network.batch_group=16", "network.pack=8"],
            r"multiple of network.batch_group \(16\) x network.pack \(8\); received 64",
        ),
        (["data.eval_share=0.5", "data.choose_share=0.5"], "their sum is below 1; received 0.5 and 0.5"),
    ],
)
def test_parts_that_do_not_go_together_are_refused_in_one_line(settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        IMAGES.override(settings)
    assert "\n" not in str(caught.value)


def test_what_is_known_of_an_architecture_is_what_it_has():
    for name in NETWORKS:
        assert ARCHITECTURES[name].translates == hasattr(lookup("network", name), "translator")


def test_the_objectives_that_can_be_smoothed_are_those_that_are_named():
    for name in CROSS_ENTROPIES:
        objectives.one_sided_label_smoothing(lookup("objective", name), 0.1)
    for name in OBJECTIVES.keys() - set(CROSS_ENTROPIES):
        with pytest.raises(ValueError, match="label smoothing is for"):
            objectives.one_sided_label_smoothing(lookup("objective", name), 0.1)
