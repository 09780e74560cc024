import os

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.performance.scaling import loopback
from models.training import workers
from models.training.strategies import make_strategy
from tests.harness import experiment
from tests.trainings import run


def one():
    return tf.distribute.OneDeviceStrategy("CPU:0")


class TestAlone:
    def test_is_its_own_chief_and_tells_nobody(self):
        assert workers.is_chief(one())
        assert workers.count(one()) == 1
        # no JSON, so it has not been sent
        assert workers.by_chief(one(), lambda: {1, 2}) == {1, 2}

    def test_leaves_variables_and_errors_as_they_are(self):
        variable = tf.Variable(1.5)
        workers.from_chief(one(), [variable])
        workers.check_alike(one(), examples="a")
        assert float(variable) == 1.5
        with pytest.raises(tf.errors.UnavailableError), workers.naming_the_lost(one()):
            raise tf.errors.UnavailableError(None, None, "Collective ops is aborted by: nobody")


def talk(tf_config):
    """What each of two workers does; any that fails ends with a nonzero code."""
    os.environ["TF_CONFIG"] = tf_config
    strategy = make_strategy(experiment(training={"strategy": "multi_worker"}))
    index = strategy.cluster_resolver.task_id
    assert workers.count(strategy) == 2
    assert workers.is_chief(strategy) == (index == 0)

    asked = []
    row = {"step": 7, "distance": 0.1 + 0.2, "missing": float("nan"), "name": "Fréchet"}
    told = workers.by_chief(strategy, lambda: asked.append(index) or row)
    assert str(told) == str(row), "the same to the last digit"
    assert asked == ([0] if index == 0 else []), "the chief alone computes"
    assert workers.by_chief(strategy, lambda: None) is None

    class Refused(ValueError):
        pass

    def refuse():
        raise Refused("the disk of the chief is full")

    with pytest.raises(ValueError, match=r"^the disk of the chief is full$") as raised:
        workers.by_chief(strategy, refuse)
    assert (raised.type is Refused) == (index == 0)

    with strategy.scope():
        values = [np.float32(1 / 3 + index), np.int64(2**53 - index), np.full([2, 3], index == 1)]
        variables = [tf.Variable(value) for value in values]
    for variable, value in zip(variables, values, strict=True):
        # made in the scope, they began with the chief's value
        variable.assign(value)
    if index == 1:
        variables[0].assign(np.nan)
    workers.from_chief(strategy, variables)
    assert variables[0].numpy() == np.float32(1 / 3)
    assert variables[1].numpy() == 2**53
    assert not variables[2].numpy().any()

    workers.check_alike(strategy, experiment="same", examples="same")
    other = "another worker does not" if index == 0 else "this worker has digest 1"
    with pytest.raises(ValueError, match=f"^all workers have the same examples; the chief has digest 0, {other}$"):
        workers.check_alike(strategy, experiment="same", examples=f"digest {index}")


def test_two_workers_know_what_the_chief_knows():
    run([(talk, tf_config) for tf_config in loopback(2)])


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (
            (
                "Graph execution error:\n\nCollective ops is aborted by: Connection reset by peer\n"
                "Additional GRPC error information from remote target /job:worker/replica:0/task:1 while calling X:\n"
            ),
            "worker 1 of this training is gone: Connection reset by peer",
        ),
        (
            "Collective ops is aborted by: Deadline Exceeded\n\nRPC: /tensorflow.CoordinationService/Heartbeat",
            "another worker of this training is gone: Deadline Exceeded",
        ),
    ],
)
def test_names_the_worker_that_is_lost(monkeypatch, message, named):
    monkeypatch.setattr(workers, "count", lambda strategy: 2)
    with pytest.raises(workers.WorkerLost, match=f"^{named}$"), workers.naming_the_lost(one()):
        raise tf.errors.UnavailableError(None, None, message)


def test_an_error_that_is_no_loss_stays_what_it_is(monkeypatch):
    monkeypatch.setattr(workers, "count", lambda strategy: 2)
    with pytest.raises(tf.errors.UnavailableError), workers.naming_the_lost(one()):
        raise tf.errors.UnavailableError(None, None, "the bucket does not answer")
