"""Over the catalog itself: a line is tested the moment it is written."""

import inspect

import pytest

from models import catalog
from pipeline.experiments import EXPERIMENTS

LINES = [(kind, name) for kind, names in catalog.KINDS.items() for name in names]


@pytest.mark.parametrize(("kind", "name"), LINES)
def test_names_something_that_can_be_called_and_is_documented(kind, name):
    part = catalog.lookup(kind, name)
    assert callable(part) or inspect.ismodule(part)
    assert inspect.getdoc(part)


@pytest.mark.parametrize("kind", catalog.KINDS)
def test_an_unknown_name_is_refused_with_the_near_miss(kind):
    known = next(iter(catalog.KINDS[kind]))
    with pytest.raises(ValueError, match=rf"{known}x is no {kind} of the catalog; did you mean"):
        catalog.require(kind, f"{known}x")


def test_choices_are_named_when_none_is_near():
    with pytest.raises(ValueError, match=r"qqq is no penalty of the catalog; choose from .*r1"):
        catalog.lookup("penalty", "qqq")


@pytest.mark.parametrize("metric", catalog.METRICS.values(), ids=lambda metric: metric.line)
def test_a_metric_says_what_it_is_given_by_its_parameters(metric):
    module, _, name = metric.line.partition(":")
    function = getattr(__import__(module, fromlist=[name]), name)
    given = {"features", "images", "points", "labels"}
    allowed = {f"{side}_{what}" for side in ("real", "fake") for what in given}
    allowed |= {"fake_probabilities", "fake_inception_probabilities", "train_features", "neighbourhoods", "mixture"}
    required = {
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
    }
    assert required
    assert required <= allowed
    # Points have no pixels, and only they have a mixture.
    assert not (required & {"real_images", "fake_images"} and "points" in metric.of)
    assert not (required & {"real_points", "fake_points", "mixture"} and metric.of != ("points",))


def test_fid_is_of_inception_alone():
    assert {"fid", "inception_score"} <= catalog.metric_names("inception_v3").keys()
    assert not {"fid", "inception_score"} & catalog.metric_names("cnn").keys()
    # the same figure has one name under each
    assert "fcd_cnn" in catalog.metric_names("cnn")
    assert "fcd_inception_v3" not in catalog.metric_names("inception_v3")
    assert "fid" not in catalog.metric_names("inception_v3", "points")


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda experiment: experiment.name)
def test_thresholds_of_the_experiments_name_metrics(experiment):
    extractor = experiment.evaluation.extractor
    known = {name.format(extractor=extractor) for name in catalog.METRICS} | {"d_real_accuracy", "d_fake_accuracy"}
    assert set(experiment.evaluation.thresholds) <= known
