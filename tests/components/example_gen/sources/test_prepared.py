import gzip
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from components.example_gen.ingest import ingest
from components.example_gen.sources.prepared import _builder
from components.example_gen.sources.source import SPLITS, fingerprint, open_source
from models.config import Images
from pipeline.commands.fetch import fetch
from tests.components.images import decoded, make_pipeline, noise, read_split

REPOSITORY = Path(__file__).parents[4]


class GanworksSquares(tfds.core.GeneratorBasedBuilder):
    """Noise of two depths: the config says whether there is a validation split, and whether classes."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [  # noqa: RUF012 - TFDS's convention
        tfds.core.BuilderConfig(name="whole"),
        tfds.core.BuilderConfig(name="split"),
        tfds.core.BuilderConfig(name="unlabelled"),
        tfds.core.BuilderConfig(name="contest"),
    ]

    def _info(self):
        features = {"image": tfds.features.Image(shape=(None, None, 3)), "weight": np.float32}
        if self.builder_config.name != "unlabelled":
            features["kind"] = tfds.features.ClassLabel(names=["dark", "light"])
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        splits = {"train": self._generate_examples(0, 40), "test": self._generate_examples(100, 5)}
        if self.builder_config.name in ("split", "contest"):
            splits["validation"] = self._generate_examples(200, 7)
        if self.builder_config.name == "whole":
            del splits["test"]
        return splits

    def _generate_examples(self, start, count):
        for number in range(start, start + count):
            example = {"image": noise(number, 5, 4, 3), "weight": 1.0}
            if self.builder_config.name != "unlabelled":
                # a contest keeps the labels of its test to itself
                secret = self.builder_config.name == "contest" and start == 100
                example["kind"] = -1 if secret else number % 2
            yield number, example


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    folder = tmp_path / "tfds"
    folder.mkdir()
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder))
    yield folder
    _builder.cache_clear()


def prepare(data_dir, config):
    tfds.builder(f"ganworks_squares/{config}", data_dir=data_dir).download_and_prepare()
    return f"tfds:ganworks_squares/{config}"


def run(source, directory, **settings):
    directory.mkdir()
    report = ingest(Images(source=source, **settings), str(directory), make_pipeline)
    return report, {split: read_split(directory, split) for split in SPLITS}


def pixels(examples):
    return sorted((decoded(one).tobytes(), one.get("label")) for one in examples)


@pytest.mark.parametrize(
    ("config", "choose", "held_out"),
    [
        ("split", range(200, 207), range(100, 105)),
        ("contest", (), range(200, 207)),
        ("unlabelled", (), range(100, 105)),
    ],
)
def test_splits_of_its_own(tmp_path, data_dir, config, choose, held_out):
    report, splits = run(prepare(data_dir, config), tmp_path / "out", choose_share=0)
    for split, numbers in (("train", range(40)), ("choose", choose), ("eval", held_out)):
        labels = [None if config == "unlabelled" else n % 2 for n in numbers]
        wanted = [(noise(n, 5, 4, 3).tobytes(), label) for n, label in zip(numbers, labels, strict=True)]
        assert pixels(splits[split]) == sorted(wanted)
    assert report.counts == {"train": 40, "choose": len(choose), "eval": len(held_out)}


def test_choose_is_a_share_of_train_where_there_is_one_other(tmp_path, data_dir):
    report, _ = run(prepare(data_dir, "contest"), tmp_path / "out", choose_share=0.3)
    assert report.counts["train"] + report.counts["choose"] == 40
    assert 2 < report.counts["choose"] < 25
    assert report.counts["eval"] == 7


def test_a_single_split_is_divided_by_hash(tmp_path, data_dir):
    source = prepare(data_dir, "whole")
    _, splits = run(source, tmp_path / "out", eval_share=0.3)
    assert sum(map(len, splits.values())) == 40
    assert splits["choose"]
    assert 2 < len(splits["eval"]) < 25
    assert open_source(source).classes() == ["dark", "light"]


def test_the_code_of_the_builder_is_not_needed(tmp_path, data_dir):
    source = prepare(data_dir, "split")
    # as another process finds it, that has the files alone
    (data_dir / "ganworks_squares").rename(data_dir / "renamed_squares")
    for file in (data_dir / "renamed_squares").rglob("*"):
        if "ganworks_squares" in file.name:
            file.rename(file.with_name(file.name.replace("ganworks_squares", "renamed_squares")))
    info = data_dir / "renamed_squares" / "split" / "1.0.0" / "dataset_info.json"
    info.write_text(info.read_text().replace("ganworks_squares", "renamed_squares"))
    report, _ = run(source.replace("ganworks", "renamed"), tmp_path / "out")
    assert report.counts == {"train": 40, "choose": 7, "eval": 5}


def test_fingerprint_follows_the_prepared_files(data_dir):
    source = prepare(data_dir, "split")
    before = fingerprint(source)
    assert fingerprint(source) == before
    record = next(data_dir.rglob("*train.tfrecord*"))
    record.write_bytes(record.read_bytes() + b"\0")
    assert fingerprint(source) != before


def test_an_unknown_name_is_an_error_of_one_line():
    with pytest.raises(ValueError, match="tfds:no_such_data names no data set") as error:
        open_source("tfds:no_such_data")
    assert "\n" not in str(error.value)


@pytest.mark.data
@pytest.mark.slow
def test_mnist_of_tfds_from_its_download_cache(tmp_path, data_dir, monkeypatch):
    """TFDS prepares its own `mnist`, a tenth of it, from files that lie where it would have downloaded them."""
    from tensorflow_datasets.core.download import checksums, resource
    from tensorflow_datasets.image_classification import mnist

    monkeypatch.setattr(mnist, "_TRAIN_EXAMPLES", 6_000)
    monkeypatch.setattr(mnist, "_TEST_EXAMPLES", 1_000)

    files = fetch("mnist", REPOSITORY / "data" / "mnist")
    for url, info in tfds.builder("mnist", data_dir=data_dir).url_infos.items():
        cached = tfds.core.Path(data_dir / "downloads" / "mnist" / resource.get_dl_fname(url, info.checksum))
        cached.parent.mkdir(parents=True, exist_ok=True)
        name = url.rsplit("/", 1)[-1]
        cached.write_bytes(gzip.compress((files / name.removesuffix(".gz")).read_bytes(), 1))
        resource.write_info_file(
            url=url,
            path=cached,
            dataset_name="mnist",
            original_fname=name,
            url_info=checksums.UrlInfo(size=info.size, checksum=info.checksum, filename=name),
        )
    report, splits = run("tfds:mnist", tmp_path / "out", choose_share=0)
    assert report.counts == {"train": 6_000, "choose": 0, "eval": 1_000}
    held_out = np.frombuffer((files / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.frombuffer((files / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    first = zip(held_out[:1_000], labels[:1_000], strict=True)
    wanted = sorted((image.tobytes(), int(label)) for image, label in first)
    assert pixels(splits["eval"]) == wanted
