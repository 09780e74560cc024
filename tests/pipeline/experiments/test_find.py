import pytest

from pipeline.experiments.named import EXPERIMENTS, find


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_is_found_by_its_name(name):
    assert find(name).name == name
    assert find(name).description


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


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if EXPERIMENTS[name].scheme.task != "generate"])
def test_what_takes_examples_is_judged_by_what_it_gives_and_by_what_it_keeps(name):
    """One good example for every input would meet any threshold of fidelity, and the input itself any of nearness."""
    thresholds = set(EXPERIMENTS[name].evaluation.thresholds)
    assert {"high_quality", "psnr", "kd_efficientnet_lite0"} & thresholds
    assert {"squared_error", "cycle_error", "pair_distance_efficientnet_lite0", "sharpness"} & thresholds
