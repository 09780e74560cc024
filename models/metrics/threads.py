"""Many matrix products at once, one a core."""

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_limits


@contextlib.contextmanager
def product_a_thread() -> Iterator[ThreadPoolExecutor]:
    """A thread for each core that this process may use, each with its own products while the context lasts.

    Threads that share a product wait for each other, which costs a small product up to fifty times its time on a busy
    machine; and what NumPy does between the products is shared out too.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores) as pool:
        yield pool
