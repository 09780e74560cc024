import contextlib
import json
import socket
import threading
import time

import pytest

from models.config import Adversarial, PointsDiscriminator, PointsGenerator
from models.training.strategies import Cluster, check_divides, make_strategy, meet
from tests.harness import experiment

TWO = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}


@contextlib.contextmanager
def free_ports(count):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        yield [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]


class TestBatch:
    def of(self, batch_size, **discriminator):
        # no experiment that is parsed has this; a number of replicas that does not divide is found in the same way
        scheme = Adversarial(generator=PointsGenerator(), discriminator=PointsDiscriminator(**discriminator))
        fits = experiment(data="points", scheme=scheme, training={"batch_size": 48})
        return fits.model_copy(update={"training": fits.training.model_copy(update={"batch_size": batch_size})})

    @pytest.mark.parametrize(
        ("batch_size", "discriminator", "factors"),
        [
            (9, {}, r"replicas \(2\)"),
            (6, {"pack": 2}, r"replicas \(2\) x pack \(2\)"),
            (12, {"batch_statistics": "stddev"}, r"replicas \(2\) x batch_group \(4\)"),
            (
                12,
                {"pack": 2, "batch_statistics": "stddev", "batch_group": 2},
                r"replicas \(2\) x pack \(2\) x batch_group \(2\)",
            ),
        ],
    )
    def test_divides_over_replicas_packs_and_groups(self, batch_size, discriminator, factors):
        with pytest.raises(
            ValueError, match=rf"^training.batch_size is a multiple of {factors}.*; received {batch_size}$"
        ):
            check_divides(self.of(batch_size, **discriminator), replicas=2)
        check_divides(self.of(16, **discriminator), replicas=2)

    def test_is_checked_when_a_strategy_is_made(self):
        with pytest.raises(ValueError, match=r"a multiple of batch_group \(4\); received 10"):
            make_strategy(self.of(10, batch_statistics="stddev"))

    def test_a_group_that_is_not_looked_at_need_not_divide(self):
        check_divides(self.of(10, batch_group=4), replicas=2)


class TestCluster:
    def test_names_every_task_the_chief_first(self):
        tree = {"cluster": {"worker": ["a:1", "b:2"], "chief": ["c:3"]}, "task": {"type": "worker", "index": 1}}
        cluster = Cluster.from_json(json.dumps(tree | {"environment": "cloud"}))
        assert cluster.addresses == ["c:3", "a:1", "b:2"]
        assert cluster.own_address == "b:2"

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            (None, "training.strategy=multi_worker reads TF_CONFIG, which is not set"),
            ("", "training.strategy=multi_worker reads TF_CONFIG, which is not set"),
            ("{", "TF_CONFIG is JSON; received '{': Expecting property name"),
            ("[]", "TF_CONFIG: .*; received"),
            ("{}", "TF_CONFIG: cluster is required"),
            (json.dumps({"cluster": TWO["cluster"]}), "TF_CONFIG: task is required"),
            (json.dumps(TWO | {"task": {"type": "worker"}}), "TF_CONFIG: task.index is required"),
            (json.dumps(TWO | {"task": {"type": "worker", "index": 2}}), "task.index is below .* 2; received 2"),
            (json.dumps(TWO | {"task": {"type": "chief", "index": 0}}), "task.index is below .* 0; received 0"),
            (json.dumps(TWO | {"task": {"type": "ps", "index": 0}}), "task.type: .*'chief' or 'worker'; received 'ps'"),
            (json.dumps(TWO | {"cluster": {"ps": ["a:1"]}}), "cluster.ps.*'chief' or 'worker'; received 'ps'"),
            (json.dumps(TWO | {"cluster": {"worker": ["a:1", "b"]}}), "cluster.worker.1: .*; received 'b'"),
            (json.dumps(TWO | {"cluster": {"worker": ["a:1", "a:1"]}}), "an address of its own; received a:1, a:1"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line_with_an_example(self, text, error):
        with pytest.raises(ValueError, match=rf'^(?=.*{error})[^\n]*; for example {{"cluster": [^\n]*}}$'):
            Cluster.from_json(text)


class TestMeet:
    def test_waits_for_those_that_come_later(self):
        with free_ports(2) as addresses:
            pass
        met = threading.Event()

        def come_later():
            time.sleep(0.5)
            meet(addresses[1], addresses)
            # as TensorFlow's server does from then on
            with socket.create_server(("127.0.0.1", int(addresses[1].rpartition(":")[2]))):
                met.wait(20)

        late = threading.Thread(target=come_later)
        late.start()
        began = time.monotonic()
        meet(addresses[0], addresses, seconds=20)
        assert time.monotonic() - began > 0.4
        met.set()
        late.join()

    def test_names_those_that_do_not_come(self):
        with free_ports(3) as addresses:
            pass
        with socket.create_server(("127.0.0.1", int(addresses[1].rpartition(":")[2]))):
            error = rf"^all workers of TF_CONFIG come up within 0.3 s; {addresses[2]} did not; start them all$"
            with pytest.raises(ValueError, match=error):
                meet(addresses[0], addresses, seconds=0.3)

    def test_names_the_own_address_where_it_is_taken(self):
        with free_ports(1) as addresses, pytest.raises(ValueError, match=f"{addresses[0]}: Address already in use"):
            meet(addresses[0], addresses)


@pytest.mark.parametrize(("strategy", "variable"), [("multi_worker", "TF_CONFIG"), ("tpu", "TPU_NAME")])
def test_a_strategy_without_its_environment_names_what_is_missing(monkeypatch, strategy, variable):
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ValueError, match=rf"^training.strategy={strategy} [^\n]*{variable}[^\n]* is not set"):
        make_strategy(experiment(training={"strategy": strategy}))
