import json

import pytest
import tensorflow as tf

from models import mixtures
from models.training.train import train
from tests.models.gans.tiny import PLAIN, copied, experiment, points

LEVELS = "tests.models.gans.levels:TwoLevels"
TRAINING = {"steps": 8, "steps_per_call": 2, "checkpoint_every_steps": 3, "health": {"check_every_steps": 4}}
TRAINING |= {"generator_optimizer": {"name": "adam"}, "keep": "last"}


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    path = tmp_path_factory.mktemp("examples") / "examples.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for point in mixtures.sample(mixtures.grid(), 50, 0)[0]:
            feature = tf.train.Feature(float_list=tf.train.FloatList(value=point))
            features = tf.train.Features(feature={"target": feature})
            writer.write(tf.train.Example(features=features).SerializeToString())
    return [str(path)]


@pytest.fixture(scope="module")
def levels():
    return experiment(LEVELS, **PLAIN, training=TRAINING)


@pytest.fixture(scope="module")
def whole(levels, examples, tmp_path_factory):
    """The state after a run that nothing interrupts, and where it left its files."""
    directory = tmp_path_factory.mktemp("whole")
    return run(levels, examples, directory), directory


def run(config, examples, directory, *callbacks):
    places = {name: directory / name.removesuffix("_dir") for name in ("model_dir", "run_dir", "checkpoint_dir")}
    return copied(train(config, examples=examples, callbacks=callbacks, **places))


class TestLevels:
    def test_the_loop_runs_one_after_the_other(self, whole):
        state, directory = whole
        rows = [json.loads(line) for line in (directory / "run" / "history.jsonl").read_text().splitlines()]
        assert {row["step"]: "d_coarse_loss" in row for row in rows} == {2: True, 3: True, 4: True, 6: False, 8: False}
        assert all(("d_fine_loss" in row) != ("d_coarse_loss" in row) for row in rows)
        updates = {name: state[f"{name}_optimizer/000"] for name in ("coarse", "fine", "fine_discriminator")}
        assert updates == {"coarse": 4, "fine": 4, "fine_discriminator": 8}
        signatures = tf.saved_model.load(str(directory / "model")).signatures
        assert signatures["refine"](point=points(3))["point"].shape == (3, 2)
