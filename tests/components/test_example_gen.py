import io
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tfx.types.standard_artifacts import Examples

from components import preflight
from components.example_gen.component import ImageExampleGen
from components.example_gen.executor import Executor
from components.example_gen.ingest import ingest
from components.example_gen.sources import points, stacked
from components.example_gen.sources.source import SPLITS, TRAINED
from models import mixtures
from models.config import Images, Points, Stacked, Unpaired
from models.metrics.modes import nearest_modes
from tests.components.images import (
    RUNNER,
    decoded,
    image_file,
    make_pipeline,
    noise,
    read_split,
    write_classes,
    write_idx,
)

ROOT = Path(__file__).parents[2]


def run(source, directory, unpaired=None, **settings):
    directory.mkdir(exist_ok=True)
    variant = {"mixture": Points, "stacked": Stacked}.get(source.partition(":")[0], Images)
    data = variant(source=source, **settings)
    if unpaired:
        data = Unpaired(input=data, target=variant(source=unpaired, **settings | {"classes": 0}))
    report = ingest(data, str(directory), make_pipeline)
    return report, {split: read_split(directory, split) for split in SPLITS}


def together(splits):
    return [example for examples in splits.values() for example in examples]


def by_bytes(examples):
    return sorted((one["target/encoded"], one.get("label")) for one in examples)


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


class TestSplit:
    def test_it_follows_the_image_and_not_its_place(self, tmp_path, monkeypatch):
        root = write_classes(tmp_path / "one", {"ant": 30, "bee": 30})
        _, before = run(f"folder:{root}", tmp_path / "a", eval_share=0.3)
        # other names, another order, other shards, and newcomers
        for number, file in enumerate(sorted(root.rglob("*.png"), reverse=True)):
            file.rename(file.with_name(f"renamed-{number}.png"))
        write_classes(root / "bee" / "more", {"x": 25}, shape=(3, 3, 3))
        monkeypatch.setattr("components.example_gen.sources.folder.SHARD_FILES", 7)
        _, after = run(f"folder:{root}", tmp_path / "b", eval_share=0.3)
        for split in SPLITS:
            assert set(by_bytes(before[split])) <= set(by_bytes(after[split]))
        assert sum(map(len, after.values())) == 85

    def test_equal_images_do_not_straddle_it(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 20})
        for file in list((root / "ant").iterdir()):
            (root / "ant" / f"copy-{file.name}").write_bytes(file.read_bytes())
        _, splits = run(f"folder:{root}", tmp_path / "out", eval_share=0.4)
        contents = {split: {one["target/encoded"] for one in examples} for split, examples in splits.items()}
        assert not contents["train"] & contents["eval"]
        assert not contents["choose"] & (contents["train"] | contents["eval"])
        assert all(contents.values())
        assert sum(map(len, splits.values())) == 40

    def test_a_larger_share_only_adds_to_eval(self, tmp_path):
        _, small = run("digits", tmp_path / "a", eval_share=0.1)
        _, large = run("digits", tmp_path / "b", eval_share=0.2)
        # distinct digits alone: a few of the set are equal
        assert {one["target/encoded"] for one in small["eval"]} < {one["target/encoded"] for one in large["eval"]}

    def test_what_is_chosen_by_does_not_change_what_is_held_out(self, tmp_path):
        _, without = run("digits", tmp_path / "a", choose_share=0)
        _, some = run("digits", tmp_path / "b", choose_share=0.1)
        _, more = run("digits", tmp_path / "c", choose_share=0.2)
        assert by_bytes(without["eval"]) == by_bytes(some["eval"]) == by_bytes(more["eval"])
        assert set(by_bytes(some["choose"])) < set(by_bytes(more["choose"]))

    def test_without_a_share_there_is_no_choosing_split(self, tmp_path):
        report, splits = run("digits", tmp_path, choose_share=0)
        assert not report.counts["choose"]
        assert not (tmp_path / "Split-choose").exists()
        assert len(splits["train"]) + len(splits["eval"]) == 1797

    def test_one_image_alone_cannot_be_split(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 1}) / "ant"
        with pytest.raises(ValueError, match=r"needs images to train on and others to hold out; .* has none of 1"):
            run(f"folder:{root}", tmp_path / "out")
        assert not list((tmp_path / "out").iterdir())

    def test_a_choosing_split_is_of_both_domains(self, tmp_path):
        first = write_classes(tmp_path / "first", {"ant": 12})
        second = write_classes(tmp_path / "second", {"x": 2})
        both = {"source": f"folder:{first}", "unpaired": f"folder:{second}"}
        with pytest.raises(ValueError, match=r"choosing split has images of both domains; folder:.*second has none"):
            run(directory=tmp_path / "out", **both)
        _, splits = run(directory=tmp_path / "out", choose_share=0, **both)
        assert not splits["choose"]


