"""Kernels from files: whatever form they have, the same values; what is none is refused in one line."""

import numpy as np
import pytest
from PIL import Image

from components.sample_generator.kernel_files import beside, read_kernel
from models.export.interface import Signature, Tensor

HELD = np.array([[0, 1, 0], [2, 4, 2], [0, 1, 6]])
"""A kernel of sum 16, not the same from any two sides."""


def write(file, values=HELD):
    if file.suffix == ".npy":
        np.save(file, values)
    elif file.suffix == ".csv":
        np.savetxt(file, values, delimiter=",")
    elif file.suffix == ".txt":
        np.savetxt(file, values)
    else:
        Image.fromarray(np.asarray(values, np.uint8)).save(file)
    return file


class TestReadKernel:
    @pytest.mark.parametrize("ending", [".npy", ".csv", ".txt", ".png", ".tif"])
    def test_has_the_sum_1_and_zeros_around(self, ending, tmp_path):
        """If this fails, a picture is restored by a kernel that lies on its side, or beside the middle."""
        found = read_kernel(write(tmp_path / f"kernel{ending}"), 7)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found[2:5, 2:5], HELD / 16, atol=1e-7)
        assert found.shape == (7, 7)
        assert found.sum() == pytest.approx(1)

    def test_sixteen_bits_and_colours(self, tmp_path):
        Image.fromarray((1_000 * HELD).astype(np.uint16)).save(tmp_path / "fine.png")
        np.testing.assert_allclose(read_kernel(tmp_path / "fine.png", 3), HELD / 16, atol=1e-7)
        Image.fromarray(np.repeat(HELD[..., None], 3, 2).astype(np.uint8)).save(tmp_path / "colour.png")
        np.testing.assert_allclose(read_kernel(tmp_path / "colour.png", 3), HELD / 16, atol=1e-7)

    def test_one_that_is_wider_than_high(self, tmp_path):
        # by hand: a movement to the right over three pixels
        found = read_kernel(write(tmp_path / "right.csv", np.ones([1, 3])), 5)
        expected = np.zeros([5, 5])
        expected[2, 1:4] = 1 / 3
        np.testing.assert_allclose(found, expected, atol=1e-7)

    @pytest.mark.parametrize(
        ("name", "values", "message"),
        [
            ("large.npy", np.ones([9, 9]), "odd sides of at most 7; received 9 x 9 of .*large.npy"),
            ("large.png", np.ones([9, 9]), "odd sides of at most 7; received 9 x 9"),
            ("even.csv", np.ones([4, 3]), "odd sides of at most 7; received 4 x 3"),
            ("flat.npy", np.ones(5), "odd sides of at most 7; received 5 of"),
            ("below.csv", HELD - 1, "values of at least 0, of which some are above; received -1 to 5"),
            ("nan.npy", np.full([3, 3], np.nan), "finite values"),
            ("black.png", np.zeros([3, 3]), "of which some are above; received 0 to 0"),
            ("complex.npy", HELD * 1j, "is no table of numbers: its values are complex128"),
            ("words.npy", np.full([3, 3], "a"), "is no table of numbers: its values are <U1"),
            ("objects.npy", np.full([3, 3], None), "is no table of numbers: .*Python objects"),
        ],
    )
    def test_what_is_no_kernel_is_refused_in_one_line(self, name, values, message, tmp_path):
        with pytest.raises(ValueError, match=message) as refused:
            read_kernel(write(tmp_path / name, values), 7)
        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("kernel.png", b"no picture", "a kernel is a picture, .npy or .csv, .txt; .* is none of these"),
            ("kernel.csv", b"1,2\n3\n", "is no table of numbers"),
            ("kernel.csv", b"\xff\xfe", "is no table of numbers"),
            ("kernel.npy", b"no array", "is no table of numbers"),
            ("kernel.npy", None, "cannot be read: No such file"),
            ("kernel.png", None, "cannot be read: No such file"),
        ],
    )
    def test_what_cannot_be_read_is_refused_in_one_line(self, name, content, message, tmp_path):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=message) as refused:
            read_kernel(tmp_path / name, 7)
        assert "\n" not in str(refused.value)

    def test_half_a_picture(self, tmp_path):
        file = write(tmp_path / "kernel.png")
        file.write_bytes(file.read_bytes()[:-40])
        with pytest.raises(ValueError, match=r"kernel.png (cannot be read|is none of these)"):
            read_kernel(file, 7)


PLAIN = {"image_bytes": Tensor(role="input", kind="image", dtype="string", shape=(None,))}
KERNEL = Tensor(role="kernel", kind="number", dtype="float32", shape=(None, 5, 5))


class TestBeside:
    def test_is_the_kernel_by_its_name(self, tmp_path):
        told = Signature(inputs=PLAIN | {"spread": KERNEL}, outputs={})
        found = beside(told, write(tmp_path / "kernel.csv"), "it")
        assert found.keys() == {"spread"}
        assert found["spread"].shape == (1, 5, 5)

    def test_is_nothing_of_a_model_that_is_told_none(self):
        assert beside(Signature(inputs=PLAIN, outputs={}), None, "it") == {}

    def test_too_little_and_too_much_are_refused(self, tmp_path):
        told = Signature(inputs=PLAIN | {"kernel": KERNEL}, outputs={})
        with pytest.raises(ValueError, match="it is told what a picture was blurred by: give it a kernel by --kernel"):
            beside(told, None, "it")
        with pytest.raises(ValueError, match="it is told no kernel: leave --kernel out"):
            beside(Signature(inputs=PLAIN, outputs={}), tmp_path / "kernel.csv", "it")
        of_any = Signature(inputs={"kernel": KERNEL.model_copy(update={"shape": (None, None, None)})}, outputs={})
        with pytest.raises(ValueError, match="a model takes kernels of one side"):
            beside(of_any, tmp_path / "kernel.csv", "it")
