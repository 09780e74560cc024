import pytest

from pipeline.experiments import EXPERIMENTS, UNJUDGED, find


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_is_found_by_its_name(name):
    assert find(name).name == name
    assert find(name).description


@pytest.mark.parametrize("name", UNJUDGED)
def test_what_cannot_be_judged_is_found_to_train_alone(name):
    assert find(name, judged=False) == UNJUDGED[name]
    assert name not in EXPERIMENTS
    with pytest.raises(ValueError, match=f"{name} cannot be judged yet"):
        find(name)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="mnist-dcga is no experiment; did you mean mnist-dcgan"):
        find("mnist-dcga")


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if EXPERIMENTS[name].conditional])
def test_fidelity_is_never_judged_without_diversity(name):
    """One good picture a class would meet any threshold of fidelity."""
    thresholds = set(EXPERIMENTS[name].evaluation.thresholds)
    if name != "tiny":
        assert "conditional_accuracy" in thresholds
        assert {"within_class_spread", "coverage"} <= thresholds
