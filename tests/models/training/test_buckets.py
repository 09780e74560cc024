"""A training whose places lie in a bucket.

TensorFlow's file system in memory, ram://, stands for one: what goes past TensorFlow's file systems ends in a folder of
this machine, or nowhere.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from etils.epath import backend, gpath, register

from models.files import copy_tree
from models.training.train import train
from tests.harness import experiment, weights, write_examples


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    """A place in memory; the working directory is one that nothing may be written to."""
    monkeypatch.setattr(gpath, "_URI_PREFIXES", (*gpath._URI_PREFIXES, "ram://"))
    monkeypatch.setattr(gpath, "_URI_SCHEMES", gpath._URI_SCHEMES | {"ram"})
    monkeypatch.setitem(gpath._URI_MAP_ROOT, "ram://", "/ram/")
    monkeypatch.setitem(gpath._PREFIX_TO_BACKEND, "ram", backend.tf_backend)
    monkeypatch.setitem(register._URI_PREFIXES_TO_CLS, "ram://", gpath.PosixGPath)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    yield f"ram://{tmp_path.name}"
    assert not list(here.iterdir())


def run(folder, examples, **options):
    return train(
        experiment(training={"sample_every_steps": 4, "checkpoint_every_steps": 2}),
        examples=examples,
        model_dir=f"{folder}/model",
        run_dir=f"{folder}/run",
        checkpoint_dir=f"{folder}/checkpoints",
        **options,
    )


def test_everything_goes_there_and_goes_on_from_there(bucket, tmp_path):
    examples = write_examples(tmp_path / "examples")
    whole = run(f"{bucket}/whole", examples)
    found = {f"{folder}/{name}" for folder, _, names in tf.io.gfile.walk(bucket) for name in names}
    for path in ("model/saved_model.pb", "run/history.jsonl", "run/samples/step_00000006.png"):
        assert any(each.endswith(f"whole/{path}") for each in found), path
    assert any("/checkpoints/ckpt-" in each for each in found)

    class Stopped(Exception):
        pass

    def stop(batch, logs=None):
        if batch == 4:
            raise Stopped

    with pytest.raises(Stopped):
        run(f"{bucket}/stopped", examples, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=stop)])
    resumed = weights(run(f"{bucket}/stopped", examples).state())
    for name, value in weights(whole.state()).items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)


def test_a_folder_is_copied_over_what_is_there(tmp_path):
    for text in ("long ago", "now"):
        (tmp_path / "from").mkdir(exist_ok=True)
        (tmp_path / "from" / "a").write_text(text)
        copy_tree(tmp_path / "from", tmp_path / "to")
    assert (tmp_path / "to" / "a").read_text() == "now"


def test_folders_that_are_listed_with_a_slash(tmp_path, monkeypatch):
    """As TensorFlow lists those of a bucket."""
    (tmp_path / "from" / "b").mkdir(parents=True)
    (tmp_path / "from" / "b" / "c").write_text("2")
    walk = tf.io.gfile.walk
    monkeypatch.setattr(tf.io.gfile, "walk", lambda top: ((f"{folder}/", *rest) for folder, *rest in walk(top)))
    copied = []
    monkeypatch.setattr(tf.io.gfile, "copy", lambda source, target, overwrite: copied.append((source, target)))
    copy_tree(tmp_path / "from", tmp_path / "to")
    assert copied == [(f"{tmp_path}/from/b/c", f"{tmp_path}/to/b/c")]
