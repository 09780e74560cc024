import json
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_data_validation.utils import slicing_util
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx.types import standard_artifacts
from tfx.types.channel import Channel
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder
from tfx_bsl.public.tfxio import TFExampleRecord

from components.beam import local_pipeline
from components.example_gen.aligned import Row
from components.example_gen.images import Picture
from components.example_gen.ingest import REPORT_FILES, Report, to_example
from components.example_gen.sources.source import Point
from components.example_gen.statistics import stats_options
from components.example_validator.component import StrictExampleValidator
from components.example_validator.executor import Executor
from components.example_validator.rules import declared_schema, groups_fit
from models.config import Images, Points, Separated, Unpaired, groups_of
from pipeline.experiments.named import TINY

KEEP = object()
"""A change that is none."""


def examples(count=30, labels=10, **changes):
    """Sound images, changed."""
    return changed([Picture(b"png", 28, 28, 1, b"", n % labels if labels else None) for n in range(count)], **changes)


def changed(items, *, groups=((),), **changes):
    """Examples with features changed: a list of values, a function of the example's number, None: absent, or KEEP.

    The rows are of these groups of columns in turn, and a feature is changed in those that have it.
    """
    made = []
    for number, item in enumerate(items):
        group = number % len(groups)
        example = to_example(item, groups[group], group if len(groups) > 1 else None)
        for name, change in changes.items():
            key = name.replace("_", "/")
            value = change(number) if callable(change) else change
            if value is KEEP:
                continue
            example.features.feature[key].Clear()
            if value is None:
                del example.features.feature[key]
            elif isinstance(value[0], bytes):
                example.features.feature[key].bytes_list.value.extend(value)
            elif isinstance(value[0], float):
                example.features.feature[key].float_list.value.extend(value)
            else:
                example.features.feature[key].int64_list.value.extend(value)
        made.append(example)
    return made


def in_memory(batch, data):
    """The statistics of StatisticsGen, of all rows and of the slices that are asked for, without its Beam pipeline."""
    options = stats_options(data)
    found = generate_statistics_in_memory(batch, options)
    if options.slicing_config:
        found.datasets[0].name = "All Examples"
        slicers, _ = slicing_util.convert_slicing_config_to_slice_functions_and_sqls(options.slicing_config)
        for name, rows in (each for slicer in slicers for each in slicer(batch)):
            of_slice = generate_statistics_in_memory(rows, options).datasets[0]
            of_slice.name = name
            found.datasets.append(of_slice)
    return found


@pytest.fixture
def validate(tmp_path):
    """Runs the executor on the statistics of the given examples: those of StatisticsGen, without its Beam pipeline."""

    def run(train, held_out=None, *, classes=10, curated=None, batch_size=0, thresholds=None, data=None):
        statistics = standard_artifacts.ExampleStatistics()
        statistics.uri = str(tmp_path / "statistics")
        statistics.split_names = '["train", "eval"]'
        protos = {}
        data = data or Images(classes=classes)
        for split, those in (("train", train), ("eval", examples() if held_out is None else held_out)):
            batch = ExamplesToRecordBatchDecoder().DecodeBatch([example.SerializeToString() for example in those])
            protos[split] = in_memory(batch, data)
            folder = tmp_path / "statistics" / f"Split-{split}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "FeatureStats.pb").write_bytes(protos[split].SerializeToString())
        schema = standard_artifacts.Schema()
        schema.uri = str(tmp_path / "schema")
        inferred = tfdv.infer_schema(protos["train"], infer_feature_shape=True)
        Path(schema.uri).mkdir(exist_ok=True)
        (tmp_path / "schema" / "schema.pbtxt").write_text(curated or text_format.MessageToString(inferred))
        anomalies = standard_artifacts.ExampleAnomalies()
        anomalies.uri = str(tmp_path / "anomalies")
        ingested = standard_artifacts.Examples()
        ingested.uri = str(tmp_path)
        counts = {"train": len(train), "eval": len(examples() if held_out is None else held_out)}
        report = Report(counts, 0, [], {str(label): {"train": 1, "eval": 1} for label in range(data.classes)})
        for name in REPORT_FILES[: len(data.sources)]:
            (tmp_path / name).write_text(report.to_json([]))
        inputs = {"examples": [ingested], "statistics": [statistics], "schema": [schema]}
        properties = {"data": json.dumps(data.essential()), "evaluation": "{}", "batch_size": batch_size}
        properties |= {"exclude_splits": "[]", "thresholds": thresholds, "task": "generate"}
        Executor().Do(inputs, {"anomalies": [anomalies]}, properties)
        return anomalies

    return run


