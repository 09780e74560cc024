import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.example_validator.rules import declared_schema
from models.config import Images
from tests.components.example_validator.changed import examples

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
