"""`ganworks train`: what it refuses, and workers that are killed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.performance.scaling import loopback
from models.config import Images
from pipeline import cli
from pipeline.experiments.named import EXPERIMENTS
from tests import laboratory
from tests.disks import files_of_at_most
from tests.harness import write_examples

SMALL = {
    "training.strategy": "one_device",
    "training.precision": "float32",
    "training.batch_size": 8,
    "training.steps": 2,
    "training.steps_per_call": 2,
    "training.keep": "last",
}


def arguments(examples, output, **changes):
    settings = SMALL | {name.replace("__", "."): value for name, value in changes.items()}
    options = [option for name, value in settings.items() for option in ("--set", f"{name}={value}")]
    return ["train", "tiny", "--examples", str(examples), "--output", str(output), *options]


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    directory = tmp_path_factory.mktemp("examples")
    write_examples(directory, Images(resolution=16, classes=10))
    return directory


@pytest.fixture
def ganworks(monkeypatch):
    """The command line, in this process; gives the error that it ends with."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["ganworks", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code

    return call


class TestRefuses:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"scheme__objective__name": "hing"}, "scheme.objective: hing is no objective; did you mean hinge?"),
            ({"scheme__generator__name": "dcgn"}, "scheme.generator: dcgn is no generator; did you mean dcgan?"),
            ({"scheme__name": "cycl"}, "scheme: cycl is no scheme; did you mean cycle?"),
            (
                {"scheme__discriminator_steps": 0},
                "scheme.discriminator_steps: input should be greater than 0; received 0",
            ),
            (
                {"scheme__discriminator__batch_statistics": "stddev", "training__batch_size": 10},
                "training.batch_size is a multiple of the discriminator's batch_group (4); received 10",
            ),
            ({"data__resolution": 28}, "an example's shape is [28, 28, 1]; received [16, 16, 1]"),
            (
                {"scheme__discriminator__dropout": 0.5},
                (
                    "scheme.discriminator.dropout is no field of the discriminator dcgan; gan_mlp and lapgan and "
                    "points have it"
                ),
            ),
            ({"training__strategy": "tpu"}, "training.strategy=tpu connects to the TPU that TPU_NAME names"),
        ],
    )
    def test_what_does_not_fit_in_one_line(self, ganworks, examples, tmp_path, monkeypatch, changes, error):
        monkeypatch.delenv("TPU_NAME", raising=False)
        ended = ganworks(*arguments(examples, tmp_path, **changes))
        assert ended.startswith(f"error: {error}")
        assert "\n" not in ended
        assert not list(tmp_path.rglob("*.index"))

    @pytest.mark.parametrize("text", ["", "{", '{"cluster": {"worker": ["a:1"]}}'])
    def test_a_cluster_that_is_not_described(self, ganworks, examples, tmp_path, monkeypatch, text):
        monkeypatch.setenv("TF_CONFIG", text)
        ended = ganworks(*arguments(examples, tmp_path, training__strategy="multi_worker"))
        assert ended.startswith("error: ")
        assert "TF_CONFIG" in ended
        assert "\n" not in ended

    def test_missing_examples(self, ganworks, tmp_path):
        ended = ganworks(*arguments(tmp_path / "*.gz", tmp_path))
        assert ended == f"error: examples are read from TFRecord files; none matches {tmp_path / '*.gz'}"


def test_takes_the_folder_of_all_splits(ganworks, tmp_path, caplog):
    for seed, split in enumerate(("train", "choose")):
        write_examples(tmp_path / f"Split-{split}", Images(resolution=16, classes=10), seed=seed)
    with caplog.at_level("INFO"):
        assert ganworks(*arguments(tmp_path, tmp_path / "whole")) == 0
    assert "compare with examples of the choosing split" in caplog.text
    caplog.clear()
    with caplog.at_level("INFO"):
        words = arguments(tmp_path / "Split-train", tmp_path / "parts")
        assert ganworks(*words, "--choose", str(tmp_path / "Split-choose")) == 0
    assert "compare with examples of the choosing split" in caplog.text
    histories = [(tmp_path / name / "run" / "history.jsonl").read_text().splitlines() for name in ("whole", "parts")]
    looks = [{k: v for k, v in json.loads(rows[-1]).items() if k.startswith("look_")} for rows in histories]
    assert looks[0] == looks[1]
    assert looks[0]