def test_sound_examples_pass(validate):
    anomalies = validate(examples())
    assert anomalies.get_json_value_custom_property("blessed") == {"train": 1, "eval": 1}


def test_sound_examples_without_labels_pass(validate):
    validate(examples(labels=0), examples(labels=0), classes=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": None}, r"split train, label: Column dropped: Column is completely missing"),
        (
            {"label": lambda n: None if n == 3 else [1]},
            r"split train, label: .*present in fewer examples than expected.*actual = 0\.96",
        ),
        ({"label": [b"seven"]}, "split train, label: .*[Ee]xpected data of type: INT but got STRING"),
        ({"label": [7.0]}, "split train, label: .*[Ee]xpected data of type: INT but got FLOAT"),
        ({"label": lambda n: [n % 11]}, r"split train, label: Out-of-range values: .*10"),
        ({"label": lambda n: [n % 10 - 1]}, r"split train, label: Out-of-range values: .*-1"),
        ({"label": [1, 2]}, "split train, label: .*shape"),
        ({"target_encoded": None}, "split train, target/encoded: Column dropped"),
        ({"target_encoded": [3]}, "split train, target/encoded: .*BYTES but got INT"),
        ({"target_channels": [4]}, "split train, target/channels: Out-of-range values"),
        ({"target_height": [0]}, "split train, target/height: Out-of-range values"),
        ({"target_width": None}, "split train, target/width: Column dropped"),
    ],
)
def test_anomalies_that_an_inferred_schema_would_take_for_right(validate, changes, message, caplog):
    with pytest.raises(ValueError, match=f"the examples must match their schema; .*{message}") as error:
        validate(examples(**changes))
    assert "\n" not in str(error.value)
    assert "anomaly: split train" in caplog.text


def points(**changes):
    """Sound points of the ring, with features changed as in `examples`."""
    return changed([Point((0.5, float(number)), b"", number % 8) for number in range(30)], **changes)


class TestPoints:
    DATA = Points(source="mixture:ring", classes=8)

    def test_sound_ones_pass(self, validate):
        validate(points(), points(), data=self.DATA)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"target_point": None}, "target/point: Column dropped"),
            ({"target_point": [1.0]}, "target/point: .*shape"),
            ({"target_point": [1, 2]}, "target/point: .*data of type: FLOAT but got INT"),
            ({"label": [8]}, "label: Out-of-range values"),
        ],
    )
    def test_anomalies(self, validate, changes, message):
        with pytest.raises(ValueError, match=f"split train, {message}"):
            validate(points(**changes), points(), data=self.DATA)


