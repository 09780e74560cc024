import struct

import numpy as np
import pytest
from sklearn import datasets

from pipeline.commands import fetch

COUNTS = {"train": 60, "t10k": 30}


@pytest.fixture
def few_digits(tmp_path, monkeypatch):
    """A few real digits, of 8 pixels in the middle of 28, in files such as MNIST's, in the place of MNIST."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    found = datasets.load_digits()
    images = np.zeros([90, 28, 28], np.uint8)
    images[:, 10:18, 10:18] = found.images[:90] * (255 / 16)
    start = 0
    for split, count in COUNTS.items():
        part = slice(start, start + count)
        header = struct.pack(">IIII", 0x803, count, 28, 28)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(header + images[part].tobytes())
        labels = found.target[part].astype(np.uint8).tobytes()
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + labels)
        start += count
    monkeypatch.setattr(fetch, "fetch", lambda name: folder)
    return images
