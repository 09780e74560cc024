"""Image files and folders for the tests of ingestion."""

import gzip
import io
import struct
from pathlib import Path

import apache_beam as beam
import numpy as np
import tensorflow as tf
from PIL import Image

RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"


def make_pipeline() -> beam.Pipeline:
    return beam.Pipeline(argv=[f"--runner={RUNNER}"])


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def image_file(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def write_classes(root: Path, counts: dict[str, int], shape: tuple[int, ...] = (6, 5, 3)) -> Path:
    """root/CLASS/N.png of noise, a picture of its own each."""
    for number, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for i in range(count):
            (root / name / f"{i}.png").write_bytes(image_file(noise(1000 * number + i, *shape)))
    return root


def write_idx(root: Path, prefix: str, pixels: np.ndarray, labels: np.ndarray | None, ending: str = "") -> None:
    opened = gzip.open if ending else open
    root.mkdir(exist_ok=True)
    with opened(root / f"{prefix}-images-idx3-ubyte{ending}", "wb") as file:
        file.write(struct.pack(">4I", 0x803, *pixels.shape) + pixels.tobytes())
    if labels is not None:
        with opened(root / f"{prefix}-labels-idx1-ubyte{ending}", "wb") as file:
            file.write(struct.pack(">2I", 0x801, len(labels)) + labels.astype(np.uint8).tobytes())


def read_split(directory: Path, split: str) -> list[dict]:
    """The examples of a split as plain values."""
    files = sorted(str(file) for file in (directory / f"Split-{split}").glob("*.gz"))
    examples = []
    for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        examples.append(
            {
                name: tuple(value.float_list.value) or (value.bytes_list.value or value.int64_list.value)[0]
                for name, value in features.items()
            }
        )
    return examples


def decoded(example: dict) -> np.ndarray:
    return decode(example["target/encoded"])


def decode(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))