class TestClassesOfAFew:
    """A class that a side would lack gets its example of smallest key."""

    def test_two_examples_are_enough(self, tmp_path):
        root = write_classes(tmp_path / "in", dict.fromkeys("abcdefghijkl", 2))
        report, _ = run(f"folder:{root}", tmp_path / "out", classes=12)
        assert report.by_class == {str(label): {"train": 1, "eval": 1} for label in range(12)}

    def test_three_are_one_a_side(self, tmp_path):
        root = write_classes(tmp_path / "in", dict.fromkeys("abcdefghijkl", 3))
        report, _ = run(f"folder:{root}", tmp_path / "out", classes=12, eval_share=0.01)
        assert report.by_class == {str(label): {"train": 1, "choose": 1, "eval": 1} for label in range(12)}

    def test_it_is_the_one_of_smallest_key(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 6})
        contents = sorted((file.read_bytes() for file in root.rglob("*.png")), key=lambda one: sha256(one).digest())
        _, splits = run(f"folder:{root}", tmp_path / "out", eval_share=1e-9, choose_share=1e-9)
        assert [one["target/encoded"] for one in splits["eval"]] == contents[:1]
        assert [one["target/encoded"] for one in splits["choose"]] == contents[1:2]

    def test_of_a_source_with_a_split_the_training_part_keeps_one(self, tmp_path):
        for name in ("train", "test"):
            write_classes(tmp_path / "in" / name, {"ant": 1, "bee": 1, "cat": 4}, shape=(4 + len(name), 5, 3))
        report, _ = run(f"folder:{tmp_path}/in", tmp_path / "out", classes=3, choose_share=0.75)
        assert all(counts["train"] and counts["eval"] for counts in report.by_class.values())
        assert report.by_class["2"]["choose"]
        assert report.by_class["0"] == {"train": 1, "eval": 1}

    def test_copies_move_together(self, tmp_path):
        root = write_classes(tmp_path / "in", {"ant": 2, "bee": 30})
        for file in list((root / "ant").iterdir()):
            for number in range(5):
                (root / "ant" / f"copy-{number}-{file.name}").write_bytes(file.read_bytes())
        report, splits = run(f"folder:{root}", tmp_path / "out", classes=2)
        assert report.by_class["0"] == {"train": 6, "eval": 6}
        contents = {split: {one["target/encoded"] for one in examples} for split, examples in splits.items()}
        assert not contents["train"] & contents["eval"]

    def test_shards_decide_nothing(self, tmp_path, monkeypatch):
        root = write_classes(tmp_path / "in", dict.fromkeys("abcdef", 2))
        _, whole = run(f"folder:{root}", tmp_path / "a", classes=6)
        monkeypatch.setattr("components.example_gen.sources.folder.SHARD_FILES", 1)
        _, cut = run(f"folder:{root}", tmp_path / "b", classes=6)
        assert {split: by_bytes(examples) for split, examples in whole.items()} == {
            split: by_bytes(examples) for split, examples in cut.items()
        }


def no_image(root):
    (root / "ant" / "bad.png").write_bytes(b"GIF? no")
    return "bad.png is no image"


