import numpy as np
import pytest

from tests.components.images import noise, write_classes, write_idx


@pytest.fixture
def idx(tmp_path):
    write_idx(tmp_path / "idx", "train", noise(0, 20, 3, 4), np.arange(20) % 10)
    write_idx(tmp_path / "idx", "t10k", noise(1, 5, 3, 4), np.arange(5))
    return tmp_path / "idx"


@pytest.fixture
def folder(tmp_path):
    return write_classes(tmp_path / "folder", {"cat": 2, "ant": 3})
