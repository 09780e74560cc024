import pytest
import tensorflow as tf
from etils import epath

from models.files import CannotWrite
from models.training.checkpoints import Checkpoints
from tests.disks import files_of_at_most


def variables(value=0.0, shape=(2, 3)):
    return {"generator/0/kernel": tf.Variable(tf.fill(shape, value)), "generator/1/bias": tf.Variable([value])}


def two_checkpoints(directory, keep=2):
    """Of steps 10 and 20, where the bias is 1 and 2."""
    saved = variables(1.0)
    checkpoints = Checkpoints(directory, saved, keep)
    checkpoints.save(10)
    saved["generator/1/bias"].assign([2.0])
    checkpoints.save(20)
    return checkpoints


def restored(directory):
    """The step and the bias."""
    read = variables()
    return Checkpoints(directory, read).restore(), float(read["generator/1/bias"][0])


def zeros(file):
    file.write_bytes(b"\0" * file.stat().st_size)


def half(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def one_bit(file):
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)


class TestRestore:
    def test_gives_what_was_saved_last(self, tmp_path):
        two_checkpoints(tmp_path)
        assert restored(tmp_path) == (20, 2.0)

    def test_starts_at_step_0_in_an_empty_folder(self, tmp_path):
        assert restored(tmp_path / "missing") == (0, 0.0)

    @pytest.mark.parametrize(
        ("file", "damage"),
        [
            ("data-00000-of-00001", zeros),
            ("data-00000-of-00001", half),
            ("data-00000-of-00001", one_bit),
            ("data-00000-of-00001", lambda file: file.unlink()),
            ("index", zeros),
            ("index", half),
            ("index", lambda file: file.write_bytes(b"")),
            ("index", lambda file: file.write_bytes(b"nonsense")),
        ],
    )
    def test_falls_back_from_a_corrupt_one_to_the_one_before_it_and_says_so(self, tmp_path, caplog, file, damage):
        two_checkpoints(tmp_path)
        damage(tmp_path / f"ckpt-2.{file}")
        assert restored(tmp_path) == (10, 1.0)
        assert "ckpt-2 cannot be read, trying the one before it" in caplog.text

    def test_none_that_can_be_read_is_an_error_not_a_fresh_start(self, tmp_path):
        Checkpoints(tmp_path, variables()).save(1)
        (tmp_path / "ckpt-1.index").write_bytes(b"nonsense")
        with pytest.raises(ValueError, match=r"none of 1 is: .*ckpt-1$"):
            restored(tmp_path)

    def test_refuses_another_architecture_with_the_variable_that_differs(self, tmp_path):
        Checkpoints(tmp_path, variables()).save(1)
        with pytest.raises(
            ValueError, match=r"another architecture: generator-0-kernel is \[2, 3\] there and \[2, 4\]"
        ):
            Checkpoints(tmp_path, variables(shape=(2, 4))).restore()


class TestSave:
    @pytest.mark.parametrize("keep", [1, 2])
    def test_keeps_so_many(self, tmp_path, keep):
        checkpoints = two_checkpoints(tmp_path, keep)
        checkpoints.save(30)
        assert [path.name for path in checkpoints.paths()] == ["ckpt-2", "ckpt-3"][-keep:]
        assert len(list(tmp_path.iterdir())) == 2 * keep

    def test_a_step_back_is_the_newest_and_overwrites_nothing(self, tmp_path):
        checkpoints = two_checkpoints(tmp_path)
        before = {path.name: path.read_bytes() for path in tmp_path.glob("ckpt-2.*")}
        checkpoints.save(10)
        assert restored(tmp_path) == (10, 2.0)
        assert {path.name: path.read_bytes() for path in tmp_path.glob("ckpt-2.*")} == before

    def test_a_full_disk_is_one_line_and_leaves_the_last_one_intact(self, tmp_path):
        # what is refused is a file larger than the limit, as a full disk refuses any that is larger than what is left
        large = variables(1.0, shape=(100, 1000))
        checkpoints = Checkpoints(tmp_path, large)
        checkpoints.save(10)
        with files_of_at_most(100_000), pytest.raises(CannotWrite, match=r"^[^\n]*ckpt-2 cannot be written: [^\n]*$"):
            checkpoints.save(20)
        assert {path.name for path in tmp_path.iterdir()} == {"ckpt-1.index", "ckpt-1.data-00000-of-00001"}
        assert Checkpoints(tmp_path, large).restore() == 10

    def test_one_killed_while_its_first_index_was_written_starts_anew(self, tmp_path):
        (tmp_path / "ckpt-1-unfinished.index").write_bytes(b"ha")
        (tmp_path / "ckpt-1-unfinished.data-00000-of-00001").write_bytes(b"whole")
        assert restored(tmp_path)[0] == 0
        Checkpoints(tmp_path, variables(3.0)).save(5)
        assert restored(tmp_path) == (5, 3.0)
        assert len(list(tmp_path.iterdir())) == 2

    def test_the_index_comes_into_its_place_last(self, tmp_path, monkeypatch):
        kind = type(epath.Path(tmp_path))
        replace, moved = kind.replace, []
        monkeypatch.setattr(kind, "replace", lambda self, to: moved.append(self.suffix) or replace(self, to))
        Checkpoints(tmp_path, variables()).save(1)
        assert moved == [".data-00000-of-00001", ".index"]

    def test_the_remains_of_a_killed_save_are_no_checkpoint_and_are_cleared(self, tmp_path):
        checkpoints = two_checkpoints(tmp_path)
        (tmp_path / "ckpt-3.data-00000-of-00001").write_bytes(b"half")
        (tmp_path / "ckpt-3-unfinished_temp").mkdir()
        (tmp_path / "ckpt-1.data-00000-of-00001").unlink()
        (tmp_path / "ckpt-1.index").unlink()
        assert restored(tmp_path) == (20, 2.0)
        checkpoints.save(30)
        assert restored(tmp_path) == (30, 2.0)
        assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} == {"ckpt-2", "ckpt-3"}
