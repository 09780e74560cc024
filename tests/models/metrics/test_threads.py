import os
import threading

from threadpoolctl import threadpool_info

from models.metrics.threads import product_a_thread


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_a_thread_a_core_that_may_be_used_and_products_of_one_thread(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2})
    before, meeting = blas_threads(), threading.Barrier(3)
    with product_a_thread() as pool:
        # three that wait for each other end only where all three run at once
        assert sorted(pool.map(lambda _: meeting.wait(timeout=30), range(3))) == [0, 1, 2]
        assert set(blas_threads()) == {1}
    assert blas_threads() == before