class TestTwoGroups:
    DATA = Unpaired(input=Images(classes=10), target=Images(source="idx:x"))

    def sound(self, data=DATA, count=40, **changes):
        """Rows of the input and of the target in turn."""
        pictures = [Picture(b"png", 28, 28, 1, b"", number % 10) for number in range(count)]
        return changed(pictures, groups=groups_of(data.columns), **changes)

    def test_sound_ones_pass(self, validate):
        made = self.sound()
        assert ["label" in one.features.feature for one in made[:2]] == [True, False]
        validate(made, self.sound(), data=self.DATA)

    def test_groups_of_different_sizes_pass(self, validate):
        few = self.sound()[::2] + self.sound()[1:9:2]
        validate(few, few, data=self.DATA)

    def test_without_labels_neither_has_one(self, validate):
        data = Unpaired(input=Images(), target=self.DATA.target)
        made = self.sound(data)
        assert not any("label" in one.features.feature for one in made)
        validate(made, made, data=data)

    def separated(self, *groups, count=40, **changes):
        """Rows of these groups of separated pairs in turn: an input, a target, or both."""
        data = Separated(source="folder:x")
        pictures = {role: Picture(b"png", 28, 28, 3, b"") for role in ("input", "target")}
        made = [
            to_example(Row(pictures, b""), groups_of(data.all_columns)[group], group)
            for group in [groups[number % len(groups)] for number in range(count)]
        ]
        for number, example in enumerate(made):
            for name, change in changes.items():
                if change(number):
                    del example.features.feature[name.replace("_", "/")]
        return data, made

    def test_the_groups_of_one_split_do_not_bound_those_of_another(self):
        """If this fails, training rows are refused by a schema that was inferred from held-out pairs."""
        text = 'feature { name: "group" type: INT int_domain { min: 2 max: 2 } }'
        merged = declared_schema(text_format.Parse(text, schema_pb2.Schema()), Separated(source="folder:x"))
        (group,) = (each for each in merged.feature if each.name == "group")
        assert (group.int_domain.min, group.int_domain.max) == (0, 2)

    def test_separated_pairs_pass(self, validate):
        (data, trained), (_, held_out) = self.separated(0, 1), self.separated(2)
        validate(trained, held_out, data=data)
        validate(held_out, trained, data=data)

    def test_a_held_out_pair_without_its_target(self, validate):
        data, held_out = self.separated(2, target_encoded=lambda number: number == 4)
        with pytest.raises(ValueError, match="target/encoded: each row of group 2 has it; of 40 such rows 39 have it"):
            validate(held_out, self.separated(0, 1)[1], data=data)

    def test_points_pass(self, validate):
        data = Unpaired(input=Points(source="mixture:ring", classes=8), target=Points(source="mixture:grid"))
        items = [Point((0.5, float(number)), b"", number % 8) for number in range(30)]
        made = changed(items, groups=groups_of(data.columns))
        validate(made, made, data=data)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"group": None}, "group: Column dropped"),
            ({"group": [2]}, "group: Out-of-range values"),
            (
                {"label": lambda n: None if n == 4 else KEEP if n % 2 else [1]},
                "label: each row of group 0 has it; of 20 such rows 19 have it$",
            ),
            (
                {"label": lambda n: {4: None, 5: [3]}.get(n, KEEP)},
                "label: each row of group 0 has it; of 20 such rows 19 .* label: no row of group 1 .* 20 such rows 1 ",
            ),
            (
                {"input_encoded": lambda n: None if n == 4 else KEEP},
                "input/encoded: each row of group 0 has it; of 20 such rows 19 have it$",
            ),
            (
                {"target_width": lambda n: None if n == 3 else KEEP},
                "target/width: each row of group 1 has it; of 20 such rows 19 have it$",
            ),
            (
                {"target_encoded": lambda n: [b"png"] if n == 4 else KEEP},
                "target/encoded: no row of group 0 has it; of 20 such rows 1 have it$",
            ),
            (
                {f"target_{part}": lambda n: None for part in ("encoded", "height", "width", "channels")},
                "target/channels: Column dropped",
            ),
            (
                {f"target_{part}": lambda n: None for part in ("encoded", "height", "width", "channels")},
                "target/encoded: each row of group 1 has it; of 20 such rows 0 have it",
            ),
            ({"input_channels": lambda n: KEEP if n % 2 else [4]}, "input/channels: Out-of-range values"),
            ({"label": lambda n: KEEP if n % 2 else [10]}, "label: Out-of-range values"),
            ({"label": lambda n: KEEP if n % 2 else [1, 2]}, "label: .*values"),
        ],
        ids=[
            "no group",
            "a group that there is not",
            "a row lacks its label",
            "a row lacks its label and one of the other group has it",
            "a row lacks its first column",
            "a row lacks another column",
            "a row of both",
            "rows of none: the columns",
            "rows of none: the rows",
            "depth",
            "label",
            "two labels",
        ],
    )
    def test_anomalies(self, validate, changes, message):
        with pytest.raises(ValueError, match=f"split train, {message}"):
            validate(self.sound(**changes), self.sound(), data=self.DATA)

    @pytest.mark.parametrize(("group", "absent"), [(0, "target/encoded"), (1, "input/encoded")])
    def test_a_group_that_is_absent(self, validate, group, absent):
        """If this fails, a translator is taught with one domain."""
        with pytest.raises(ValueError, match=f"split train, {absent}: Column dropped"):
            validate(self.sound()[group::2], self.sound(), data=self.DATA)

    def test_of_one_group_there_is_nothing_to_count(self):
        one = statistics_pb2.DatasetFeatureStatisticsList(datasets=[{"num_examples": 3}])
        assert groups_fit(one, Images(classes=10)) == []

    def test_the_statistics_of_a_run_are_told_by_group(self, tmp_path):
        """If this fails, nothing is counted by group, and a row that lacks a column passes."""
        made = self.sound(label=lambda n: None if n == 4 else KEEP if n % 2 else [1])
        file = str(tmp_path / "examples.tfrecord")
        with tf.io.TFRecordWriter(file) as writer:
            for each in made:
                writer.write(each.SerializeToString())
        # StatisticsGen hands its options on as JSON
        options = tfdv.StatsOptions.from_json(stats_options(self.DATA).to_json())
        with local_pipeline() as pipeline:
            _ = (
                pipeline
                | TFExampleRecord(file, telemetry_descriptors=["test"]).BeamSource()
                | tfdv.GenerateStatistics(options)
                | tfdv.WriteStatisticsToBinaryFile(str(tmp_path / "statistics.pb"))
            )
        found = tfdv.load_stats_binary(str(tmp_path / "statistics.pb"))
        assert groups_fit(found, self.DATA) == ["label: each row of group 0 has it; of 20 such rows 19 have it"]
        assert tfdv.infer_schema(found).feature