def test_goes_on_after_a_full_disk_and_refuses_another_architecture(ganworks, examples, tmp_path):
    output = tmp_path / "out"
    more = {"training__steps": 4, "training__checkpoint_every_steps": 2}

    with files_of_at_most(100_000):
        ended = ganworks(*arguments(examples, output, **more))
    assert ended.startswith(f"error: {output / 'checkpoints' / 'ckpt-1'} cannot be written: ")
    assert ended.endswith("; there is no checkpoint yet")
    assert "\n" not in ended
    assert not (output / "model").exists()

    assert ganworks(*arguments(examples, output, **more)) == 0
    assert (output / "model" / "saved_model.pb").exists()
    # ended, it has nothing to do but to write the model again
    assert ganworks(*arguments(examples, output, **more)) == 0

    ended = ganworks(*arguments(examples, output, **more, scheme__generator__width=16))
    assert ended.startswith(f"error: checkpoint {output / 'checkpoints' / 'ckpt-2'} is of another architecture: ")
    assert "\n" not in ended


@pytest.mark.parametrize("name", ["ring-to-square", "ring-restoration"])
def test_what_takes_examples_trains(ganworks, tmp_path, name):
    pattern = laboratory.write_points(tmp_path / "examples", EXPERIMENTS[name].data, count=200)
    settings = SMALL | ({"scheme.pretraining.steps": 2} if EXPERIMENTS[name].scheme.earlier_steps else {})
    options = [option for key, value in settings.items() for option in ("--set", f"{key}={value}")]
    assert ganworks("train", name, "--examples", *pattern, "--output", str(tmp_path / "out"), *options) == 0
    assert (tmp_path / "out" / "model" / "saved_model.pb").exists()


class Workers:
    """Two processes of `ganworks train` on loopback, that share no folder."""

    def __init__(self, examples, directory, **changes):
        self.directory, self.clusters = directory, loopback(2)
        self.words = [arguments(examples, directory / str(index), **changes) for index in range(2)]
        self.processes = [self._start(index) for index in range(2)]

    def _start(self, index):
        command = Path(sys.executable).with_name("ganworks")
        environment = os.environ | {"TF_CONFIG": self.clusters[index], "TF_CPP_MIN_LOG_LEVEL": "2"}
        with (self.directory / f"{index}.log").open("ab") as log:
            return subprocess.Popen(
                [command, *self.words[index]], env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_for_a_checkpoint(self):
        deadline = time.monotonic() + 200
        while not list((self.directory / "0" / "checkpoints").glob("ckpt-*[0-9].index")):
            assert time.monotonic() < deadline
            assert [process.poll() for process in self.processes] == [None, None], self.log()
            time.sleep(0.02)

    def kill_and_restart(self, index):
        self.processes[index].kill()
        self.processes[index].wait()
        self.processes[index] = self._start(index)

    def wait(self):
        codes = [process.wait(300) for process in self.processes]
        assert codes == [0, 0], self.log()

    def log(self, index=None):
        numbers = range(2) if index is None else [index]
        return "".join((self.directory / f"{number}.log").read_text(errors="replace") for number in numbers)

    def stop(self):
        for process in self.processes:
            process.kill()

    def state(self):
        indices = (self.directory / "0" / "checkpoints").glob("*.index")
        newest = max(indices, key=lambda path: path.stat().st_mtime)
        reader = tf.train.load_checkpoint(str(newest.with_suffix("")))
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "VARIABLE" in name}


@pytest.fixture
def workers(examples, tmp_path):
    started = []

    def start(name, **changes):
        (tmp_path / name).mkdir()
        started.append(Workers(examples, tmp_path / name, **changes))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.mark.slow
def test_a_killed_worker_rejoins_and_all_end_as_if_nothing_had_happened(workers):
    changes = {"training__steps": 160, "training__steps_per_call": 4, "training__checkpoint_every_steps": 20}
    changes |= {"training__sample_every_steps": 80, "training__strategy": "multi_worker"}
    undisturbed = workers("undisturbed", **changes)
    undisturbed.wait()
    expected = undisturbed.state()

    for victim in (1, 0):
        both = workers(f"without_{victim}", **changes)
        other = both.processes[1 - victim].pid
        both.wait_for_a_checkpoint()
        both.kill_and_restart(victim)
        both.wait()
        assert f"worker {victim} of this training is gone: " in both.log(1 - victim)
        assert both.processes[1 - victim].pid == other, "the one that was not killed has stayed"
        state = both.state()
        assert state.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(state[name], value, err_msg=name)
        # the chief alone writes, and says where
        assert (both.directory / "0" / "model" / "saved_model.pb").exists()
        assert not (both.directory / "1").exists()
        assert "the model is " in both.log(0)
        assert "the model is " not in both.log(1)
