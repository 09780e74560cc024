import pytest

from components.example_gen.sources.source import Point
from models.config import Points
from tests.components.example_validator.changed import changed, examples


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


def test_anomalies_of_eval_alone(validate):
    with pytest.raises(ValueError, match=r"split eval, label: Out-of-range values: .*12") as error:
        validate(examples(), examples(label=[12]))
    assert "split train" not in str(error.value)


@pytest.mark.parametrize(("train", "held_out", "split"), [(30, 0, "eval"), (0, 30, "train")])
def test_a_split_without_examples(validate, train, held_out, split):
    with pytest.raises(ValueError, match=f"split {split}, all examples: there are none$"):
        validate(examples(train), examples(held_out))


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