def test_anomalies_of_eval_alone(validate):
    with pytest.raises(ValueError, match=r"split eval, label: Out-of-range values: .*12") as error:
        validate(examples(), examples(label=[12]))
    assert "split train" not in str(error.value)


@pytest.mark.parametrize(("train", "held_out", "split"), [(30, 0, "eval"), (0, 30, "train")])
def test_a_split_without_examples(validate, train, held_out, split):
    with pytest.raises(ValueError, match=f"split {split}, all examples: there are none$"):
        validate(examples(train), examples(held_out))


CURATED = """
feature { name: "target/height" type: INT int_domain { min: 28 max: 28 } }
feature { name: "target/width" type: INT int_domain { min: 28 max: 28 } }
feature { name: "target/channels" type: INT int_domain { min: 1 max: 1 } }
feature { name: "target/encoded" type: BYTES }
feature { name: "label" type: INT }
dataset_constraints { min_examples_count: 20 }
"""


class TestCuratedSchema:
    def test_what_it_describes_passes(self, validate):
        validate(examples(), curated=CURATED)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"target_height": [32]}, "target/height: Out-of-range values"),
            ({"target_width": lambda n: [28 + n % 2]}, "target/width: Out-of-range values"),
            ({"target_channels": [3]}, "target/channels: Out-of-range values"),
            ({"label": lambda n: [n % 20]}, "label: Out-of-range values"),
            ({"extra": [1]}, "extra: New column"),
        ],
    )
    def test_what_differs_from_it_stops(self, validate, changes, message):
        with pytest.raises(ValueError, match=f"split train, {message}"):
            validate(examples(**changes), curated=CURATED)

    def test_too_few_examples(self, validate):
        with pytest.raises(ValueError, match=r"split eval, all examples: .* 19 examples, which is fewer"):
            validate(examples(), examples(19), curated=CURATED)

    def test_the_schema_itself_is_left_as_it_is(self):
        schema = text_format.Parse(CURATED, schema_pb2.Schema())
        before = schema.SerializeToString()
        merged = declared_schema(schema, Images(classes=3))
        assert schema.SerializeToString() == before
        assert merged.dataset_constraints.min_examples_count == 20
        assert declared_schema(merged, Images(classes=3)) == merged


def test_settings_that_it_does_not_use_are_no_part_of_the_cache_key():
    channels = {
        name: Channel(type=kind)
        for name, kind in (
            ("examples", standard_artifacts.Examples),
            ("statistics", standard_artifacts.ExampleStatistics),
            ("schema", standard_artifacts.Schema),
        )
    }
    nodes = [
        StrictExampleValidator(**channels, experiment=TINY.override(settings), source="code")
        for settings in (
            [],
            ["data.pixel_limit=99"],
            ["training.steps=3"],
            ["evaluation.extractor_steps=9"],
            ["data.classes=11"],
            ["data.source=idx:x"],
            ["training.batch_size=16"],
            ["evaluation.samples=9"],
            ["evaluation.thresholds.coverage.at_least=0"],
        )
    ]
    assert all(nodes[0].exec_properties == node.exec_properties for node in nodes[1:4])
    assert all(nodes[0].exec_properties != node.exec_properties for node in nodes[4:])


class TestCounts:
    """What trains on the examples and what judges by them."""

    def test_a_batch_of_more_than_there_are(self, validate):
        with pytest.raises(ValueError, match=r"^training\.batch_size is at most .* received 31, and digits has 30 in"):
            validate(examples(), batch_size=31)
        validate(examples(), batch_size=30)

    def test_a_threshold_that_so_few_cannot_carry(self, validate):
        thresholds = '{"coverage": {"at_least": 0.5}}'
        with pytest.raises(ValueError, match=r"^a bound on coverage needs at least 100 held-out and 200 training"):
            validate(examples(), examples(5), classes=0, thresholds=thresholds)

    def test_a_threshold_set_at_the_start_of_the_run_that_they_can(self, validate):
        thresholds = '{"coverage": {"at_least": 0.5, "resolves": 0.5}}'
        validate(examples(250, labels=0), examples(120, labels=0), classes=0, thresholds=thresholds)
