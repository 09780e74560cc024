"""Bulk samples: the same ones in whatever parts and sittings, and nothing half written."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog
from tfx import types
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils
from tfx_bsl.public.beam import RunInference
from tfx_bsl.public.proto import model_spec_pb2
from typer.testing import CliRunner

from components.beam import local_pipeline
from components.example_gen.sources.folder import Folder
from components.sample_generator.component import SampleGenerator
from components.sample_generator.drawing import generate, missing
from components.sample_generator.executor import Executor
from components.sample_generator.order import MANIFEST, Order
from models.config import Adversarial, DCGANDiscriminator, DCGANGenerator, Points, PointsDiscriminator, PointsGenerator
from models.config.variants import made_by
from models.export import saving
from pipeline.cli import app
from tests.harness import experiment


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("model"), scheme=by_class())


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("points"), data=Points(source="mixture:ring"), scheme=PLANE)


PLANE = Adversarial(generator=PointsGenerator(), discriminator=PointsDiscriminator())


def by_class(**generator):
    """Of images of a class."""
    return Adversarial(
        generator=DCGANGenerator(condition="embedding", **generator),
        discriminator=DCGANDiscriminator(condition="projection"),
    )


def saved(folder, **parts):
    config = experiment(**parts)
    saving.save(made_by("scheme", config.scheme)(config), folder / "Format-Serving")
    return str(folder / "Format-Serving")


def read(folder: Path) -> dict[int, tuple]:
    """Seed -> label and sample, of the TFRecords in a folder."""
    found = {}
    for record in tf.data.TFRecordDataset(sorted(map(str, folder.glob("*.gz"))), "GZIP").as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        content = feature["target/encoded"].bytes_list.value or feature["target/point"].float_list.value
        (seed,) = feature["seed"].int64_list.value
        found[seed] = (*feature["label"].int64_list.value, *content)
    return found


def draw(folder: Path, model: str, **order) -> Path:
    generate(Order.parse(**order), model, str(folder), local_pipeline())
    return folder


class TestSamples:
    def test_a_sample_is_what_a_server_answers_for_its_seed_and_label(self, model, tmp_path):
        samples = read(draw(tmp_path / "out", model, count=13, seed=-4))
        assert list(samples) == list(range(-4, 9))
        labels = [seed % experiment().data.classes for seed in samples]
        assert [label for label, _ in samples.values()] == labels
        answer = tf.saved_model.load(model).signatures["sample"](
            seed=tf.constant(list(samples), tf.int64), label=tf.constant(labels, tf.int64)
        )
        assert [png for _, png in samples.values()] == answer["image_bytes"].numpy().tolist()

    def test_parts_of_a_range_make_the_whole(self, model, tmp_path):
        whole = read(draw(tmp_path / "whole", model, count=30, seed=5, shard_size=7, labels=[2, 0, 1]))
        parts = [
            read(draw(tmp_path / str(first), model, count=15, seed=first, shard_size=4, labels=[2, 0, 1]))
            for first in (5, 20)
        ]
        assert whole == parts[0] | parts[1]
        assert len(whole) == 30

    def test_truncation_is_the_signatures(self, model, tmp_path):
        samples = read(draw(tmp_path / "out", model, count=2, truncation=0.5, labels=[1]))
        answer = tf.saved_model.load(model).signatures["sample_truncated"](
            seed=tf.constant([0, 1], tf.int64), label=tf.constant([1, 1], tf.int64), truncation=tf.fill([2], 0.5)
        )
        assert [png for _, png in samples.values()] == answer["image_bytes"].numpy().tolist()

    def test_points_are_floats(self, points, tmp_path):
        samples = read(draw(tmp_path / "out", points, count=3))
        answer = tf.saved_model.load(points).signatures["sample"](seed=tf.constant([0, 1, 2], tf.int64))
        np.testing.assert_allclose(list(samples.values()), answer["point"], rtol=1e-5)

    def test_pictures_lie_in_a_folder_a_class_as_a_source_reads_them(self, model, tmp_path):
        folder = draw(tmp_path / "out", model, count=8, shard_size=3, format="png", labels=[0, 2])
        assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png")) == [
            *(f"0/{seed}.png" for seed in (0, 2, 4, 6)),
            *(f"2/{seed}.png" for seed in (1, 3, 5, 7)),
        ]
        assert Folder(str(folder)).classes() == ["0", "2"]
        records = read(draw(tmp_path / "records", model, count=8, labels=[0, 2]))
        assert (folder / "2" / "5.png").read_bytes() == records[5][1]

    def test_folders_have_the_names_of_the_classes(self, tmp_path, capfd):
        """If this fails, `ganworks evaluate` does not know the classes of what `ganworks generate` drew."""
        config = experiment(scheme=by_class())
        model = tmp_path / "model" / "1"
        saving.save(made_by("scheme", config.scheme)(config), model, classes=["ant", "../bee", "cat"])
        # a name that makes no folder leaves the number
        options = ["--n", "6", "--format", "png", "--label", "cat", "--label", "../bee"]
        done = CliRunner().invoke(app, ["generate", str(model.parent), "--out", str(tmp_path / "out"), *options])
        assert done.exit_code == 0, done.output
        names = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
        assert names == [*(f"1/{seed}.png" for seed in (1, 3, 5)), *(f"cat/{seed}.png" for seed in (0, 2, 4))]
        capfd.readouterr()
        CliRunner().invoke(app, ["show-model", str(model.parent)])
        assert "classes  0 is ant, 1 is ../bee, 2 is cat" in capfd.readouterr().out

    def test_the_model_reads_examples_as_run_inference_sends_them(self, model, tmp_path):
        """TFX's BulkInferrer is this transform."""
        examples = [tf.train.Example() for _ in range(3)]
        for seed, example in enumerate(examples):
            example.features.feature["seed"].int64_list.value.append(seed)
            example.features.feature["label"].int64_list.value.append(1)
        spec = model_spec_pb2.SavedModelSpec(model_path=model, signature_name=["sample_from_examples"])
        with local_pipeline() as pipeline:
            _ = (
                pipeline
                | beam.Create(examples)
                | RunInference(model_spec_pb2.InferenceSpecType(saved_model_spec=spec))
                | beam.io.WriteToTFRecord(str(tmp_path / "logs"), beam.coders.ProtoCoder(PredictionLog))
            )
        records = tf.data.TFRecordDataset(tf.io.gfile.glob(str(tmp_path / "logs*"))).as_numpy_iterator()
        outputs = [PredictionLog.FromString(record).predict_log.response.outputs["image_bytes"] for record in records]
        right = tf.saved_model.load(model).signatures["sample"](
            seed=tf.range(3, dtype=tf.int64), label=tf.ones([3], tf.int64)
        )
        assert sorted(png for output in outputs for png in output.string_val) == sorted(right["image_bytes"].numpy())


