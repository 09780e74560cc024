import importlib.util

import numpy as np
import pytest

from benchmarks.performance import metrics

needs_fidelity = pytest.mark.skipif(
    importlib.util.find_spec("torch_fidelity") is None, reason="the bench extra is not installed"
)


@pytest.fixture(scope="module")
def measured():
    return {name: metrics.measure(name, 600, 32) for name in ("ganworks", "numpy, scipy, scikit-learn", "stream")}


def test_features_are_the_same_rows_in_any_shards(monkeypatch):
    monkeypatch.setattr(metrics, "SHARD", 100)
    whole = metrics.features(0, 0, 300, 16)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(metrics.features(0, 200, 300, 16), whole[200:])
    assert (whole >= 0).all()
    assert 0.3 < (whole > 0).mean() < 0.7
    assert np.abs(whole - metrics.features(1, 0, 300, 16)).mean() > 0.1


def test_ours_agree_with_the_plain_formulas(measured):
    ours, plain = (measured[name]["figures"] for name in ("ganworks", "numpy, scipy, scikit-learn"))
    assert set(ours) == set(plain)
    for name, value in plain.items():
        assert ours[name] == pytest.approx(value, rel=1e-5), name
    assert measured["ganworks"]["peak_mib"] > 50


def test_shards_have_the_same_distance(measured, monkeypatch):
    monkeypatch.setattr(metrics, "SHARD", 200)
    # other shards are other rows, so the same rows are drawn for both
    streamed = metrics.measure("stream", 600, 32)["figures"]["frechet"]
    whole = metrics.measure("ganworks", 600, 32)["figures"]["frechet"]
    assert streamed == pytest.approx(whole, rel=1e-9)


@needs_fidelity
def test_torch_fidelity_agrees_where_it_draws_nothing(monkeypatch, measured):
    monkeypatch.setattr(metrics, "SUBSET_SIZE", 300)
    theirs = metrics.measure("torch-fidelity", 600, 32)["figures"]
    ours = measured["ganworks"]["figures"]
    for name in ("frechet", "precision", "recall"):
        assert theirs[name] == pytest.approx(ours[name], rel=1e-5), name
    assert theirs["kid"] == pytest.approx(ours["kid"], rel=0.3)


def test_marks():
    def line(seconds, peak, **figures):
        return {"seconds": {"total": seconds}, "peak_mib": peak} | figures

    ours = line(30, 1_024, frechet=2.0, kid=0.1)
    rows = [ours, line(60, 2_048), line(75, 4_096, frechet=2.001, kid=0.1), line(5, 400), line(40, 420)]
    marks = {mark["name"]: (mark["value"], mark["holds"]) for mark in metrics.judge(rows)}
    assert marks == {
        "seconds": (30, True),
        "peak_gib": (1.0, True),
        "times_as_fast_as_torch_fidelity": (2.0, True),
        "times_as_fast_as_plain": (2.5, True),
        "streamed_peak_growth_mib": (20, True),
        "frechet_differs_from_plain": (0.0005, False),
        "kid_differs_from_plain": (0.0, True),
    }


def test_a_row_has_medians():
    turns = [
        {"samples": 5, "seconds": {"kid": part, "frechet": 1.0}, "peak_mib": 9 + part, "figures": {"kid": 1 / 3}}
        for part in (5, 1, 3)
    ]
    assert metrics.row("we", turns) == {
        "by": "we",
        "samples": 5,
        "seconds": {"kid": 3, "frechet": 1.0, "total": 4.0},
        "peak_mib": 14,
        "kid": 0.33333333,
    }


def test_without_torch_fidelity_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"torch-fidelity.*not installed.*pip install"):
        metrics.main()


def test_a_contender_that_fails_is_named():
    with pytest.raises(ValueError, match="nobody failed on 10 samples"):
        metrics.isolated("nobody", 10)


@pytest.mark.slow
def test_ten_times_as_many_samples_stream_in_the_same_memory():
    few, many = (metrics.isolated("stream", count)["peak_mib"] for count in (10_000, 100_000))
    assert many - few < metrics.MOST_GROWTH_MIB
