import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components import preflight
from components.example_gen.sources import points, stacked
from components.example_gen.sources.source import TRAINED
from models import mixtures
from models.metrics.modes import nearest_modes
from tests.components.example_gen.ingested import by_bytes, run, together
from tests.components.images import decoded, image_file, noise, write_classes, write_idx

ROOT = Path(__file__).parents[3]


class TestExamples:
    def test_digits_are_lossless(self, tmp_path):
        from sklearn.datasets import load_digits

        report, splits = run("digits", tmp_path, eval_share=0.25, classes=10)
        digits = load_digits()
        wanted = sorted(
            (np.rint(image * 255 / 16).astype(np.uint8).tobytes(), int(label))
            for image, label in zip(digits.images, digits.target, strict=True)
        )
        got = sorted((decoded(one).tobytes(), one["label"]) for one in together(splits))
        assert got == wanted
        assert report.counts == {split: len(examples) for split, examples in splits.items()}
        # four standard deviations of a binomial
        assert abs(len(splits["eval"]) - 1797 / 4) < 4 * np.sqrt(1797 * 0.25 * 0.75)
        assert abs(len(splits["choose"]) - 1797 / 10) < 4 * np.sqrt(1797 * 0.1 * 0.9)

    def test_an_idx_source_keeps_its_own_split(self, tmp_path):
        pixels = noise(0, 30, 4, 6)
        write_idx(tmp_path / "idx", "train", pixels[:20], np.arange(20) % 10)
        write_idx(tmp_path / "idx", "t10k", pixels[20:], np.arange(10), ".gz")
        _, splits = run(f"idx:{tmp_path}/idx", tmp_path / "out", choose_share=0, classes=10)
        for split, part, labels in (("train", pixels[:20], np.arange(20) % 10), ("eval", pixels[20:], np.arange(10))):
            assert [one["label"] for one in splits[split]] == labels.tolist()
            np.testing.assert_array_equal([decoded(one) for one in splits[split]], part)
            assert {(one["target/height"], one["target/width"], one["target/channels"]) for one in splits[split]} == {
                (4, 6, 1)
            }

    def test_a_folder_passes_files_through(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 20, "bee": 20})
        (root / "bee" / "photo.jpg").write_bytes(image_file(noise(77, 9, 8, 3), "JPEG"))
        _, splits = run(f"folder:{root}", tmp_path / "out", eval_share=0.4, classes=2)
        assert all(splits.values())
        files = [
            (file.read_bytes(), label) for label, name in enumerate(("ant", "bee")) for file in (root / name).iterdir()
        ]
        assert by_bytes(together(splits)) == sorted(files)
        assert json.loads((tmp_path / "out" / "ingest.json").read_text())["classes"] == ["ant", "bee"]

    def test_without_labels_there_is_no_label_feature(self, tmp_path):
        root = write_classes(tmp_path / "in", {"flat": 12}) / "flat"
        _, splits = run(f"folder:{root}", tmp_path / "out", eval_share=0.5)
        assert all(
            set(one) == {"target/encoded", "target/height", "target/width", "target/channels"} for one in splits["eval"]
        )

    def test_points_have_their_coordinates_and_their_mode(self, tmp_path, monkeypatch):
        monkeypatch.setattr(points, "COUNTS", {TRAINED: 600, ("eval",): 200})
        monkeypatch.setattr(points, "SHARD_POINTS", 100)
        report, splits = run("mixture:ring", tmp_path, classes=8)
        assert report.counts == {split: len(each) for split, each in splits.items()}
        assert report.counts["train"] + report.counts["choose"] == 600
        # four standard deviations of a binomial
        assert abs(report.counts["choose"] - 60) < 4 * np.sqrt(600 * 0.1 * 0.9)
        assert report.counts["eval"] == 200
        assert all(set(one) == {"target/point", "label"} for one in splits["train"])
        coordinates = np.array([one["target/point"] for one in splits["eval"]])
        nearest, near = nearest_modes(coordinates, mixtures.ring())
        assert nearest.tolist() == [one["label"] for one in splits["eval"]]
        assert near.mean() > 0.95

    def test_stacked_digits_are_colour_images(self, tmp_path, monkeypatch):
        monkeypatch.setattr(stacked, "COUNTS", {"train": 60, "eval": 40, "choose": 20})
        monkeypatch.setattr(stacked, "SHARD_IMAGES", 20)
        # so few lack most of the thousand classes
        monkeypatch.setattr(preflight, "check_classes", lambda *_: None)
        _, splits = run("stacked:digits", tmp_path)
        assert {split: len(examples) for split, examples in splits.items()} == {"train": 60, "eval": 40, "choose": 20}
        assert all(decoded(one).shape == (8, 8, 3) for one in splits["train"])
        assert all(one["target/channels"] == 3 for one in splits["train"])
        assert len({one["label"] for one in splits["train"]}) > 50


