import os
import pickle
import zipfile

import numpy as np
import pytest

from models.extractors.torch_files import read_tensors
from tests.models.extractors import torch_made

ARRAYS = {
    "weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "scalar": np.float32([7]).reshape(()),
}


@pytest.mark.parametrize("write", [torch_made.legacy, torch_made.zipped])
def test_tensors_by_name_whatever_their_strides(write):
    found = read_tensors(write(ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].flags.owndata


class Evil:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


class TestNothingIsRun:
    def test_a_pickle_that_would_run_a_command(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for content in (pickle.dumps(Evil(), 2), torch_made.legacy({}, {"weight": Evil()})):
            with pytest.raises(ValueError, match=r"weights are a state dict that torch\.save wrote: .*"):
                read_tensors(content)
        with pytest.raises(ValueError, match="a table of tensors calls nothing; received posix mkdir"):
            read_tensors(torch_made.legacy({}, {"weight": Evil()}))
        assert not list(tmp_path.iterdir())

    def test_opcodes_that_no_table_needs(self):
        with pytest.raises(ValueError, match="a table of tensors needs no opcode FRAME"):
            read_tensors(pickle.dumps({"a": "b" * 10}, 4))


class TestDamaged:
    WHOLE = torch_made.legacy(ARRAYS)

    @pytest.mark.parametrize("length", [0, 1, 14, 100, len(WHOLE) // 2, len(WHOLE) - 1])
    def test_cut_short(self, length):
        with pytest.raises(ValueError, match=r"^weights are a state dict that torch\.save wrote: .+") as error:
            read_tensors(self.WHOLE[:length])
        assert "\n" not in str(error.value)

    def test_any_byte_changed_is_an_error_or_an_array(self):
        random = np.random.default_rng(0)
        for _ in range(1000):
            content = bytearray(self.WHOLE)
            content[random.integers(len(content))] = random.integers(256)
            try:
                found = read_tensors(bytes(content))
            except ValueError:
                continue
            assert all(isinstance(each, np.ndarray) for each in found.values())

    def test_no_file_of_torch(self):
        for content in (b"", b"PK\x03\x04", b"\x89PNG\r\n", bytes(100)):
            with pytest.raises(ValueError, match="weights are a state dict"):
                read_tensors(content)

    def test_a_view_beyond_its_storage(self):
        array = np.zeros(4, np.float32)
        for strides, offset in (((2,), 0), ((1,), 1), ((10**9,), 0)):
            described = {"weight": torch_made.Rebuilt("0", array, strides, offset)}
            with pytest.raises(ValueError, match="weight reaches beyond its storage of 4 numbers"):
                read_tensors(torch_made.legacy({"weight": array}, described))

    def test_a_negative_stride(self):
        array = np.zeros(4, np.float32)
        described = {"weight": torch_made.Rebuilt("0", array, (-1,), 3)}
        with pytest.raises(
            ValueError, match=r"weight has an offset and as many strides as sides; received \[3, 4, -1\]"
        ):
            read_tensors(torch_made.legacy({"weight": array}, described))

    def test_another_byte_order(self):
        with pytest.raises(ValueError, match="little-endian"):
            read_tensors(torch_made.legacy(ARRAYS, little=False))

    def test_a_compressed_member(self):
        with pytest.raises(ValueError, match=r"members of the ZIP are stored; model/data\.pkl is compressed"):
            read_tensors(torch_made.zipped(ARRAYS, zipfile.ZIP_DEFLATED))
