"""What cannot succeed is refused soon after a pipeline starts, and before anything is trained."""

import resource

import pytest

from tests.components.images import write_classes
from tests.e2e.test_run import INGEST, run

pytestmark = pytest.mark.e2e

CPU_SECONDS = 60
"""Most of it is the import of TFX. Other work on the machine does not count."""


def cpu_seconds():
    """CPU seconds of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    ("counts", "classes", "stage", "message"),
    [
        ({"a": 40, "b": 1}, 3, 0, "folder:{root} has 2, a, b, and data.classes is 3: set data.classes=2"),
        ({"a": 40, "b": 1}, 2, 0, "one to train on and one to hold out; of folder:{root}, class b has"),
        ({"a": 5, "b": 4}, 2, 3, "training.batch_size is at most the number of training examples; received 32, and"),
    ],
    ids=["another number of classes", "a class of one", "fewer than a batch"],
)
def test_it_says_why_in_one_line(tmp_path, counts, classes, stage, message):
    root = write_classes(tmp_path / "in", counts, (32, 32, 3))
    began = cpu_seconds()
    settings = [f"data.source=folder:{root}", f"data.classes={classes}", "data.channels=3"]
    done = run(tmp_path / "run", *(word for each in settings for word in ("--set", each)))
    assert cpu_seconds() - began < CPU_SECONDS
    assert done.returncode == 1
    assert done.err.startswith(f"error: stage {INGEST[stage]} failed: ")
    assert message.format(root=root) in done.err
    assert done.err.count("\n") == 1
    assert list(done.states) == INGEST[:stage]
