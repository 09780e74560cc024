import json
import os

import pytest

from benchmarks.performance import scaling
from models.training.strategies import Cluster


def test_halves_the_cores_of_this_process():
    first, second = scaling.cores()
    assert len(first) == len(second) >= 1
    assert not first & second
    assert first | second <= os.sched_getaffinity(0)


def test_one_core_is_too_few(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    with pytest.raises(ValueError, match="it needs at least 2, received 1"):
        scaling.cores()


def test_a_cluster_on_loopback_has_free_ports_and_a_place_for_each():
    clusters = [Cluster.from_json(text) for text in scaling.loopback(3)]
    assert [each.task.index for each in clusters] == [0, 1, 2]
    assert len({each.own_address for each in clusters}) == 3
    assert len({tuple(each.addresses) for each in clusters}) == 1


def test_a_rate_is_that_of_compiled_calls(tmp_path):
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "rates.json").write_text(json.dumps([1.0, 30.0, 10.0, 20.0]))
    assert scaling.rate_of(tmp_path) == 20


@pytest.mark.slow
def test_every_way_trains_alike():
    rows = scaling.measure(calls=2)
    assert [row["training"] for row in rows] == [way.name for way in scaling.WAYS]
    assert rows[0]["largest_weight_difference"] == 0
    assert all(row["images_per_second"] > 0 for row in rows)
    assert all(row["largest_weight_change"] > 50 * scaling.MOST_DIFFERENCE for row in rows), "they have trained"
    marks = scaling.judge(rows)
    assert len(marks) == 3
    assert all(mark["holds"] for mark in marks), marks
