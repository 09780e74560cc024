"""Over the catalog itself: a line is tested the moment it is written."""

import inspect

import pytest

from models import catalog
from models.config.networks.discriminators import DISCRIMINATOR
from models.config.networks.generators import GENERATOR
from models.config.networks.translators import TRANSLATOR
from models.config.objective import OBJECTIVE
from models.config.schemes.union import SCHEME
from pipeline.experiments.named import EXPERIMENTS


def test_each_line_names_something_that_can_be_called_and_is_documented():
    parts = {(kind, name): catalog.lookup(kind, name) for kind, names in catalog.KINDS.items() for name in names}
    assert parts
    assert not [key for key, part in parts.items() if not (callable(part) or inspect.ismodule(part))]
    assert not [key for key, part in parts.items() if not inspect.getdoc(part)]


@pytest.mark.parametrize("pick", [GENERATOR, TRANSLATOR, DISCRIMINATOR, SCHEME, OBJECTIVE], ids=lambda pick: pick.kind)
def test_what_has_fields_of_its_own_has_a_variant_for_each_line(pick):
    assert pick.variants.keys() == catalog.KINDS[pick.kind].keys()
    assert pick.default in pick.variants


@pytest.mark.parametrize("kind", catalog.KINDS)
def test_an_unknown_name_is_refused_with_the_near_miss(kind):
    known = next(iter(catalog.KINDS[kind]))
    with pytest.raises(ValueError, match=rf"{known}x is no {kind} of the catalog; did you mean"):
        catalog.require(kind, f"{known}x")


def test_choices_are_named_when_none_is_near():
    with pytest.raises(ValueError, match=r"qqq is no penalty of the catalog; choose from .*r1"):
        catalog.lookup("penalty", "qqq")


def test_a_metric_says_what_it_is_given_by_its_parameters():
    given = {"features", "images", "points", "labels"}
    allowed = {f"{side}_{what}" for side in ("real", "fake") for what in given}
    allowed |= {"fake_probabilities", "fake_inception_probabilities", "train_features", "neighbourhoods", "mixture"}
    allowed |= {"true_images", "true_points", "true_features", "fake_inputs", "fake_back"}
    offenders = {}
    for metric in catalog.METRICS.values():
        required = required_by(metric)
        # Points have no pixels, and only they have a mixture.
        images = required & {"real_images", "fake_images", "true_images"} and metric.suits("points")
        points = required & {"real_points", "fake_points", "true_points", "mixture"} and metric.of != ("points",)
        # what is generated from noise was made of nothing and has no truth to be near to
        of_examples = {name for name in required if name.startswith("true_")} | required & {"fake_inputs", "fake_back"}
        asked = of_examples and "generate" in metric.tasks
        if not required or required - allowed or images or points or asked:
            offenders[metric.line] = required
    assert catalog.METRICS
    assert not offenders


def test_a_metric_needs_what_its_parameters_name():
    """If this fails, a bound that nothing can judge is refused after a training, or one that can be before it."""
    named = {
        "mixture": {"mixture"},
        "classes": {"fake_probabilities"},
        "labels": {"fake_labels"},
        "training": {"train_features"},
        "truth": {"true_images", "true_points", "true_features"},
        "inputs": {"fake_inputs"},
        "back": {"fake_back"},
    }
    # its truth is images or points, each with a default, one of which there has to be
    either = {"models.metrics.restoration:squared_error": {"true_images"}}
    offenders = {}
    for metric in catalog.METRICS.values():
        required = required_by(metric) | either.get(metric.line, set())
        found = {need for need, names in named.items() if names & required}
        if found != set(metric.needs):
            offenders[metric.line] = found
    assert not offenders


def required_by(metric):
    """The parameters without a default of the function that a metric names."""
    module, _, name = metric.line.partition(":")
    parameters = inspect.signature(getattr(__import__(module, fromlist=[name]), name)).parameters.values()
    return {parameter.name for parameter in parameters if parameter.default is parameter.empty}


def test_fid_is_of_inception_alone():
    assert {"fid", "inception_score"} <= catalog.metric_names("inception_v3").keys()
    assert not {"fid", "inception_score"} & catalog.metric_names("cnn").keys()
    # the same figure has one name under each
    assert "fcd_cnn" in catalog.metric_names("cnn")
    assert "fcd_inception_v3" not in catalog.metric_names("inception_v3")
    assert "fid" not in catalog.metric_names("inception_v3", "points")


def test_distances_are_named_by_their_network():
    names = catalog.metric_names("efficientnet_lite0")
    assert {"fd_efficientnet_lite0", "kd_efficientnet_lite0"} <= names.keys()
    assert not [name for name in names if name.startswith(("fid", "kid", "fcd"))]
    # five images a feature, of which it has 1,280
    assert catalog.least("fd_{extractor}", "efficientnet_lite0") == 6_400
    assert catalog.least("kd_{extractor}", "efficientnet_lite0") == 20


def test_thresholds_of_the_experiments_name_metrics():
    unknown = set()
    for experiment in EXPERIMENTS.values():
        extractor = experiment.evaluation.extractor
        known = {name.format(extractor=extractor) for name in catalog.METRICS} | {"d_real_accuracy", "d_fake_accuracy"}
        unknown |= {(experiment.name, name) for name in experiment.evaluation.thresholds.keys() - known}
    assert unknown == set()