class TestTwoDomains:
    def test_each_example_says_which_it_is_of_and_has_the_columns_of_that_alone(self, tmp_path):
        first = write_classes(tmp_path / "first", {"ant": 12, "bee": 12})
        second = write_classes(tmp_path / "second", {"x": 8, "y": 8, "z": 8}, shape=(4, 4))
        both = {"source": f"folder:{first}", "unpaired": f"folder:{second}"}
        report, splits = run(directory=tmp_path / "out", eval_share=0.4, classes=2, **both)
        examples = together(splits)
        assert sum(report.counts.values()) == len(examples) == 48
        for domain, root in enumerate((first, second)):
            files = {file.read_bytes() for file in root.rglob("*.png")}
            role = ("input", "target")[domain]
            mine = [one for one in examples if one["group"] == domain]
            assert {one[f"{role}/encoded"] for one in mine} == files
            image = {f"{role}/{part}" for part in ("encoded", "height", "width", "channels")}
            columns = {"group", *image} | ({"label"} if role == "input" else set())
            assert all(set(one) == columns for one in mine)
        assert all({one["group"] for one in each} == {0, 1} for each in splits.values())
        assert {one["label"] for one in examples if one["group"] == 0} == {0, 1}
        reports = [tmp_path / "out" / name for name in ("ingest.json", "ingest_unpaired.json")]
        classes = [json.loads(file.read_text())["classes"] for file in reports]
        assert classes == [["ant", "bee"], ["x", "y", "z"]]

    def test_a_bad_image_of_the_second_is_one_of_it(self, tmp_path):
        first = write_classes(tmp_path / "first", {"ant": 12})
        second = write_classes(tmp_path / "second", {"x": 9})
        (second / "x" / "bad.png").write_bytes(b"no")
        with pytest.raises(ValueError, match=rf"source folder:{second} has 1 bad of 10 images"):
            run(f"folder:{first}", tmp_path / "out", unpaired=f"folder:{second}", eval_share=0.5)
        assert not list((tmp_path / "out").iterdir())

    def test_depths_may_differ(self, tmp_path):
        first = write_classes(tmp_path / "first", {"ant": 12})
        second = write_classes(tmp_path / "second", {"x": 12}, shape=(6, 6))
        _, splits = run(f"folder:{first}", tmp_path / "out", unpaired=f"folder:{second}", eval_share=0.5)
        assert {(one["group"], one.get("input/channels"), one.get("target/channels")) for one in splits["train"]} == {
            (0, 3, None),
            (1, None, 1),
        }


PEAK = """
import resource, sys
from components.example_gen.ingest import ingest
from models.config import Images
from tests.components.images import make_pipeline

ingest(Images(source=sys.argv[1]), sys.argv[2], make_pipeline)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    peaks, sizes = [], []
    for count in (500, 2500):
        root = tmp_path / str(count)
        for folder in ("train", "eval"):
            (root / folder).mkdir(parents=True)
            for number in range(count // 2):
                buffer = io.BytesIO()
                Image.fromarray(noise(number, 180, 180, 3)).save(buffer, "PNG", compress_level=1)
                (root / folder / f"{number}.png").write_bytes(buffer.getvalue())
        sizes.append(sum(file.stat().st_size for file in root.rglob("*.png")))
        (tmp_path / f"out-{count}").mkdir()
        done = subprocess.run(
            [sys.executable, "-c", PEAK, f"folder:{root}", str(tmp_path / f"out-{count}")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout.split()[-1]))
    assert sizes[1] - sizes[0] > 150e6
    assert peaks[1] - peaks[0] < 50e6