class TestGoingOn:
    def test_only_what_is_missing_is_drawn(self, model, tmp_path):
        folder = draw(tmp_path / "out", model, count=9, shard_size=3)
        assert {path.suffix for path in folder.iterdir()} == {".gz", ".json"}
        before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*.gz")}
        lost = sorted(folder.glob("*.gz"))[1]
        lost.unlink()
        draw(folder, model, count=9, shard_size=3)
        after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*.gz")}
        assert {name: content for name, (content, _) in after.items()} == {
            name: content for name, (content, _) in before.items()
        }
        assert {name for name in after if after[name][1] != before[name][1]} == {lost.name}

    def test_a_picture_of_a_shard_that_was_stopped_does_not_count(self, model, tmp_path):
        folder = draw(tmp_path / "out", model, count=4, shard_size=2, format="png", labels=[0])
        last = folder / "0" / "3.png"
        content = last.read_bytes()
        last.unlink()
        order = Order.parse(count=4, shard_size=2, format="png", labels=[0])
        assert [shard.number for shard in missing(order, str(folder))] == [1]
        draw(folder, model, count=4, shard_size=2, format="png", labels=[0])
        assert last.read_bytes() == content

    @pytest.mark.slow
    def test_killed_at_work_it_goes_on_and_ends_the_same(self, model, tmp_path):
        folder, count = tmp_path / "out", 8_000
        command = [sys.executable, "-c", "from pipeline.cli import main; main()", "generate", model]
        options = ["--out", str(folder), "--n", str(count), "--shard-size", "100"]
        process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            while len(list(folder.glob("*.gz"))) < 3:
                assert process.poll() is None, "it ended before it could be killed"
                time.sleep(0.01)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        left = {path: path.stat().st_mtime_ns for path in folder.glob("*.gz")}
        assert 3 <= len(left) < 80
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
        assert {path: path.stat().st_mtime_ns for path in left} == left
        assert read(folder) == read(draw(tmp_path / "whole", model, count=count))