def truncated(root):
    content = image_file(noise(5, 50, 50, 3), "JPEG")
    (root / "ant" / "bad.jpg").write_bytes(content[: len(content) // 2])
    return "bad.jpg does not decode"


def bomb(root):
    (root / "ant" / "bad.png").write_bytes(image_file(np.zeros((200, 100, 3), np.uint8)))
    return "bad.png has 100 x 200 pixels, more than data.pixel_limit of 10000"


def grey_among_colour(root):
    (root / "ant" / "bad.png").write_bytes(image_file(noise(6, 6, 6)))
    return "bad.png has 1 channels where most images have 3"


BAD = [no_image, truncated, bomb, grey_among_colour]
LIMITS = {"pixel_limit": 10_000, "eval_share": 0.5, "mixed_channels": "refuse"}


@pytest.mark.parametrize("spoil", BAD)
class TestBadImages:
    def test_stops_by_default_in_one_line_and_leaves_nothing(self, tmp_path, spoil):
        root = write_classes(tmp_path / "in", {"ant": 10, "bee": 9})
        message = spoil(root)
        with pytest.raises(
            ValueError, match=r"has 1 bad of 20 images, more than data\.bad_image_tolerance of 0"
        ) as error:
            run(f"folder:{root}", tmp_path / "out", **LIMITS)
        assert message in str(error.value)
        assert "\n" not in str(error.value)
        assert not list((tmp_path / "out").iterdir())

    def test_is_skipped_and_named_within_the_tolerance(self, tmp_path, spoil, caplog):
        root = write_classes(tmp_path / "in", {"ant": 10, "bee": 9})
        good = [file.read_bytes() for file in root.rglob("*.png")]
        message = spoil(root)
        report, splits = run(f"folder:{root}", tmp_path / "out", bad_image_tolerance=0.05, **LIMITS)
        assert sorted(one["target/encoded"] for one in together(splits)) == sorted(good)
        assert report.bad == 1
        assert message in str(report.faults[0])
        assert message in caplog.text
        assert "skipped 1 bad of 20 images" in caplog.text


def test_the_tolerance_is_a_bound(tmp_path):
    root = write_classes(tmp_path / "in", {"ant": 18})
    no_image(root)
    truncated(root)
    with pytest.raises(ValueError, match="has 2 bad of 20 images"):
        run(f"folder:{root}", tmp_path / "out", bad_image_tolerance=0.09, eval_share=0.5)
    report, _ = run(f"folder:{root}", tmp_path / "out", bad_image_tolerance=0.1, eval_share=0.5)
    assert (report.bad, sum(report.counts.values())) == (2, 18)


def test_few_colour_images_among_grey_ones_are_the_bad_ones_where_they_are_refused(tmp_path):
    root = write_classes(tmp_path / "in", {"ant": 9}, shape=(6, 6))
    (root / "ant" / "colour.png").write_bytes(image_file(noise(3, 6, 6, 3)))
    with pytest.raises(ValueError, match=r"colour\.png has 3 channels where most images have 1"):
        run(f"folder:{root}", tmp_path / "out", eval_share=0.5, mixed_channels="refuse")


def test_many_faults_are_counted_whole_and_named_in_part(tmp_path):
    root = write_classes(tmp_path / "in", {"ant": 2})
    for number in range(50):
        (root / "ant" / f"bad-{number:02}.png").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"has 50 bad of 52 images.*bad-00.*bad-01.*bad-02.* and 17 more in the log$"):
        run(f"folder:{root}", tmp_path / "out")


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_truncated_idx(tmp_path, ending):
    write_idx(tmp_path / "idx", "train", noise(0, 40, 8, 8), np.arange(40) % 10, ending)
    path = tmp_path / "idx" / f"train-images-idx3-ubyte{ending}"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"bad of 40 images.*train-images.*truncated: the header says 40"):
        run(f"idx:{tmp_path}/idx", tmp_path / "out", eval_share=0.5)
    assert not list((tmp_path / "out").iterdir())
    report, splits = run(f"idx:{tmp_path}/idx", tmp_path / "out", eval_share=0.5, bad_image_tolerance=0.1)
    assert report.bad == 2
    assert sum(map(len, splits.values())) == 38


def test_image_and_label_counts_that_differ(tmp_path):
    write_idx(tmp_path / "idx", "train", noise(0, 40, 8, 8), np.arange(39) % 10)
    with pytest.raises(ValueError, match=r"1 bad of 40 .*holds 40 images and .* 39 labels; each image needs one label"):
        run(f"idx:{tmp_path}/idx", tmp_path / "out", eval_share=0.5)


def test_an_empty_folder(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="needs at least one image"):
        run(f"folder:{tmp_path}/in", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


class TestComponent:
    def test_settings_that_it_does_not_use_are_no_part_of_the_cache_key(self):
        nodes = [ImageExampleGen(data=Images(resolution=size), fingerprint="f", source="s") for size in (16, 28)]
        assert nodes[0].exec_properties == nodes[1].exec_properties
        unpaired = Unpaired(input=Images(), target=Images(source="idx:x"))
        for data in (Images(eval_share=0.3), Images(choose_share=0), unpaired, Images(classes=3)):
            other = ImageExampleGen(data=data, fingerprint="f", source="s")
            assert other.exec_properties != nodes[0].exec_properties

    def test_nor_are_they_of_two_domains(self):
        both = [
            ImageExampleGen(data=Unpaired(input=one, target=one), fingerprint="f", source="s")
            for one in (Images(resolution=16), Images(resolution=28), Images(eval_share=0.3))
        ]
        assert both[0].exec_properties == both[1].exec_properties != both[2].exec_properties

    @pytest.mark.parametrize(
        ("share", "names"), [(0.1, ["train", "choose", "eval"]), (0, ["train", "eval"])], ids=["three", "two"]
    )
    def test_executor_fills_the_artifact(self, tmp_path, share, names):
        data = Images(source="digits", choose_share=share)
        node = ImageExampleGen(data=data, fingerprint="f", source="s")
        examples = Examples()
        examples.uri = str(tmp_path)
        context = Executor.Context(beam_pipeline_args=[f"--runner={RUNNER}"], tmp_dir=str(tmp_path / "tmp"))
        Executor(context).Do({}, {"examples": [examples]}, dict(node.exec_properties))
        assert json.loads(examples.split_names) == names
        assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"
        assert examples.get_string_custom_property("file_format") == "tfrecords_gzip"
        assert sum(len(read_split(tmp_path, name)) for name in names) == 1797


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
