import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx_bsl.public.tfxio import TFExampleRecord

from components.beam import local_pipeline
from components.example_gen.aligned import Row
from components.example_gen.images import Picture
from components.example_gen.ingest import to_example
from components.example_gen.sources.source import Point
from components.example_gen.statistics import stats_options
from components.example_validator.rules import declared_schema, groups_fit
from models.config import Images, Points, Separated, Unpaired, groups_of
from tests.components.example_validator.changed import KEEP, changed


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