class TestRefusals:
    @pytest.mark.parametrize(
        ("order", "words"),
        [
            ({"count": 0}, "count: input should be greater than 0; received 0"),
            ({"count": 1, "shard_size": 0}, "shard_size: input should be greater than 0"),
            ({"count": 1, "truncation": 0}, "truncation: input should be greater than 0"),
            ({"count": 1, "truncation": float("inf")}, "truncation: input should be a finite number"),
            ({"count": 1, "format": "jpeg"}, "format: input should be 'tfrecord' or 'png'; received 'jpeg'"),
            ({"count": 2, "seed": 2**63 - 1}, "seeds end before 2\\*\\*63"),
            ({"count": 1, "seed": 2**63}, "seed: input should be less than"),
            ({"count": 1, "labels": [3]}, "a label of .* is 0 to 2; received 3"),
            ({"count": 1, "labels": [-1]}, "a label of .* is 0 to 2; received -1"),
        ],
    )
    def test_an_order_that_does_not_fit(self, model, tmp_path, order, words):
        with pytest.raises(ValueError, match=words):
            draw(tmp_path / "out", model, **order)
        assert not (tmp_path / "out").exists()

    def test_labels_of_a_model_without(self, points, tmp_path):
        with pytest.raises(ValueError, match="has no labels; received 1"):
            draw(tmp_path / "out", points, count=1, labels=[1])

    def test_pictures_of_points(self, points, tmp_path):
        with pytest.raises(ValueError, match=r"format png is for pictures; .* gives point"):
            draw(tmp_path / "out", points, count=1, format="png")

    def test_what_is_no_model(self, tmp_path):
        with pytest.raises(ValueError, match=r"a model is a folder with saved_model\.pb"):
            draw(tmp_path / "out", str(tmp_path), count=1)

    def test_a_model_without_its_variables(self, model, tmp_path):
        shutil.copytree(model, tmp_path / "model")
        shutil.rmtree(tmp_path / "model" / "variables")
        with pytest.raises(ValueError, match="model does not load: "):
            draw(tmp_path / "out", str(tmp_path / "model"), count=1)

    def test_a_model_that_does_not_sample(self, tmp_path):
        class Doubling(tf.Module):
            @tf.function(input_signature=[tf.TensorSpec([None])])
            def double(self, x):
                return 2 * x

        module = Doubling()
        tf.saved_model.save(module, str(tmp_path / "other"), {"serving_default": module.double})
        with pytest.raises(ValueError, match=r"by a signature that takes a seed; .* has serving_default"):
            draw(tmp_path / "out", str(tmp_path / "other"), count=1)

    def test_another_order_in_the_same_folder(self, model, tmp_path):
        folder = draw(tmp_path / "out", model, count=4)
        before = {path: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(ValueError, match=r"another order \(count, seed differs\): name another folder"):
            draw(folder, model, count=5, seed=1)
        assert {path: path.read_bytes() for path in folder.iterdir()} == before

    def test_another_model_in_the_same_folder(self, model, tmp_path):
        folder = draw(tmp_path / "out", model, count=4)
        other = saved(tmp_path / "other", scheme=by_class(width=5))
        with pytest.raises(ValueError, match=r"another order \(model_sha256 differs\)"):
            draw(folder, other, count=4)

    def test_a_folder_of_somebody_else(self, model, tmp_path):
        (tmp_path / "thesis.tex").write_text("my life's work")
        with pytest.raises(ValueError, match=r"holds thesis\.tex"):
            draw(tmp_path, model, count=1)
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


class TestComponent:
    def test_examples_that_tfx_reads(self, model, tmp_path):
        samples = run(Executor(), model, tmp_path, count=5)
        assert artifact_utils.decode_split_names(samples.split_names) == ["samples"]
        pattern = io_utils.all_files_pattern(artifact_utils.get_split_uri([samples], "samples"))
        records = tf.data.TFRecordDataset(tf.io.gfile.glob(pattern), "GZIP")
        assert len(list(records)) == 5
        assert json.loads(Path(samples.uri, MANIFEST).read_text())["count"] == 5

    def test_a_model_that_is_not_blessed_is_refused(self, model, tmp_path):
        with pytest.raises(ValueError, match="samples are drawn of a blessed model"):
            run(Executor(), model, tmp_path, blessed=0, count=5)
        assert not (tmp_path / "samples").exists()

    def test_it_can_be_put_into_a_pipeline(self):
        order = Order.parse(count=3).model_dump_json()
        channel = types.Channel(type=standard_artifacts.Model)
        component = SampleGenerator(model=channel, order=order, source="")
        assert component.outputs["samples"].type is standard_artifacts.Examples
        assert "model_blessing" not in component.inputs


def run(executor, model, folder, blessed=1, **order):
    """The artifact of an execution."""
    artifact = standard_artifacts.Model()
    artifact.uri = str(Path(model).parent)
    blessing = standard_artifacts.ModelBlessing()
    blessing.uri = str(folder / "blessing")
    blessing.set_int_custom_property("blessed", blessed)
    samples = standard_artifacts.Examples()
    samples.uri = str(folder / "samples")
    executor.Do(
        {"model": [artifact], "model_blessing": [blessing]},
        {"samples": [samples]},
        {"order": Order.parse(**order).model_dump_json(), "source": ""},
    )
    return samples


def test_the_command_draws_says_where_and_goes_on(model, tmp_path):
    options = ["generate", model, "--out", str(tmp_path / "out"), "--n", "6", "--label", "1", "--format", "png"]
    for _ in range(2):
        result = CliRunner().invoke(app, options, catch_exceptions=False)
        assert result.exit_code == 0
        assert len(list((tmp_path / "out" / "1").glob("*.png"))) == 6


def test_what_goes_wrong_while_drawing_is_one_line(model, tmp_path, monkeypatch):
    def fail(drawn, order, folder, parts):
        raise OSError("no space left on device")

    monkeypatch.setattr("components.sample_generator.drawing.write", fail)
    result = CliRunner().invoke(app, ["generate", model, "--out", str(tmp_path / "out"), "--n", "2"])
    assert isinstance(result.exception, ValueError)
    assert str(result.exception).startswith("not all was made: ")
    assert "no space left on device" in str(result.exception)
    assert "\n" not in str(result.exception)


def test_the_command_is_for_this_machine(model):
    result = CliRunner().invoke(app, ["generate", model, "--out", "gs://bucket/samples"])
    assert "folders of this machine" in str(result.exception)
