import pytest
import tensorflow as tf

from models.checkpoints import Checkpoints


def variables(value=0.0, shape=(2, 3)):
    return {"generator/0/kernel": tf.Variable(tf.fill(shape, value)), "generator/1/bias": tf.Variable([value])}


def test_restores_what_was_saved(tmp_path):
    Checkpoints(tmp_path, variables(1.5)).save(7)
    restored = variables()
    assert Checkpoints(tmp_path, restored).restore() == 7
    assert float(restored["generator/0/kernel"][1, 2]) == 1.5


def test_an_empty_folder_starts_at_step_0(tmp_path):
    assert Checkpoints(tmp_path, variables()).restore() == 0


def test_a_corrupt_checkpoint_falls_back_to_the_one_before_it_and_says_so(tmp_path, caplog):
    saved = variables(1.0)
    checkpoints = Checkpoints(tmp_path, saved)
    checkpoints.save(1)
    saved["generator/1/bias"].assign([9.0])
    checkpoints.save(2)
    data = tmp_path / "ckpt-2.data-00000-of-00001"
    data.write_bytes(b"\0" * data.stat().st_size)
    restored = variables()
    assert Checkpoints(tmp_path, restored).restore() == 1
    assert float(restored["generator/1/bias"][0]) == 1.0
    assert "ckpt-2 cannot be read" in caplog.text


def test_no_readable_checkpoint_is_an_error_not_a_fresh_start(tmp_path):
    Checkpoints(tmp_path, variables()).save(1)
    (tmp_path / "ckpt-1.index").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="none of 1 is"):
        Checkpoints(tmp_path, variables()).restore()


def test_another_architecture_is_refused_with_the_variable_that_differs(tmp_path):
    Checkpoints(tmp_path, variables()).save(1)
    with pytest.raises(ValueError, match=r"another architecture: generator-0-kernel is \[2, 3\] there and \[2, 4\]"):
        Checkpoints(tmp_path, variables(shape=(2, 4))).restore()
