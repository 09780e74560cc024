import math

import pytest

from benchmarks import reporting
from benchmarks.performance import serving
from benchmarks.performance.serving import Times


def times(**changed):
    known = {
        (by, rows, callers): Times(100, 2, 4)
        for by in ("in the process", "gRPC", "REST")
        for rows in serving.ROWS
        for callers in serving.CONCURRENCIES
    }
    return known | {("gRPC", 32, 8): Times(69, 2, 4)} | changed


def verdicts(marks):
    return {mark["name"]: mark["holds"] for mark in marks}


def test_each_mark_can_fail():
    slow = {key: Times(69, 2, 6.2) if key[0] == "gRPC" else value for key, value in times().items()}
    assert not any(verdicts(serving.judge(slow, failed=1, growth=30)).values())
    assert all(verdicts(serving.judge(times(), failed=0, growth=1)).values())


def test_times_are_those_of_the_requests():
    # of 1 to 100 ms by hand, NumPy's interpolation
    found = serving.summary([number / 1_000 for number in range(1, 101)])
    assert found.rate == pytest.approx(100 / serving.SECONDS)
    assert (found.p50, found.p99) == (pytest.approx(50.5), pytest.approx(99.01))


def test_the_table_names_every_measurement():
    assert len(serving.table(times())) == 3 * len(serving.ROWS) * len(serving.CONCURRENCIES)


@pytest.mark.slow
def test_it_measures_and_reports(tmp_path, monkeypatch):
    for name, value in (("SECONDS", 0.3), ("ENDURANCE", 200), ("WARM", 50), ("CONCURRENCIES", (1, 8))):
        monkeypatch.setattr(serving, name, value)
    reported = {}
    monkeypatch.setattr(reporting, "finish", lambda name, **result: reported.update(result, name=name) or 0)
    assert serving.main() == 0
    assert reported["name"] == "serving"
    assert len(reported["rows"]) == 4 * 2 * 2
    assert all(row["requests_per_second"] > 0 and row["p50_ms"] <= row["p99_ms"] for row in reported["rows"])
    marks = {mark["name"]: mark["value"] for mark in reported["marks"]}
    assert marks.pop("failed_of_200") == 0
    assert all(math.isfinite(value) for value in marks.values())
